"""PyTorch's variable-length attention on a CPU, where it has no kernels.

The function that is called, its checks of what it is given and its derivative's wiring are
PyTorch's; the two kernels stand in plain arithmetic here, as torch.nn.attention.varlen documents
them: with a window of (-1, 0) a query sees keys up to its own place counted from the end.
"""

import itertools

import torch
from torch.nn.attention import varlen

from itdr.training.attention import VARLEN


def set_attention(model, wanted="varlen") -> str:
    """Let a model on a CPU compute attention as on a GPU; instead of attention.set_attention."""
    varlen._varlen_attn.register_kernel("cpu")(_forward)
    varlen._varlen_attn_backward.register_kernel("cpu")(_backward)
    model.set_attn_implementation(VARLEN)
    return VARLEN


def _forward(
    query, key, value, cu_seq_q, cu_seq_k, max_q, max_k, is_causal=False, scale=None,
    window_size=None, enable_gqa=False, seqused_k=None, block_table=None, num_splits=None,
):  # fmt: skip
    assert cu_seq_q.dtype == cu_seq_k.dtype == torch.int32
    assert int(cu_seq_q[-1]) == len(query) and int(cu_seq_k[-1]) == len(key) == len(value)
    assert max_q == cu_seq_q.diff().max() and max_k == cu_seq_k.diff().max()
    assert seqused_k is None and block_table is None and is_causal and window_size == [-1, 0]
    out = torch.empty_like(query)
    for q, k, a, b, c, d in _parts(query, key, cu_seq_q, cu_seq_k, scale):
        out[a:b] = _to(query, _weights(q, k) @ _heads(value[c:d], query))
    empty = query.new_zeros((query.shape[1], len(query)), dtype=torch.float32)
    return out, empty, torch.zeros(2, dtype=torch.uint64)


def _backward(
    grad_out, query, key, value, out, lse, cu_seq_q, cu_seq_k, max_q, max_k, is_causal, rng_state,
    scale=None, window_size=None,
):  # fmt: skip
    scale = scale or query.shape[-1] ** -0.5
    of_query, of_key, of_value = (torch.empty_like(states) for states in (query, key, value))
    for q, k, a, b, c, d in _parts(query, key, cu_seq_q, cu_seq_k, scale):
        weights, gradient = _weights(q, k), _heads(grad_out[a:b], query)
        of_weights = gradient @ _heads(value[c:d], query).transpose(1, 2)
        of_scores = weights * (of_weights - (weights * of_weights).sum(-1, keepdim=True))
        of_query[a:b] = _to(query, scale * of_scores @ k)
        of_key[c:d] = _to(key, of_scores.transpose(1, 2) @ q)
        of_value[c:d] = _to(value, weights.transpose(1, 2) @ gradient)
    return of_query, of_key, of_value


def _parts(query, key, borders_q, borders_k, scale):
    """Yield the scaled queries and the keys of each sequence, and where both begin and end."""
    scale = scale or query.shape[-1] ** -0.5
    for (a, b), (c, d) in zip(_pairs(borders_q), _pairs(borders_k), strict=True):
        yield scale * _heads(query[a:b], query), _heads(key[c:d], query), a, b, c, d


def _heads(states, query):
    """Return (tokens, heads, size) as (query heads, tokens, size) in 32 bits."""
    return states.float().repeat_interleave(query.shape[1] // states.shape[1], 1).transpose(0, 1)


def _to(states, found):
    """Return (query heads, tokens, size) in the form of states, heads that share one summed."""
    by_head = found.transpose(0, 1).unflatten(1, (states.shape[1], -1))
    return by_head.sum(2).to(states.dtype)


def _weights(q, k):
    hidden = torch.ones(q.shape[1], k.shape[1], dtype=torch.bool)
    hidden = hidden.triu(1 + k.shape[1] - q.shape[1])
    return (q @ k.transpose(1, 2)).masked_fill(hidden, -torch.inf).softmax(-1)


def _pairs(borders):
    places = borders.tolist()
    return list(itertools.pairwise(places))
