"""Distances of outlines whose geometry is known, and those of MONAI."""

from __future__ import annotations

import numpy as np
import pytest

from medseg.metrics import outline, surface_distances

Y, X = np.mgrid[:112, :112]


def disk(radius: float, *, x: float = 56.0, y: float = 56.0) -> np.ndarray:
    return ((X - x) ** 2 + (Y - y) ** 2 <= radius**2)[None]


def square(side: int, *, x: int = 20, y: int = 20) -> np.ndarray:
    mask = np.zeros((1, 112, 112), bool)
    mask[0, y : y + side, x : x + side] = True
    return mask


def test_a_square_moved_by_three_pixels():
    # Of the outline's 36 pixels, 14 lie on the other outline, 4 at distance 1, 4 at 2 and 14 at 3.
    found = surface_distances(square(10), square(10, x=23), tolerances_px=(0, 1, 2, 3))
    assert outline(square(10)[0]).sum() == 36
    assert found.assd_px[0] == pytest.approx(54 / 36)
    assert found.hd95_px[0] == pytest.approx(3.0)
    assert found.surface_dice[:, 0] == pytest.approx([14 / 36, 18 / 36, 22 / 36, 1.0])


def test_circles_with_one_centre_are_apart_by_the_difference_of_radii():
    found = surface_distances(disk(30), disk(35), tolerances_px=(4.0, 6.0))
    assert found.assd_px[0] == pytest.approx(5.0, abs=0.3)
    assert found.hd95_px[0] == pytest.approx(5.0, abs=0.5)
    assert found.surface_dice[:, 0].tolist() == [0.0, 1.0]


def test_a_circle_moved_by_six_pixels_is_off_by_six_times_the_cosine():
    found = surface_distances(disk(40), disk(40, x=62))
    assert found.assd_px[0] == pytest.approx(6 * 2 / np.pi, abs=0.25)  # mean |cos| is 2 / pi
    assert found.hd95_px[0] == pytest.approx(6 * np.cos(0.05 * np.pi / 2), abs=0.2)


def test_the_larger_direction_decides_hd95():
    # A speck far away from the truth is a far outline for the one direction only.
    truth = disk(20, x=40)
    mask = truth | disk(12, x=95)
    far = surface_distances(mask, truth).hd95_px[0]
    assert far > 30
    assert surface_distances(truth, mask).hd95_px[0] == far


def test_rows_that_are_further_apart_than_columns_count_for_more():
    found = surface_distances(square(1), square(1, y=22), tolerances_px=(2.9, 3.0),
                              pixel_aspect=1.5)  # fmt: skip
    assert found.assd_px[0] == pytest.approx(3.0)
    assert found.surface_dice[:, 0].tolist() == [0.0, 1.0]
    sideways = surface_distances(square(1), square(1, x=22), pixel_aspect=1.5)
    assert sideways.assd_px[0] == pytest.approx(2.0)


def test_a_mask_cut_by_the_picture_has_an_outline_there():
    edge = outline(square(112, x=0, y=0)[0])
    assert edge.sum() == 4 * 111


def test_an_empty_mask_has_no_distance_and_no_surface_dice():
    none = np.zeros((1, 112, 112), bool)
    missed = surface_distances(np.concatenate([none, none, disk(9)]),
                               np.concatenate([disk(9), none, disk(9)]))  # fmt: skip
    assert np.isnan(missed.hd95_px[:2]).all()
    assert np.isnan(missed.assd_px[:2]).all()
    assert missed.surface_dice[0, 0] == 0.0
    assert np.isnan(missed.surface_dice[0, 1])
    assert missed.one_empty.tolist() == [True, False, False]
    assert missed.hd95_px[2] == missed.assd_px[2] == 0.0
    assert missed.at(np.array([2])).surface_dice.tolist() == [[1.0]]


def test_masks_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(1, 4, 4\)"):
        surface_distances(np.zeros((1, 4, 4), bool), np.zeros((1, 5, 4), bool))


def test_the_distances_are_those_of_monai():
    """Frozen from MONAI 1.6.1, whose import alone takes seconds.

    compute_hausdorff_distance(percentile=95), compute_average_surface_distance(symmetric=True) and
    compute_surface_dice(class_thresholds=[2.0]), without use_subvoxels.
    """
    wavy = (32 + 4 * np.cos(5 * np.arctan2(Y - 56, X - 56))) ** 2 >= (X - 56) ** 2 + (Y - 56) ** 2
    ours = [wavy[None], disk(30) | disk(9, x=88), disk(30) & ~disk(8), disk(40, x=100),
            square(30) | disk(5, x=100, y=100)]  # fmt: skip
    theirs = [disk(31, x=58), disk(31, x=58, y=54), disk(28), disk(38, x=104),
              square(24, x=28, y=31)]  # fmt: skip
    found = surface_distances(np.concatenate(ours), np.concatenate(theirs), tolerances_px=(2.0,))
    assert found.hd95_px == pytest.approx([5.95435, 6.98541, 19.0, 6.0, 70.53312], abs=1e-5)
    assert found.assd_px == pytest.approx([2.55316, 2.07381, 4.12393, 2.53006, 13.30633], abs=1e-5)
    near = [0.47283, 0.63559, 0.66667, 0.51485, 0.22881]
    assert found.surface_dice[0] == pytest.approx(near, abs=1e-5)


def test_the_largest_distance_is_that_of_scikit_image():
    from skimage.metrics import hausdorff_distance

    a, b = disk(20, x=40) | disk(6, x=80), disk(22, x=43)
    edges = outline(a[0]), outline(b[0])
    farthest = hausdorff_distance(*edges)
    within = surface_distances(a, b, tolerances_px=(farthest, farthest - 0.01)).surface_dice[:, 0]
    assert within[0] == 1.0
    assert within[1] < 1.0
