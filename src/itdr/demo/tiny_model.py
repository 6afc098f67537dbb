"""Makes the tiny language model: its tokenizer, its weights and the record of how it came about.

The model is small enough to be fine-tuned on two CPU cores in minutes, and it can do what
fine-tuning on a few thousand examples could not teach it: copy from its context, write a list in
another order without losing an entry, and tell from a film's title which genre it belongs to.
"""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from transformers import (
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from itdr.demo import pretraining_text as text
from itdr.demo.tiny_start import start
from itdr.demo.tiny_tokenizer import MERGED_VOCABULARY, POSITIONS, make_tokenizer
from itdr.files.atomic import atomic_folder
from itdr.files.formats import write_json

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shape:
    """Sizes of the network."""

    hidden: int = 128
    layers: int = 4
    heads: int = 4
    head: int = 64
    intermediate: int = 256
    positions: int = POSITIONS
    rope_theta: float = 1e5


@dataclass(frozen=True)
class Phase:
    """A stretch of pre-training with one kind of text.

    shares: share of the documents per sort: "copy" or a key of pretraining_text.WRITERS.
    length: tokens per row; rows: rows per step; rate: learning rate at the start and at the end.
    bare, odd, small, dated: style of the documents, see pretraining_text.Style.
    """

    name: str
    shares: dict[str, float]
    steps: int
    rows: int
    length: int
    rate: tuple[float, float]
    bare: float = 0.5
    odd: float = 0.0
    small: float = 0.1
    dated: float = 0.5

    @property
    def style(self) -> text.Style:
        """What the entries of the documents look like."""
        return text.Style(self.bare, self.odd, self.small, self.dated)


_LISTS = {
    "copy": 0.04,
    "marked": 0.3,
    "group": 0.22,
    "choice": 0.1,
    "diary": 0.12,
    "glossary": 0.06,
    "card": 0.1,
    "tally": 0.06,
}

_DOUBT = _LISTS | {"marked": 0.12, "group": 0.1, "choice": 0.06, "doubt": 0.34}

PHASES = (
    Phase("words", {"copy": 0.5, "glossary": 0.5}, 80, 16, 128, (2e-3, 2e-3)),
    Phase("short lists", _LISTS, 1000, 16, 96, (2e-3, 1.5e-3), 0.9),
    Phase("lists", _LISTS, 1400, 16, 128, (1.5e-3, 8e-4), 0.4),
    Phase("doubt", _DOUBT, 1200, 16, 144, (8e-4, 5e-5), 0.1, 0.05),
)


def make_tiny_model(
    out: Path,
    prompt_texts: Sequence[str],
    *,
    seed: int = 0,
    phases: Sequence[Phase] = PHASES,
    shape: Shape = Shape(),
    trace_every: int = 50,
) -> None:
    """Train tokenizer and model and save them, with recipe.json, in a folder.

    prompt_texts: instructions and templates whose words get tokens of their own.
    trace_every: steps between two recorded losses. The same arguments give the same losses, up to
    the rounding of another processor; the first steps of a phase do not depend on its length
    except through the learning rate.
    """
    model, tokenizer, generator = untrained(prompt_texts, seed, shape)
    began = time.perf_counter()
    records = [train(model, tokenizer, phase, generator, trace_every) for phase in phases]
    seconds = time.perf_counter() - began
    recipe = {
        "seed": seed,
        "shape": asdict(shape),
        "parameters": model.num_parameters(),
        "phases": records,
        "measures": measure_model(model, tokenizer, np.random.default_rng([seed, 1])),
        "seconds": round(seconds, 1),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "prompt_texts": list(prompt_texts),
    }
    with atomic_folder(out, "tiny-model") as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        write_json(folder / "recipe.json", recipe)


def untrained(
    prompt_texts: Sequence[str], seed: int, shape: Shape = Shape()
) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast, np.random.Generator]:
    """Return what training starts from: the model, its tokenizer, and the source of its texts."""
    torch.manual_seed(seed)
    tokenizer = make_tokenizer(prompt_texts)
    return make_model(tokenizer, shape), tokenizer, np.random.default_rng(seed)


def make_model(tokenizer: PreTrainedTokenizerFast, shape: Shape) -> LlamaForCausalLM:
    """Return an untrained Llama model with attention biases for the tokenizer, in float32.

    That is Qwen2's architecture under another name. For models named Qwen2 transformers 5 takes no
    tokenizer but Qwen2's own, which cuts text in another way than this one, without a warning.
    """
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        head_dim=shape.head,
        intermediate_size=shape.intermediate,
        max_position_embeddings=shape.positions,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        attention_bias=True,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    start(model, tokenizer)
    return model


def train(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    phase: Phase,
    generator: np.random.Generator,
    trace_every: int,
) -> dict[str, object]:
    """Train through one phase in place and return its settings with its losses.

    The losses are in nats per learnt token, each the mean of the trace_every steps before it.
    """
    optimizers = _optimizers(model)
    source = _Source(tokenizer, generator, phase.shares, phase.style)
    trace: list[float] = []
    recent: list[float] = []
    model.train()
    for step in range(phase.steps):
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = _rate(phase, step)
        loss, _ = _loss(model, *source.rows(phase.rows, phase.length))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        recent.append(loss.item())
        if len(recent) == trace_every:
            trace.append(round(float(np.mean(recent)), 4))
            recent.clear()
            logger.info("%s: step %d, loss %.4f", phase.name, step + 1, trace[-1])
    tokens = phase.steps * phase.rows * phase.length
    return {**asdict(phase), "tokens": tokens, "trace_every": trace_every, "trace": trace}


@torch.no_grad()
def measure_model(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, generator: np.random.Generator
) -> dict[str, float]:
    """Return loss (nats per token) and accuracy of the next token on fresh text of every kind."""
    model.eval()
    measures = {}
    for kind in ("copy", *text.WRITERS):
        rows = _Source(tokenizer, generator, {kind: 1.0}, text.TITLES).rows(64, 256)
        loss, accuracy = _loss(model, *rows)
        measures[f"{kind}_loss"] = round(loss.item(), 4)
        measures[f"{kind}_accuracy"] = round(accuracy, 4)
    return measures


class _Source:
    """Endless rows of packed documents, some of whose tokens are learnt and the others only read.

    shares: share of the documents per sort; style: of their entries.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerFast,
        generator: np.random.Generator,
        shares: dict[str, float],
        style: text.Style,
    ) -> None:
        self._tokenizer = tokenizer
        self._generator = generator
        self._style = style
        self._kinds = list(shares)
        self._shares = list(shares.values())
        self._pieces = np.arange(MERGED_VOCABULARY, tokenizer.pad_token_id)
        words = (str(tokenizer.decode([piece])).strip() for piece in self._pieces)
        self._words = list(dict.fromkeys(word for word in words if word.isalpha()))

    def rows(self, count: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return token ids and whether each is learnt, both (count, length)."""
        both = np.array([self._row(length) for _ in range(count)])
        return torch.from_numpy(both[:, 0].copy()), torch.from_numpy(both[:, 1].astype(bool))

    def _row(self, length: int) -> tuple[list[int], list[int]]:
        # Every row begins with a document of its own: what repeats a beginning that the row
        # doesn't hold can't be foreseen, and so much noise hides the copying from the model.
        ids: list[int] = []
        learnt: list[int] = []
        while len(ids) < length:
            more, mask = self._document()
            ids += more
            learnt += mask
        return ids[:length], learnt[:length]

    def _document(self) -> tuple[list[int], list[int]]:
        """Return a new document's token ids, and 1 for each that is learnt, else 0."""
        kind = str(self._generator.choice(self._kinds, p=self._shares))
        if kind == "copy":
            once = text.random_sequence(self._generator, self._pieces)
            # Nothing announces that the repetition begins, so its first token isn't learnt.
            return once * 2, [0] * (len(once) + 1) + [1] * (len(once) - 1)
        parts = text.WRITERS[kind](self._generator, self._words, self._style)
        by_character = [part.learnt for part in parts for _ in part.words]
        cut = self._tokenizer("".join(part.words for part in parts), return_offsets_mapping=True)
        mask = [int(by_character[end - 1]) for _, end in cut["offset_mapping"]]
        return [*cut["input_ids"], self._tokenizer.pad_token_id], [*mask, mask[-1]]


def _loss(
    model: LlamaForCausalLM, inputs: torch.Tensor, learnt: torch.Tensor
) -> tuple[torch.Tensor, float]:
    """Return mean loss and accuracy over the learnt tokens; logits of others are not computed."""
    chosen = learnt[:, 1:]
    hidden = model.model(input_ids=inputs, use_cache=False).last_hidden_state[:, :-1][chosen]
    logits = functional.linear(hidden, model.model.embed_tokens.weight)
    wanted = inputs[:, 1:][chosen]
    accuracy = (logits.argmax(-1) == wanted).float().mean().item()
    return functional.cross_entropy(logits, wanted), accuracy


def _optimizers(model: LlamaForCausalLM) -> tuple[torch.optim.Optimizer, ...]:
    """Return Muon for the matrices of the layers, which learn in fewer steps so, and AdamW.

    Both take the same learning rate: Muon's steps are scaled to the size that AdamW's have.
    """
    matrices = {p for p in model.model.layers.parameters() if p.ndim == 2}
    others = [p for p in model.parameters() if p not in matrices]
    return (
        torch.optim.Muon(
            [p for p in model.parameters() if p in matrices],
            weight_decay=0.01,
            adjust_lr_fn="match_rms_adamw",
        ),
        torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=0.01, fused=True),
    )


def _rate(phase: Phase, step: int) -> float:
    """Return the learning rate of a step: 30 steps of warm-up, then half a cosine."""
    first, last = phase.rate
    share = step / phase.steps
    rate = last + (first - last) * (1 + math.cos(math.pi * share)) / 2
    return rate * min(1.0, (step + 1) / 30)
