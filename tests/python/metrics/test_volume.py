from __future__ import annotations

import numpy as np
import pytest

from medseg.metrics.volume import _codes, element_areas, volume_dsc, volume_nsd


def box(shape, corner, size):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(c, c + s) for c, s in zip(corner, size, strict=True))] = True
    return mask


def ball(radius, shape=(41, 41, 41), spacing=(1.0, 1.0, 1.0)):
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    return (
        sum(((g - (n - 1) / 2) * s) ** 2 for g, n, s in zip(grid, shape, spacing, strict=True))
        <= radius**2
    )


def test_dsc_of_known_shares():
    a, b = box((4, 4, 4), (0, 0, 0), (2, 4, 4)), box((4, 4, 4), (1, 0, 0), (2, 4, 4))
    assert volume_dsc(a, b) == 0.5
    assert volume_dsc(a, a) == 1


def test_empty_masks_are_the_studys():
    empty, full = np.zeros((3, 3, 3), bool), np.ones((3, 3, 3), bool)
    how = {"spacing_mm": (1.0, 1.0, 1.0), "tolerance_mm": 2.0}
    assert volume_dsc(empty, empty) == volume_nsd(empty, empty, **how) == 1
    for mask, truth in ((full, empty), (empty, full)):
        assert volume_dsc(mask, truth) == volume_nsd(mask, truth, **how) == 0


def test_a_box_has_the_surface_of_its_chamfered_shape():
    # through the middles of the edges: flat faces, chamfers of width 1/sqrt 2, cut-off corners
    a, b, c = 4, 6, 9
    faces = 2 * ((a - 1) * (b - 1) + (b - 1) * (c - 1) + (a - 1) * (c - 1))
    edges = 4 * ((a - 1) + (b - 1) + (c - 1)) * np.sqrt(0.5)
    corners = 8 * np.sqrt(3) / 8
    codes = _codes(box((12, 12, 12), (1, 1, 1), (a, b, c)))
    assert element_areas((1.0, 1.0, 1.0))[codes].sum() == pytest.approx(faces + edges + corners)


def test_a_face_has_its_area_in_square_millimetres():
    codes = _codes(box((3, 40, 40), (0, 0, 0), (2, 40, 40)))
    inner = element_areas((5.0, 0.5, 2.0))[codes[2, 1:-1, 1:-1]]
    assert inner.tolist() == np.full(inner.shape, 0.5 * 2.0).tolist()


def test_a_square_has_the_contour_of_its_chamfered_shape():
    codes = _codes(box((9, 9), (2, 2), (3, 5)))
    expected = 2 * (2 * 1.5 + 4 * 1.0) + 4 * 0.5 * np.hypot(1.5, 1.0)
    assert element_areas((1.5, 1.0))[codes].sum() == pytest.approx(expected)


def test_a_mask_has_the_same_surface_as_its_background():
    areas = element_areas((3.0, 1.0, 1.5))
    assert areas[0] == areas[255] == 0
    assert (areas[1:-1] > 0).all()
    for corner in range(8):  # one corner in, or all but one
        assert areas[1 << corner] == pytest.approx(areas[255 - (1 << corner)])


@pytest.mark.parametrize(("tolerance", "expected"), [(1.9, 0.0), (2.1, 1.0)])
def test_nsd_of_a_plane_moved_by_two_millimetres(tolerance, expected):
    # planes across the whole array: only their faces count once the rims are cut off
    a, b = box((30, 80, 80), (0, 0, 0), (10, 80, 80)), box((30, 80, 80), (0, 0, 0), (12, 80, 80))
    nsd = volume_nsd(a, b, spacing_mm=(1.0, 1.0, 1.0), tolerance_mm=tolerance)
    face = 2 * 79 * 79  # of each mask; the lower ones are the same plane
    if expected == 1:
        assert nsd == 1
    else:
        moved, total = 79 * 79, 79 * 79 * 2 + 4 * 79 * 10.5
        assert nsd == pytest.approx(1 - moved / total, abs=0.02)
        assert face > moved


def test_nsd_counts_millimetres_not_voxels():
    a, b = box((30, 20, 20), (5, 5, 5), (10, 9, 9)), box((30, 20, 20), (6, 5, 5), (10, 9, 9))
    assert volume_nsd(a, b, spacing_mm=(5.0, 1.0, 1.0), tolerance_mm=5.0) == 1
    assert volume_nsd(a, b, spacing_mm=(5.0, 1.0, 1.0), tolerance_mm=4.9) < 1
    assert volume_nsd(a, b, spacing_mm=(1.0, 1.0, 1.0), tolerance_mm=1.0) == 1


@pytest.mark.parametrize(("tolerance", "low", "high"), [(2.0, 0.0, 0.02), (4.2, 1.0, 1.0)])
def test_nsd_of_concentric_balls(tolerance, low, high):
    nsd = volume_nsd(ball(12), ball(15.3), spacing_mm=(1.0, 1.0, 1.0), tolerance_mm=tolerance)
    assert low <= nsd <= high


def test_nsd_does_not_depend_on_which_mask_is_the_truth():
    a, b = ball(9), box((41, 41, 41), (10, 12, 14), (20, 20, 20))
    how = {"spacing_mm": (2.0, 1.0, 1.0), "tolerance_mm": 2.0}
    assert volume_nsd(a, b, **how) == pytest.approx(volume_nsd(b, a, **how))


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="cannot be compared"):
        volume_dsc(np.zeros((2, 2), bool), np.zeros((3, 2), bool))
