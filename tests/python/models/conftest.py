"""Weights and inputs that a seed makes, and what the public code gave for them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from medseg.sector import Sector


def seeded_weights(state: dict[str, Tensor], seed: int) -> dict[str, Tensor]:
    """Fill a network's tensors, key by key in alphabetical order, from one generator."""
    rng = np.random.default_rng(seed)
    filled = {}
    for key in sorted(state):
        shape = tuple(state[key].shape)
        noise = rng.standard_normal(shape, dtype=np.float32)
        if key.endswith("num_batches_tracked"):
            filled[key] = torch.zeros_like(state[key])
            continue
        if len(shape) > 1:  # a convolution or a matrix
            values = noise / math.sqrt(math.prod(shape[1:]))
        elif key.endswith("running_var"):
            values = 0.5 + np.abs(noise)
        elif key.endswith("adn.A.weight"):  # PReLU
            values = 0.25 + 0.05 * noise
        elif key.endswith("weight"):  # a normalisation
            values = 1 + 0.1 * noise
        else:
            values = 0.1 * noise
        filled[key] = torch.from_numpy(np.asarray(values, np.float32))
    return filled


def seeded_input(shape: list[int], seed: int) -> Tensor:
    """Standard normal numbers, as normalised pixels are."""
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape, dtype=np.float32))


@pytest.fixture
def seeded():
    """Give `seeded_weights`."""
    return seeded_weights


@pytest.fixture
def gives_public_logits():
    """Check a network against a file in public/, which says how it was made."""

    def check(network: nn.Module, name: str) -> None:
        path = Path(__file__).parent / "public" / f"{name}.json"
        public = json.loads(path.read_text("utf-8"))
        own = network.state_dict()
        assert {key: list(tensor.shape) for key, tensor in own.items()} == public["keys"]
        assert sum(p.numel() for p in network.parameters()) == public["parameters"]
        network.load_state_dict(seeded_weights(own, public["weights_seed"]))
        with torch.inference_mode():
            logits = network.eval()(seeded_input(public["input_shape"], public["input_seed"]))
        assert list(logits.shape) == public["output_shape"]
        found = logits.double().numpy()
        at = tuple(np.array(public["positions"]).T)
        np.testing.assert_allclose(found[at], public["values"], rtol=0, atol=2e-5)
        assert found.mean() == pytest.approx(public["mean"], abs=2e-5)
        assert found.std() == pytest.approx(public["standard_deviation"], abs=2e-5)

    return check


@pytest.fixture
def whole_frame():
    """A sector that fills frames of so many rows and columns."""

    def sector(height: int, width: int) -> Sector:
        return Sector(np.ones((height, width), bool), (0, 0, height, width), True)

    return sector
