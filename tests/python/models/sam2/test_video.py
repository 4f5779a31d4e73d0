from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from medseg.clip import clip_from_array
from medseg.errors import FrameNotDecoded, InputError
from medseg.models.sam2 import Prompt, track, track_in_order
from medseg.models.sam2.network import in_precision
from medseg.models.sam2.pixels import enlarge
from medseg.models.sam2.video import ClipRun

TOLERANCE = 1e-4  # of logits; the requirement


def ours(sam2, frames, prompts, direction, **options):
    height, width = frames.shape[1:3]
    return {
        tracked.frame: enlarge(tracked.logits, height, width).numpy()
        for tracked in track(sam2, frames, prompts, direction=direction, **options)
    }


def assert_same(own, theirs):
    assert set(own) == set(theirs)
    for frame, logits in theirs.items():
        np.testing.assert_allclose(own[frame], logits, rtol=0, atol=TOLERANCE)
    everything = np.stack([theirs[frame] for frame in sorted(theirs)])
    shares = (everything > 0).mean((2, 3))
    assert 0.02 < shares.mean() < 0.6  # the comparison is of masks that are there
    assert np.abs(np.diff(everything, axis=0)).max() > 100 * TOLERANCE  # and that move


def test_forward_gives_the_packages_logits_from_a_mask(sam2, frames, disc, package_track):
    prompts = [Prompt("disc", mask=disc)]
    assert_same(ours(sam2, frames, prompts, "forward"), package_track(frames, prompts))


def test_forward_gives_the_packages_logits_from_one_point(sam2, frames, package_track):
    prompts = [Prompt("disc", points=((20.0, 30.0),), labels=(1,))]
    assert_same(ours(sam2, frames, prompts, "forward"), package_track(frames, prompts))


def test_backward_gives_the_packages_logits(sam2, frames, package_track):
    prompts = [Prompt("disc", frame=len(frames) - 1, box=(32, 15, 62, 45))]
    theirs = package_track(frames, prompts, reverse=True)
    assert_same(ours(sam2, frames, prompts, "backward"), theirs)


def test_a_late_second_object_gives_the_packages_logits(sam2, frames, package_track, float_memory):
    prompts = [
        Prompt("disc", box=(5, 15, 35, 45)),
        Prompt("red", frame=5, points=((60, 25), (20, 30)), labels=(1, 0)),
    ]
    assert_same(ours(sam2, frames, prompts, "forward"), package_track(frames, prompts))


def test_objects_pointed_at_in_several_frames_give_the_packages_logits(
    sam2, frames, disc, package_track, float_memory
):
    prompts = [
        Prompt("disc", mask=disc),
        Prompt("disc", frame=6, points=((38, 30),), labels=(1,)),
        Prompt("red", frame=3, box=(50, 10, 70, 32)),
    ]
    assert_same(ours(sam2, frames, prompts, "forward"), package_track(frames, prompts))


def test_the_package_fails_where_an_object_is_only_pointed_at_later(frames, package_track):
    prompts = [
        Prompt("disc", box=(5, 15, 35, 45)),
        Prompt("red", frame=5, points=((60, 25),), labels=(1,)),
    ]
    with pytest.raises(RuntimeError, match="dtype"):  # the fault that ours does not have
        package_track(frames, prompts)


def test_a_correction_gives_the_packages_logits(sam2, frames, package, package_track, monkeypatch):
    first = Prompt("disc", points=((20, 30),), labels=(1,))
    mend = Prompt("disc", frame=5, points=((35, 30), (60, 10)), labels=(1, 0), correct=True)
    monkeypatch.setattr(package, "add_all_frames_to_correct_as_cond", True)
    state = package_track.begin(frames, [first])
    theirs = package_track.run(state, max_frame_num_to_track=5)
    uncorrected = theirs[5]
    package_track.point(state, mend)
    theirs |= package_track.run(state, start_frame_idx=5)
    assert np.abs(theirs[5] - uncorrected).max() > 100 * TOLERANCE
    assert_same(ours(sam2, frames, [first, mend], "forward"), theirs)


def test_both_goes_backwards_to_the_first_frame_and_forwards_to_the_last(
    sam2, frames, package_track
):
    prompts = [Prompt("disc", frame=4, box=(17, 15, 47, 45))]
    theirs = package_track(frames, prompts) | {
        frame: logits
        for frame, logits in package_track(frames, prompts, reverse=True).items()
        if frame < 4
    }
    assert_same(ours(sam2, frames, prompts, "both"), theirs)


def test_both_searches_each_frame_once_for_each_object(sam2, frames):
    prompts = [
        Prompt("disc", frame=2, box=(10, 15, 40, 45)),
        Prompt("red", frame=6, box=(50, 17, 70, 37)),
    ]
    seen = [
        (name, found.frame) for found in track(sam2, frames, prompts) for name in found.object_names
    ]
    assert sorted(seen) == sorted((name, i) for name in ("disc", "red") for i in range(10))


def test_in_order_gives_the_same_to_half_precision(sam2, frames):
    prompts = [
        Prompt("disc", frame=2, box=(10, 15, 40, 45)),
        Prompt("red", frame=6, box=(50, 17, 70, 37)),
    ]
    loose = {
        (found.frame, name): logits
        for found in track(sam2, frames, prompts)
        for name, logits in zip(found.object_names, found.logits, strict=True)
    }
    ordered = list(track_in_order(sam2, frames, prompts, frames_at_once=3))
    assert [found.frame for found in ordered] == list(range(10))
    for found in ordered:
        assert found.object_names == ("disc", "red")
        for name, logits in zip(found.object_names, found.logits, strict=True):
            torch.testing.assert_close(logits, loose[found.frame, name], rtol=1e-3, atol=1e-3)


def test_in_order_names_no_object_where_nothing_was_searched(sam2, frames):
    prompts = [Prompt("disc", frame=7, box=(10, 15, 40, 45))]
    found = list(track_in_order(sam2, frames, prompts, direction="forward"))
    assert [bool(tracked.object_names) for tracked in found] == [False] * 7 + [True] * 3


def test_what_is_kept_does_not_grow_with_the_clip(sam2, frames):
    long = np.concatenate([frames] * 4)
    prompts = [Prompt("disc", box=(5, 15, 35, 45)), Prompt("red", box=(50, 5, 70, 25))]
    run = ClipRun(sam2, clip_from_array(long), prompts, direction="forward")
    kept = [dict(run.tracker.kept()) for _ in run.forward()]
    # Two objects: 6 spatial memories and 15 pointers each, which is all that SAM 2 attends to.
    assert kept[-1] == {"prompted": 2, "spatial": 12, "pointer": 30}
    assert kept[20] == kept[-1]


def test_frames_are_read_a_few_at_a_time(sam2):
    biggest = 0
    frames = np.zeros((40, 1080, 8, 3), np.uint8)
    clip = clip_from_array(frames)
    read = clip.read

    def counting(start, stop):
        nonlocal biggest
        biggest = max(biggest, stop - start)
        return read(start, stop)

    object.__setattr__(clip, "read", counting)
    prompts = [Prompt("all", frame=2, points=((4, 500),), labels=(1,))]
    for found in track(sam2, clip, prompts, direction="forward"):
        if found.frame == 20:
            break
    assert biggest <= 16


def test_a_frame_that_cannot_be_decoded_is_passed_over(sam2, frames):
    clip = clip_from_array(frames)
    read = clip.read

    def broken(start, stop):
        if start <= 4 < stop:
            raise FrameNotDecoded("frame 4")
        return read(start, stop)

    object.__setattr__(clip, "read", broken)
    prompts = [Prompt("disc", box=(5, 15, 35, 45))]
    found = {t.frame: t for t in track(sam2, clip, prompts, direction="forward")}
    assert found[4].object_names == ()
    assert found[5].object_names == ("disc",)
    with pytest.raises(FrameNotDecoded, match="frame 4 cannot be decoded"):
        list(track(sam2, clip, [Prompt("disc", frame=4, box=(5, 15, 35, 45))]))


def test_no_such_direction(sam2, frames):
    with pytest.raises(InputError, match="no direction 'up'; choose forward, backward, both"):
        list(track(sam2, frames, [Prompt("disc", box=(5, 15, 35, 45))], direction="up"))


def test_bfloat16_gives_nearly_the_same_masks(sam2, frames):
    prompts = [Prompt("disc", box=(5, 15, 35, 45))]
    exact = ours(sam2, frames, prompts, "forward")
    network = in_precision(copy.deepcopy(sam2.network), torch.bfloat16)
    rough = replace(sam2, network=network, precision="bfloat16")
    low = ours(rough, frames, prompts, "forward")
    for frame, logits in exact.items():
        both = ((logits > 0) & (low[frame] > 0)).sum()
        assert 2 * both / ((logits > 0).sum() + (low[frame] > 0).sum()) > 0.9
