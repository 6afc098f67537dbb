"""Where the tiny model's training starts: weights that already look around as they will have to.

Small transformers find each of these circuits by themselves, but only after tens of millions of
tokens, and until then they learn nothing that depends on them. They are set as a rough first
guess on top of random weights, and every one of them is trained like the rest.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.models.llama.modeling_llama import LlamaAttention

from itdr.demo.words import ADJECTIVES, GENRES, NOUNS

_WINDOWS = {2: (0.15, 0.6), 3: (0.06, 0.25)}
"""Heads that average the last four or eight tokens: which turns (radians per token) they use."""
_SHARPNESS = 2.5  # of comparing contents: large enough to choose, small enough to be trained
_QUIET = 0.1  # what a circuit first adds to the residual stream, where its input has size one


@torch.no_grad()
def start(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """Set the circuits of a model of three layers or more with four heads twice too wide, in place.

    - Copying: two heads of the first layer look at the token before, and two of the second look
      for a token that followed the present one earlier on.
    - Likeness: two heads of the first layer average the last few tokens, which says what the
      present line is about; a head of the second looks for lines about the same.
    - Taste: a head of the second layer averages everything so far; a head of the third looks for
      tokens akin to that average.
    - Words of one genre lie in one direction.
    """
    turn: Tensor = model.model.rotary_emb.inv_freq  # radians per token, per pair of coordinates
    first, second, third = (layer.self_attn for layer in model.model.layers[:3])
    _copying(first, second, turn)
    slow = (turn < 0.005).float().repeat(2)[:, None]  # these compare tokens alike at any distance
    _likeness(first, second, turn, slow)
    _taste(second, third, slow)
    _genres(model.model.embed_tokens.weight, tokenizer)
    model.model.norm.weight.fill_(4.0)


def _rows(layer: LlamaAttention, head: int, heads: int = 1) -> slice:
    return slice(head * layer.head_dim, (head + heads) * layer.head_dim)


def _width(layer: LlamaAttention) -> int:
    return layer.q_proj.in_features


def _rotation(layer: LlamaAttention) -> Tensor:
    return torch.linalg.qr(torch.randn(_width(layer), _width(layer)))[0]


def _copying(first: LlamaAttention, second: LlamaAttention, turn: Tensor) -> None:
    used = _rows(first, 0, 2)  # two heads are together as wide as the model
    width, nothing = _width(first), torch.zeros(len(turn))
    fast, slow = turn > 0.05, turn < 0.005
    key = torch.cat([torch.where(fast, 7.0, nothing), nothing])
    query = torch.where(fast.repeat(2), 7 * torch.cat([turn.cos(), -turn.sin()]), 0.0)
    first.k_proj.bias[used] = key.repeat(2)
    first.q_proj.bias[used] = query.repeat(2)
    aside = _rotation(first)  # where a token keeps the one before it
    first.v_proj.weight[used] = torch.eye(width)
    first.o_proj.weight[:, used] = 0.02 * aside
    compare = 2.2 * _rotation(second) * slow.repeat(4)[:, None]
    second.q_proj.weight[used] = compare
    second.k_proj.weight[used] = compare @ aside.T
    second.v_proj.weight[used] = torch.eye(width)
    second.o_proj.weight[:, used] = _QUIET * torch.eye(width)


def _likeness(first: LlamaAttention, second: LlamaAttention, turn: Tensor, slow: Tensor) -> None:
    read = _rotation(first)[: first.head_dim]  # both windows keep the same part of a token
    places = []
    for head, (lowest, highest) in _WINDOWS.items():
        rows = _rows(first, head)
        band = ((turn > lowest) & (turn <= highest)).float()
        near = torch.cat([3.5 * band, torch.zeros(len(turn))])
        for projection in (first.q_proj, first.k_proj):
            projection.weight[rows] *= 0.1
            projection.bias[rows] = near
        place = _rotation(first)[:, : first.head_dim]
        first.v_proj.weight[rows] = read
        first.o_proj.weight[:, rows] = 0.03 * place
        places.append(place)
    line, lines = places
    mixed = _mixing(second)
    rows = _rows(second, 2)
    second.q_proj.weight[rows] = _SHARPNESS * slow * (mixed @ (line + lines).T)
    second.k_proj.weight[rows] = _SHARPNESS * slow * (mixed @ line.T)
    _answer_with_token(second, rows)


def _taste(second: LlamaAttention, third: LlamaAttention, slow: Tensor) -> None:
    rows = _rows(second, 3)
    read, place = _rotation(second)[: second.head_dim], _rotation(second)[:, : second.head_dim]
    second.q_proj.weight[rows] = 0.0
    second.k_proj.weight[rows] = 0.0
    second.v_proj.weight[rows] = read
    second.o_proj.weight[:, rows] = _QUIET * place
    mixed = _mixing(third)
    rows = _rows(third, 0)
    third.q_proj.weight[rows] = _SHARPNESS * slow * (mixed @ place.T)
    third.k_proj.weight[rows] = _SHARPNESS * slow * (mixed @ read)
    _answer_with_token(third, rows)


def _mixing(layer: LlamaAttention) -> Tensor:
    return torch.randn(layer.head_dim, layer.head_dim) / layer.head_dim**0.5


def _answer_with_token(layer: LlamaAttention, rows: slice) -> None:
    """Make a head pass on the tokens that it looks at, as they are."""
    read = _rotation(layer)[: layer.head_dim]
    layer.v_proj.weight[rows] = read
    layer.o_proj.weight[:, rows] = _QUIET * read.T


def _genres(embeddings: Tensor, tokenizer: PreTrainedTokenizerFast) -> None:
    size = embeddings.std()
    spellings: tuple[Callable[[str], str], ...] = (str, str.lower)
    for genre, adjectives, nouns in zip(GENRES, ADJECTIVES, NOUNS, strict=True):
        direction = size * torch.randn(embeddings.shape[1])
        words = {spell(word) for word in (*adjectives, *nouns, genre) for spell in spellings}
        for text in sorted({prefix + word for word in words for prefix in ("", " ")}):
            pieces = tokenizer(text)["input_ids"]
            if len(pieces) == 1:
                embeddings[pieces[0]] += direction
