"""The tiny model's tokenizer: each word of the simulated world is one token, bytes spell others."""

import json
from collections.abc import Sequence

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from itdr.demo import pretraining_text as text
from itdr.demo.tiny_words import world_texts

PAD = "<|endoftext|>"
POSITIONS = 1024
"""Longest text in tokens."""


# A line break and the number that follows it are one token, but not behind the word "assistant", so
# that the first number of an answer is cut like every other start.
_PIECES = (
    r"(?<!assistant)\n\d+\.(?= )| \(\d{4}\)|\d+\.(?= )| ?\d+\.\d+| ?[\p{L}\d_]+(?:[-/][\p{L}\d]+)*"
    r"| ?[^\s\p{L}\d_]+|\s+(?!\S)|\s"
)
MERGED_VOCABULARY = 400
"""Single bytes and the merges that spell unknown words; whole words come behind them."""

CHAT_TEMPLATE = """\
{%- for message in messages %}
{{- '<|im_start|>' + message['role'] + '\\n' }}
{%- if message['role'] == 'assistant' %}
{%- generation %}{{- message['content'] + '<|im_end|>' }}{%- endgeneration %}{{- '\\n' }}
{%- else %}
{{- message['content'] + '<|im_end|>\\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
"""ChatML without a default system prompt; the mask of the answer includes its end token."""


def make_tokenizer(prompt_texts: Sequence[str]) -> PreTrainedTokenizerFast:
    """Return a byte-level BPE tokenizer in which every word of the world is one token."""
    split = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    texts = [*world_texts(), *prompt_texts]
    learnt = Tokenizer(models.BPE())
    learnt.pre_tokenizer = split
    learnt.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=MERGED_VOCABULARY,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    merged = json.loads(learnt.to_str())["model"]
    vocabulary = {token: place for place, token in enumerate(merged["vocab"])}
    for piece in sorted({piece for line in texts for piece, _ in split.pre_tokenize_str(line)}):
        vocabulary.setdefault(piece, len(vocabulary))
    # With ignore_merges a whole word is looked up before any merge, so that words need no chain of
    # half-words in the vocabulary.
    tokenizer = Tokenizer(
        models.BPE(vocabulary, [tuple(pair) for pair in merged["merges"]], ignore_merges=True)
    )
    tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=text.END,
        additional_special_tokens=[text.START],
        chat_template=CHAT_TEMPLATE,
        padding_side="left",
        model_max_length=POSITIONS,
        clean_up_tokenization_spaces=False,
    )
