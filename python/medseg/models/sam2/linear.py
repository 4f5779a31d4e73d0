"""Linear layers that cost a CPU half as much, without a gradient."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Linear(nn.Linear):
    """nn.Linear, but that oneDNN adds the bias while it multiplies.

    On a CPU torch first copies the bias over the whole output and then adds the product to it,
    which with some hundred inputs takes as long again as the product. Values are the same.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(...,inputs) -> (...,outputs)."""
        if _fusible(x, self.weight):
            fused: Tensor = torch.ops.mkldnn._linear_pointwise(
                x, self.weight, self.bias, "none", [], ""
            )
            return fused
        return functional.linear(x, self.weight, self.bias)


def fuse_biases(network: nn.Module) -> None:
    """Make each nn.Linear of a network a Linear; its parameters and their names stay.

    For networks that see the same shapes again and again: oneDNN keeps memory for each of them.
    """
    for layer in network.modules():
        if type(layer) is nn.Linear:
            layer.__class__ = Linear


def _fusible(x: Tensor, weight: Tensor) -> bool:
    if torch.is_grad_enabled() or x.device.type != "cpu" or x.dtype != weight.dtype:
        return False
    if torch.is_autocast_enabled("cpu") and x.dtype != torch.get_autocast_dtype("cpu"):
        return False  # it would be cast
    return x.numel() > 0 and x.dtype in _TYPES


def _types() -> set[torch.dtype]:
    """What this build of torch and this processor can fuse."""
    if not torch.backends.mkldnn.is_available():
        return set()
    if not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return set()
    low = {torch.bfloat16} if torch.ops.mkldnn._is_mkldnn_bf16_supported() else set()
    return {torch.float32} | low


_TYPES = _types()
