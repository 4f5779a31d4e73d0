from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from medseg.models.sam2.linear import Linear, fuse_biases


@pytest.fixture
def pair() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Linear(96, 40), nn.GELU(), nn.Linear(40, 8, bias=False))
    fused = copy.deepcopy(plain)
    fuse_biases(fused)
    assert [type(layer) for layer in fused] == [Linear, nn.GELU, Linear]
    return plain, fused


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(96,), (5, 96), (2, 7, 3, 96), (0, 96)])
def test_values_are_those_of_torchs_own_layer(pair, dtype, shape):
    plain, fused = (network.to(dtype) for network in pair)
    x = torch.randn(shape).to(dtype)
    with torch.no_grad():
        expected = plain(x)
        found = fused(x)
    assert found.shape == expected.shape
    assert found.dtype == dtype
    torch.testing.assert_close(found, expected)


def test_a_turned_input_is_read_as_it_lies(pair):
    plain, fused = pair
    x = torch.randn(96, 6).T  # not contiguous
    with torch.no_grad():
        torch.testing.assert_close(fused(x), plain(x))


def test_gradients_are_those_of_torchs_own_layer(pair):
    x = torch.randn(5, 96)
    for network in pair:
        network(x).sum().backward()
    plain, fused = pair
    assert list(fused.state_dict()) == list(plain.state_dict())
    for own, other in zip(fused.parameters(), plain.parameters(), strict=True):
        assert own.grad is not None
        torch.testing.assert_close(own.grad, other.grad)


def test_in_mixed_precision_float32_layers_are_cast_as_torch_casts_them(pair):
    plain, fused = pair
    x = torch.randn(5, 96)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found = fused(x)
        assert found.dtype == torch.bfloat16
        torch.testing.assert_close(found, plain(x))
