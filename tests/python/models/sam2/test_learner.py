"""What is learnt from is what is used: the training pass gives the predictors' own logits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from medseg.models.description import describe
from medseg.models.sam2 import Prompt, load_sam2, segment_image, track
from medseg.models.sam2.pixels import normalise, squares_of_video
from medseg.models.sam2.trainable import PREPARATION, Sam2Shape, build_trainable

BOX = (16.0, 24.0, 60.0, 90.0)  # in the network's own square


@pytest.fixture(scope="module")
def learner(sam2):
    network = build_trainable(Sam2Shape(image_size=sam2.image_size))
    network.load_state_dict(sam2.network.state_dict())
    return network.eval()


@pytest.fixture
def squares(sam2, frames):
    """Frames of the network's own size, (1,T,3,S,S) as it is given them and (T,S,S,3) uint8."""
    shrunk = squares_of_video(frames[:5], sam2.image_size)
    return normalise(shrunk, torch.device("cpu"))[None], shrunk.permute(0, 2, 3, 1).numpy()


def test_one_picture_gives_the_image_predictors_logits(learner, sam2, squares):
    ready, pictures = squares
    with torch.no_grad():
        (outlines,) = learner(ready[:, :1], torch.tensor([BOX]))
    side = sam2.image_size
    whole = torch.nn.functional.interpolate(
        outlines.logits, size=(side, side), mode="bilinear", align_corners=False
    )
    theirs = segment_image(sam2, pictures[0], [Prompt("disc", box=BOX)])
    np.testing.assert_allclose(whole[0].numpy(), theirs.logits, rtol=0, atol=1e-4)
    assert outlines.overlap.item() == pytest.approx(float(theirs.score[0]), abs=1e-5)


def test_a_clip_gives_the_video_predictors_logits(learner, sam2, squares):
    ready, pictures = squares
    with torch.no_grad():
        found = learner(ready, torch.tensor([BOX]))
    assert len(found) == len(pictures)
    prompts = [Prompt("disc", box=BOX)]
    tracked = list(track(sam2, pictures, prompts, direction="forward", memory_dtype=torch.float32))
    for outlines, other in zip(found, tracked, strict=True):
        best = outlines.overlap[0].argmax()
        np.testing.assert_allclose(
            outlines.logits[0, best].numpy(), other.logits[0].numpy(), rtol=0, atol=1e-4
        )


def test_where_one_mask_was_trained_no_other_stands_in_for_it(learner, sam2, squares, tmp_path):
    """SAM 2 in use swaps a mask that wavers for one of three others; in training it does not."""
    given = squares[0][:, :1], torch.tensor([BOX])
    shape = Sam2Shape(image_size=sam2.image_size, single_mask=True)
    path = tmp_path / "weights.safetensors"
    wavering = {k: v.clone() for k, v in learner.state_dict().items()}
    for key in wavering:  # logits of the one mask near 0, neither inside nor outside
        if key.startswith("sam_mask_decoder.output_hypernetworks_mlps.0.layers.2."):
            wavering[key] *= 0.01
    save_file(wavering, path, metadata=describe("sam2", shape, PREPARATION))
    single, several = build_trainable(shape), build_trainable(replace(shape, single_mask=False))
    single.load_state_dict(wavering)
    several.load_state_dict(wavering)
    with torch.no_grad():
        (trained,) = single.train()(*given)
        (used,) = single.eval()(*given)
        (swapped,) = several.eval()(*given)
    assert torch.equal(used.logits, trained.logits)
    assert not torch.allclose(swapped.logits, trained.logits)
    found = segment_image(load_sam2(weights=path), squares[1][0], [Prompt("disc", box=BOX)])
    side = sam2.image_size
    whole = torch.nn.functional.interpolate(trained.logits, size=(side, side), mode="bilinear")
    np.testing.assert_allclose(whole[0].numpy(), found.logits, rtol=0, atol=1e-4)


def test_what_is_said_of_the_last_picture_teaches_the_memory(learner, squares):
    learner.zero_grad(set_to_none=True)
    found = learner(squares[0][:, :2], torch.tensor([BOX]))
    found[-1].logits.mean().backward()
    for part in ("image_encoder", "memory_encoder", "memory_attention", "sam_mask_decoder"):
        slopes = [p.grad for n, p in learner.named_parameters() if n.startswith(part)]
        assert any(slope is not None and slope.abs().max() > 0 for slope in slopes), part
    learner.zero_grad(set_to_none=True)
