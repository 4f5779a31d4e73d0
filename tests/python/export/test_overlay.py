"""The overlay shows the outline, the curve and where the cursor is, at the clip's own rate."""

from __future__ import annotations

from dataclasses import replace

import av
import numpy as np
import pytest

from medseg.clip import clip_from_array
from medseg.errors import FrameNotDecoded, OutputError
from medseg.export.overlay import (
    CURSOR,
    OBJECTS,
    OUTLINE,
    draw_outlines,
    layout_for,
    outline,
    overlay_pictures,
    write_overlay,
)
from medseg.segmentation import segment


def coloured(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (picture == np.array(colour, np.uint8)).all(axis=-1)


@pytest.mark.parametrize(
    ("size", "scale"), [((112, 112), 3), ((240, 320), 2), ((480, 640), 1), ((97, 63), 4)]
)
def test_small_clips_are_enlarged_to_a_readable_even_size(size, scale):
    layout = layout_for(*size)
    assert layout.scale == scale
    assert layout.width % 2 == layout.height % 2 == 0
    assert layout.width >= 360
    assert layout.frame_height == size[0] * scale


def test_the_outline_is_the_rim_of_the_mask(beating_clip, thresholder):
    clip, truth = beating_clip
    pictures = np.concatenate(list(overlay_pictures(clip, segment(clip, thresholder))))
    assert len(pictures) == clip.frame_count
    for i in (0, 40):
        drawn = coloured(pictures[i][:336, 12:348], OUTLINE[0])  # 336 pixels amid 360
        large = np.kron(truth[i], np.ones((3, 3), bool))
        rows, columns = np.nonzero(drawn)
        true_rows, true_columns = np.nonzero(large)
        for got, want in ((rows, true_rows), (columns, true_columns)):
            assert abs(got.min() - want.min()) <= 3
            assert abs(got.max() - want.max()) <= 3
        assert not drawn[tuple(np.argwhere(large).mean(axis=0).astype(int))]


def test_the_cursor_moves_with_time(beating_clip, thresholder):
    clip, _ = beating_clip
    pictures = np.concatenate(list(overlay_pictures(clip, segment(clip, thresholder))))
    where = [
        np.median(np.nonzero(coloured(p[336 + 40 :, :], CURSOR))[1]) for p in pictures[[0, 50, 99]]
    ]
    assert where[0] < 70
    assert where[1] == pytest.approx((where[0] + where[2]) / 2, abs=3)
    assert where[2] > 335


def test_what_is_not_measurable_is_drawn_grey(beating_clip, make_thresholder):
    clip, _ = beating_clip
    picture = next(overlay_pictures(clip, segment(clip, make_thresholder(certain=0.55))))[0]
    assert coloured(picture, OUTLINE[4]).any()
    assert not coloured(picture[:336], OUTLINE[0]).any()


@pytest.mark.parametrize("suffix", ["mp4", "avi"])
def test_the_video_has_the_clips_own_rate_and_length(beating_clip, thresholder, tmp_path, suffix):
    frames = beating_clip[0].read(0, 24)
    clip = clip_from_array(frames, name="slow", frame_rate_hz=31.25)
    path = tmp_path / f"slow.{suffix}"
    steps = []
    write_overlay(path, clip, segment(clip, thresholder), progress=lambda *s: steps.append(s))
    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        assert float(stream.average_rate) == pytest.approx(31.25)
        assert sum(1 for _ in video.decode(stream)) == 24
    assert steps[-1] == (24, 24)


def test_a_single_or_damaged_frame_is_still_shown(beating_clip, thresholder, tmp_path):
    clip, _ = beating_clip
    single = clip_from_array(clip.read(0, 1), name="one")
    write_overlay(tmp_path / "one.mp4", single, segment(single, thresholder))

    def read(start, stop):
        if start <= 3 < stop:
            raise FrameNotDecoded("frame 3")
        return clip.read(start, stop)

    damaged = replace(clip, read=read)
    pictures = np.concatenate(list(overlay_pictures(damaged, segment(damaged, thresholder))))
    assert len(pictures) == clip.frame_count
    assert pictures[3][:336, 12:348].max() == 0
    assert pictures[4][:336, 12:348].max() > 100


def test_an_existing_video_is_kept_unless_told_otherwise(beating_clip, thresholder, tmp_path):
    clip = clip_from_array(beating_clip[0].read(0, 6), frame_rate_hz=50.0)
    ds = segment(clip, thresholder)
    path = tmp_path / "x.mp4"
    path.write_bytes(b"mine")
    with pytest.raises(OutputError):
        write_overlay(path, clip, ds)
    assert path.read_bytes() == b"mine"
    write_overlay(path, clip, ds, overwrite=True)
    assert path.stat().st_size > 1000


def test_the_rim_of_a_square_is_its_border():
    mask = np.zeros((12, 12), np.uint8)
    mask[3:9, 3:9] = 1
    assert outline(mask, 1).sum() == 20
    assert not outline(np.zeros((5, 5), np.uint8), 4).any()


def test_several_objects_have_a_colour_each_and_the_unsure_one_is_grey():
    masks = np.zeros((3, 40, 60), np.uint8)
    for i in range(3):
        masks[i, 5:20, 4 + 18 * i : 16 + 18 * i] = 1
    frame = np.zeros((40, 60, 3), np.uint8)
    shown = draw_outlines(frame, masks, np.array([0, 3, 4]), 1)
    for i, colour in enumerate((OBJECTS[0], OBJECTS[1], OUTLINE[4])):
        drawn = coloured(shown, colour)
        assert drawn[5, 4 + 18 * i : 16 + 18 * i].all() and drawn.sum() == 2 * (15 + 12) - 4
    alone = draw_outlines(frame, masks[1:2], np.array([3]), 1)
    assert coloured(alone, OUTLINE[3]).any()  # a single ventricle's colour tells that it is cut


def test_outlines_of_large_frames_can_be_seen():
    mask = np.zeros((1, 1080, 1920), np.uint8)
    mask[0, 200:400, 300:600] = 1
    shown = draw_outlines(np.zeros((1080, 1920, 3), np.uint8), mask, np.array([0]), 1)
    assert coloured(shown, OUTLINE[0])[300].sum() == 2 * 3


def test_random_weights_are_stamped_even_where_nothing_can_be_measured(
    beating_clip, make_thresholder
):
    clip, _ = beating_clip
    ds = segment(clip, make_thresholder(certain=0.55))
    use = "none: the weights are random, so the masks mean nothing"
    ds.attrs["model"] = ds.attrs["model"] | {"intended_use": use}
    plain = next(overlay_pictures(clip, ds))[0, -46:]  # says that nothing can be measured
    ds.attrs["model"] = ds.attrs["model"] | {"training_data": "random weights"}
    stamped = next(overlay_pictures(clip, ds))[0, -46:]
    ds.attrs["quality"]["left_ventricle"] = {"measurable": True, "reasons": []}
    again = next(overlay_pictures(clip, ds))[0, -46:]
    assert not np.array_equal(plain, stamped)
    assert np.array_equal(stamped, again)  # the same words in the same colour, come what may
    redder = stamped[..., 0].astype(int) - stamped[..., 2]
    assert (redder > 60).sum() > 50
