"""How many parameters a network has, and how many sums it does for a frame."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Complexity:
    """A network's size and its work for one frame."""

    parameters: int
    gflops_per_frame: float  # thousand million multiply-adds, as the published tables count


def complexity(
    network: nn.Module, input_shape: tuple[int, ...], *, frames_per_input: int = 1
) -> Complexity:
    """Count a network's parameters, and the multiply-adds of one input shared among its frames.

    The published tables (fvcore's) call one multiply-add one FLOP, and so does this; torch's
    counter calls it two. Convolutions and matrix products are counted; normalisations and
    activations, some 1 % of the published networks, are not. Nothing is computed: the network is
    followed on torch's meta device, whatever device it is on.

    Args:
        network: what runs.
        input_shape: of the tensor that it is given, e.g. (1,3,112,112).
        frames_per_input: frames that one such tensor holds.
    """
    nothing = {key: tensor.to("meta") for key, tensor in network.state_dict().items()}
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            functional_call(network, nothing, (torch.zeros(input_shape, device="meta"),))
    finally:
        network.train(was_training)
    return Complexity(
        parameters=sum(p.numel() for p in network.parameters()),
        gflops_per_frame=counter.get_total_flops() / 2 / frames_per_input / 1e9,
    )
