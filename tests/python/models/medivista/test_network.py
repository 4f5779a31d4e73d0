"""What trains, what every part does for the answer, and the absence of the public code's faults."""

import pytest
import torch
from torch import nn

from medseg.models.medivista import MediViSTA, MediViSTAShape, parameter_counts

# On ViT-B for 256 pixels. Frozen: SAM's 89,670,912, less the position tables' 768 x (64^2 - 16^2)
# and 4 global blocks' 2 x (127 - 31) x 64.
TRAINED = 18_218_264
FROZEN = 89_670_912 - 768 * (64**2 - 16**2) - 4 * 2 * (127 - 31) * 64


def test_only_adapters_branch_and_decoder_train():
    with torch.device("meta"):
        network = MediViSTA(MediViSTAShape())
        alone = MediViSTA(MediViSTAShape(temporal=False))
    frozen = {name for name, p in network.named_parameters() if not p.requires_grad}
    assert {name.split(".")[0] for name in frozen} == {"image_encoder"}
    assert frozen == {
        f"image_encoder.{name}" for name, _ in network.image_encoder.named_parameters()
    }
    assert parameter_counts(network) == (TRAINED, FROZEN)
    assert FROZEN == 86_672_640
    adapters = sum(p.numel() for p in network.temporal_adapters.parameters())
    assert parameter_counts(alone) == (TRAINED - adapters, FROZEN)


@pytest.mark.parametrize(
    ("clips", "frames", "height", "width"), [(1, 1, 64, 64), (3, 2, 48, 80), (2, 5, 33, 17)]
)
def test_any_batch_any_number_of_frames_any_size(trained, clip, clips, frames, height, width):
    with torch.inference_mode():
        found = trained()(clip(clips, frames, 3, height, width))
    assert found.shape == (clips, frames, 3, height, width) and found.isfinite().all()


def test_a_clip_s_answer_does_not_depend_on_its_batch(trained, clip):
    network, x = trained(), clip(3, 4, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(network(x)[1:2], network(x[1:2]), rtol=1e-4, atol=1e-5)


def test_before_training_the_embedding_is_sam_s_own(shape, clip):
    network, x = MediViSTA(shape()).eval(), clip(2, 3, 3, 64, 64)
    found = []
    network.image_encoder.neck.register_forward_hook(lambda *call: found.append(call[2]))
    with torch.inference_mode():
        network(x)
        torch.testing.assert_close(found[0], network.image_encoder(x.flatten(0, 1)))


def test_every_block_sees_what_the_one_before_it_gave(trained, clip):
    """In the public code of 2023 each block saw the first tokens: only the last one counted."""
    network, given, got = trained(), [], []

    def note(block: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        given.append(inputs[0])
        got.append(output)

    for block in network.image_encoder.blocks:
        block.register_forward_hook(note)
    for part in (*network.cross_branch, *network.temporal_adapters):
        nn.init.zeros_(part.up.weight)
        nn.init.zeros_(part.up.bias)
    with torch.inference_mode():
        network(clip(1, 2, 3, 64, 64))
    assert len(got) == 3
    assert given[1].equal(got[0]) and given[2].equal(got[1])
    assert not given[1].equal(given[0])


def test_every_trained_parameter_has_a_part_in_the_answer(trained, clip):
    """Nothing is built and left unused, as cross-frame attention was in the public code."""
    network = trained()
    (network(clip(2, 3, 3, 64, 64)).square() * clip(2, 3, 3, 64, 64)).sum().backward()
    idle = {
        name
        for name, p in network.named_parameters()
        if p.requires_grad and (p.grad is None or not p.grad.any())
    }
    # A key's bias adds the same to all of a query's logits, which softmax takes away again.
    assert not {name for name in idle if not name.endswith("k.bias")}
    assert all(p.grad is None for p in network.image_encoder.parameters())


def test_a_temporal_adapter_is_asked_in_every_block(trained, clip):
    """The public code of 2025 never calls its own."""
    network, calls = trained(), []
    for index, adapter in enumerate(network.temporal_adapters):
        adapter.register_forward_hook(lambda *_, index=index: calls.append(index))
    with torch.inference_mode():
        network(clip(1, 2, 3, 64, 64))
    assert calls == [0, 1, 2]


def test_frames_inform_their_neighbours_through_the_temporal_adapters_alone(trained, clip):
    x = clip(1, 4, 3, 64, 64)
    other = x.clone()
    other[:, 3] = clip(1, 1, 3, 64, 64)[:, 0] * 3
    with torch.inference_mode():
        for temporal, changes in ((True, True), (False, False)):
            network = trained(temporal=temporal)
            same = torch.allclose(network(x)[:, :3], network(other)[:, :3], rtol=0, atol=1e-6)
            assert same is not changes


def test_a_near_frame_informs_more_than_a_far_one(trained, clip):
    network, x = trained(), clip(1, 4, 3, 64, 64)
    time_s = torch.tensor([[0.0, 0.02, 0.5, 5.0]], dtype=torch.float64)
    moved = []
    with torch.inference_mode():
        for frame in (1, 2, 3):
            other = x.clone()
            other[:, frame] *= -1
            moved.append(float((network(other, time_s) - network(x, time_s))[0, 0].abs().mean()))
    assert moved[0] > 10 * moved[1] > 0
    assert moved[2] < 1e-6


def test_without_times_frames_are_the_paper_s_own_unit(trained, clip):
    network, x = trained(), clip(1, 5, 3, 64, 64)
    at_50_hz = torch.arange(5)[None] * 0.02
    with torch.inference_mode():
        torch.testing.assert_close(network(x), network(x, at_50_hz), rtol=1e-4, atol=1e-5)


def test_times_must_be_one_for_each_frame(trained, clip):
    with pytest.raises(ValueError, match="one time for each frame"):
        trained()(clip(1, 3, 3, 64, 64), torch.zeros(1, 2))
