"""Fusion over time, on clips whose answer is known."""

import math

import pytest
import torch

from medseg.models.medivista.attention import CrossAttention
from medseg.models.medivista.temporal import TemporalAdapter, fuse_over_time, temporal_kernel


def test_the_kernel_is_the_published_exponential_made_to_sum_to_one():
    kernel = temporal_kernel(torch.arange(10.0)[None], 3.0)[0]
    raw = torch.tensor([[math.exp(-abs(t - s) / 3) for s in range(10)] for t in range(10)])
    torch.testing.assert_close(kernel, raw / raw.sum(1, keepdim=True))


def test_in_seconds_a_frame_twice_as_far_counts_as_two_frames_at_double_rate():
    slow = temporal_kernel(torch.tensor([[0.0, 0.04, 0.08]]), 0.06)
    fast = temporal_kernel(torch.arange(5)[None] * 0.02, 0.06)
    assert float(slow[0, 0, 1] / slow[0, 0, 0]) == pytest.approx(math.exp(-2 / 3), rel=1e-5)
    torch.testing.assert_close(
        slow[0, 0, 2] / slow[0, 0, 0], fast[0, 0, 4] / fast[0, 0, 0], rtol=1e-5, atol=0
    )


def test_frames_are_fused_by_their_weights():
    tokens = torch.tensor([1.0, 10.0, 100.0]).view(1, 3, 1, 1)
    kernel = torch.tensor([[[1.0, 0, 0], [0.5, 0, 0.5], [0.2, 0.3, 0.5]]])
    assert fuse_over_time(tokens, kernel).flatten().tolist() == pytest.approx([1, 50.5, 53.2])


def filled(adapter: TemporalAdapter) -> TemporalAdapter:
    for parameter in adapter.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return adapter


def test_an_untrained_adapter_changes_nothing_and_a_trained_one_does():
    x, kernel = torch.randn(4, 3, 3, 8), temporal_kernel(torch.arange(2.0).expand(2, 2), 3.0)
    adapter = TemporalAdapter(8, 4, 2)
    assert not adapter(x, kernel).any()
    assert filled(adapter)(x, kernel).abs().mean() > 0.01


def test_a_still_clip_is_adapted_as_its_one_frame():
    """So the kernel must sum to 1: the public code's sum grows with the number of frames."""
    adapter, frame = filled(TemporalAdapter(8, 4, 2)), torch.randn(1, 3, 3, 8)
    alone = adapter(frame, temporal_kernel(torch.zeros(1, 1), 3.0))
    for count in (2, 7):
        clip = frame.expand(count, -1, -1, -1)
        found = adapter(clip, temporal_kernel(torch.arange(float(count))[None], 3.0))
        torch.testing.assert_close(found, alone.expand_as(found))


def test_clips_of_one_batch_do_not_meet():
    adapter, x = filled(TemporalAdapter(8, 4, 2)), torch.randn(6, 2, 2, 8)
    kernel = temporal_kernel(torch.arange(3.0).expand(2, 3), 3.0)
    both, first = adapter(x, kernel), adapter(x[:3], kernel[:1])
    torch.testing.assert_close(both[:3], first)


def test_attention_is_scaled_as_torch_s_own():
    """By 1/sqrt of a head's width; the public code divided by it and so sharpened 64-fold."""
    ours = CrossAttention(12, 12, 3).double()
    theirs = torch.nn.MultiheadAttention(12, 3, batch_first=True).double()
    with torch.no_grad():
        for parameter in ours.parameters():
            torch.nn.init.normal_(parameter)
        theirs.in_proj_weight.copy_(torch.cat([ours.q.weight, ours.k.weight, ours.v.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.q.bias, ours.k.bias, ours.v.bias]))
        theirs.out_proj.load_state_dict(ours.out.state_dict())
    query, key = torch.randn(2, 5, 12).double(), torch.randn(2, 7, 12).double()
    torch.testing.assert_close(ours(query, key, key), theirs(query, key, key)[0])
