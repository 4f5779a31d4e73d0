from __future__ import annotations

import numpy as np
import pytest

from medseg.errors import InputError
from medseg.models.sam2 import Prompt, Stream, track


def test_a_stream_finds_what_a_long_clip_does(sam2, frames):
    long = np.concatenate([frames, frames[::-1]])  # 20 frames: no pointer's age is scaled
    prompts = [Prompt("disc", box=(5, 15, 35, 45))]
    clip = list(track(sam2, long, prompts, direction="forward"))
    stream = Stream(sam2)
    for i, frame in enumerate(long):
        found = stream.push(frame, prompts if i == 0 else ())
        np.testing.assert_allclose(found.logits, clip[i].logits, rtol=0, atol=1e-4)


def test_objects_come_and_go(sam2, frames):
    stream = Stream(sam2)
    assert stream.push(frames[0]).object_names == ()
    disc = Prompt("disc", box=(5, 15, 35, 45))
    assert stream.push(frames[1], [disc]).object_names == ("disc",)
    red = Prompt("red", points=((60, 19),), labels=(1,))
    assert stream.push(frames[2], [red]).object_names == ("disc", "red")
    stream.forget("disc")
    assert stream.push(frames[3]).object_names == ("red",)


def test_a_correction_changes_what_follows_and_is_remembered_boundedly(sam2, frames):
    start = Prompt("disc", points=((20, 30),), labels=(1,))
    plain, mended = Stream(sam2, most_prompted=3), Stream(sam2, most_prompted=3)
    for i, frame in enumerate(frames):
        first = [start] if i == 0 else []
        mend = [Prompt("disc", points=((60, 10),), labels=(0,))] if i > 2 else []
        a, b = plain.push(frame, first), mended.push(frame, first + mend)
    assert float((a.logits - b.logits).abs().max()) > 0.01
    assert sorted(mended._tracker.objects["disc"].prompted) == [0, 8, 9]


def test_a_frame_of_another_size_is_refused(sam2, frames):
    stream = Stream(sam2)
    stream.push(frames[0])
    with pytest.raises(InputError, match="40 x 60 pixels, the ones before 80 x 60"):
        stream.push(frames[0][:, :40])


def test_a_prompt_outside_the_frame_is_refused(sam2, frames):
    with pytest.raises(InputError, match=r"point \(90, 10\) lies outside the frame of 80 x 60"):
        Stream(sam2).push(frames[0], [Prompt("disc", points=((90, 10),), labels=(1,))])
