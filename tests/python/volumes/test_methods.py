from __future__ import annotations

import numpy as np
import pytest

from medseg.data.volumes import Box, boxes_of
from medseg.errors import InputError
from medseg.volumes import RegionPredictor, segment_slices
from medseg.volumes.methods import key_box, largest_part, shifted_boxes, widened_box


def test_the_box_is_handed_on_from_slice_to_slice(bright, leaning):
    values, truth = leaning
    box = key_box(truth, boxes_of(truth)[0])
    assert (box.x0, box.x1, box.middle) == (14, 23, 7)  # the middle slice's own
    labels = segment_slices(bright, values, [box], method="handover")
    assert np.array_equal(labels, truth)  # it leaves the first box, but never the next by 5 px
    assert bright.boxes[1].x0 == 14 - 5  # the mask's box, widened
    assert len(bright.boxes) == 10


def test_a_lost_object_is_looked_for_in_the_first_box_again():
    box = Box(1, 10, 10, 20, 20, 0, 5)
    assert widened_box(np.zeros((40, 50), bool), box) == box
    mask = np.zeros((40, 50), bool)
    mask[2:4, 47:50] = True
    assert widened_box(mask, box) == Box(1, 42, 0, 49, 8, 0, 5)  # stays in the picture


def test_the_memory_sees_only_the_objects_slices_and_its_key(bright, leaning):
    values, truth = leaning
    labels = segment_slices(bright, values, [key_box(truth, boxes_of(truth)[0])], method="memory")
    assert np.array_equal(labels, truth)
    assert bright.asked == [(10, [5])]  # slices 2 to 11, prompted on slice 7


def test_another_slice_can_be_prompted(bright, leaning):
    values, truth = leaning
    box = key_box(truth, boxes_of(truth)[0], 3)
    labels = segment_slices(bright, values, [box], method="memory", key_slices={7: 3})
    assert np.array_equal(labels, truth)
    assert bright.asked == [(10, [1])]
    with pytest.raises(InputError, match="slice 12 of label 7 is outside its slices 2 to 11"):
        segment_slices(bright, values, [box], key_slices={7: 12})


def test_every_slice_by_its_own_box_needs_the_truth(bright, leaning):
    values, truth = leaning
    boxes = boxes_of(truth)
    labels = segment_slices(bright, values, boxes, method="slices", truth=truth)
    assert np.array_equal(labels, truth)
    assert {b.x1 - b.x0 for b in bright.boxes} == {9}
    with pytest.raises(InputError, match="give --truth"):
        segment_slices(bright, values, boxes, method="slices")


def test_a_baseline_has_no_memory(leaning):
    values, truth = leaning
    with pytest.raises(InputError, match="has no memory module: choose --method handover"):
        segment_slices(RegionPredictor(), values, boxes_of(truth), method="memory")


def test_the_first_label_keeps_what_two_want(bright, leaning):
    values, truth = leaning
    box = key_box(truth, boxes_of(truth)[0])
    other = Box(9, box.x0, box.y0, box.x1, box.y1, box.z0, box.z1)
    labels = segment_slices(bright, values, [box, other], method="handover")
    assert np.unique(labels).tolist() == [0, 7]


def test_only_the_largest_part_is_kept():
    mask = np.zeros((3, 9, 9), bool)
    mask[:, :4, :4], mask[0, 7:, 7:] = True, True
    assert np.count_nonzero(largest_part(mask)) == 48
    assert not largest_part(np.zeros((2, 2, 2), bool)).any()


def test_boxes_as_a_person_draws_them():
    box = Box(1, 10, 10, 20, 20, 0, 5)
    moved = shifted_boxes([box] * 200, (5, 40, 22), shift_px=5, seed=1)
    assert moved == shifted_boxes([box] * 200, (5, 40, 22), shift_px=5, seed=1)
    assert {b.x0 for b in moved} == {5, 6, 7, 8, 9, 10}
    assert {b.x1 for b in moved} == {20, 21}  # the picture ends there
    assert {b.y1 for b in moved} == {20, 21, 22, 23, 24, 25}
    assert shifted_boxes([box], (5, 40, 22), shift_px=0, seed=1) == [box]


def test_the_baseline_finds_a_disk_in_its_box():
    y, x = np.mgrid[:60, :60]
    disk = (y - 30) ** 2 + (x - 30) ** 2 <= 144
    noise = np.random.default_rng(0).normal(0, 6, disk.shape)
    picture = np.clip(np.where(disk, 150, 60) + noise, 0, 255).astype(np.uint8)
    (mask,) = RegionPredictor().segment(picture, [Box(1, 15, 15, 45, 45, 0, 1)])
    assert 2 * (mask & disk).sum() / (mask.sum() + disk.sum()) > 0.93
