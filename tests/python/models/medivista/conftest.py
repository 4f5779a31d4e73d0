"""Small shapes and weights that a seed makes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from medseg.models.medivista import MediViSTA, MediViSTAShape

TINY = {
    "objects": ("left_ventricle", "myocardium"),
    "adapter_heads": 2,
    "low_rank": 2,
    "pyramid": (4, 4, 8, 8),
    "decoder_heads": 2,
    "width": 16,
    "depth": 3,
    "heads": 2,
    "global_blocks": (1,),
    "window": 2,
    "size": 64,
    "neck": 16,
}


@pytest.fixture
def shape() -> Callable[..., MediViSTAShape]:
    """Give a tiny shape, changed as asked."""
    return lambda **changed: MediViSTAShape(**{**TINY, **changed})


@pytest.fixture
def trained(shape, seeded) -> Callable[..., MediViSTA]:
    """Give a tiny network in which no weight is zero, as after training."""

    def make(**changed) -> MediViSTA:
        network = MediViSTA(shape(**changed))
        network.load_state_dict(seeded(network.state_dict(), 5))
        return network.eval()

    return make


@pytest.fixture
def clip() -> Callable[..., torch.Tensor]:
    """Give normal numbers of a shape."""
    return lambda *size: torch.randn(*size, generator=torch.Generator().manual_seed(11))
