"""A LoRA layer in fewer passes over its activations than PEFT's, with the same result.

PEFT computes y = xW' + s(xA')B' in five steps, three of them over tensors as large as y, and
autograd adds the two gradients of x in another. Here the products of the narrow matrices are added
to those of the wide one in place, and the scale s is applied where there are only `rank` columns.

A model in 16 bits is trained with A and B in 32 bits, and without autocast: A and B, which are
small, are cast for the products here, and nothing else is.
"""

from collections.abc import Callable
from typing import Any

import torch
from peft.tuners.lora import Linear


def fuse(model: Any) -> int:
    """Let every plain LoRA layer of a PEFT model be computed by _Lora; return how many.

    Left alone are layers with dropout or without a weight of floating-point numbers. Under
    autocast, or for an input of another type than the weight, a layer goes PEFT's way.
    """
    layers = [layer for layer in model.modules() if type(layer) is Linear and _is_plain(layer)]
    for layer in layers:
        layer.forward = _forward(layer, layer.forward)  # type: ignore[method-assign]
    return len(layers)


def _is_plain(layer: Any) -> bool:
    return (
        type(layer.base_layer) is torch.nn.Linear
        and layer.active_adapters == ["default"]
        and isinstance(layer.lora_dropout["default"], torch.nn.Identity)
        and not layer.lora_variant
        and not layer.lora_bias["default"]
    )


def _forward(layer: Any, plain: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    base, scale = layer.base_layer, layer.scaling["default"]
    down, up = layer.lora_A["default"], layer.lora_B["default"]

    def forward(x: torch.Tensor, *arguments: Any, **options: Any) -> torch.Tensor:
        mixed = x.dtype != base.weight.dtype
        if mixed or layer.disable_adapters or torch.is_autocast_enabled(x.device.type):
            return plain(x, *arguments, **options)
        return _Lora.apply(x, base.weight, base.bias, down.weight, up.weight, scale)

    return forward


class _Lora(torch.autograd.Function):
    """y = xW' + b + s(xA')B', with gradients for x (..., in), A (rank, in) and B (out, rank).

    y and the gradient of x have the type of x, the gradients of A and B those of A and B.
    """

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> torch.Tensor:
        x, weight, bias, down, up, scale = inputs
        ctx.types = down.dtype, up.dtype
        down, up = down.to(x.dtype), up.to(x.dtype)
        rows = x.reshape(-1, x.shape[-1])
        narrow = (rows @ down.T).mul_(scale)
        y = torch.nn.functional.linear(rows, weight, bias).addmm_(narrow, up.T)
        ctx.save_for_backward(rows, narrow, weight, down, up)
        ctx.scale, ctx.shape = scale, x.shape
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        rows, narrow, weight, down, up = ctx.saved_tensors
        gradient = gradients[0].reshape(-1, gradients[0].shape[-1])
        # Products whose result is wide rather than tall: on a CPU the others take up to five times
        # as long. A GPU does not mind, and would have to copy what is transposed.
        inner = (up.T @ gradient.T).mul_(ctx.scale)
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = (gradient @ weight).addmm_(inner.T, down).view(ctx.shape)
        of_down = _product(inner, rows, ctx.types[0])
        if gradient.is_cuda:
            of_up = _product(gradient.T, narrow, ctx.types[1])
        else:
            of_up = _product(narrow.T, gradient, ctx.types[1]).T
        return of_x, None, None, of_down, of_up, None


def _product(a: torch.Tensor, b: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return a @ b in a type that may be wider than theirs, without rounding to theirs first."""
    if dtype == a.dtype:
        return a @ b
    if a.is_cuda:
        return torch.mm(a, b, out_dtype=dtype)
    return a.to(dtype) @ b.to(dtype)
