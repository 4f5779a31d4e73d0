"""Analytic shapes with closed-form areas, lengths and volumes, at many rotations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import skimage.draw

from medseg.geometry import (
    mask_area_px,
    measure_cavity,
    polygon_mask,
    touching_share,
)

Shape = Callable[[np.ndarray, np.ndarray], np.ndarray]
CENTRE = (56.3, 55.6)
ROTATIONS = range(0, 360, 11)


def draw(shape: Shape, degrees: float, *, aspect: float = 1.0) -> np.ndarray:
    """Rasterise shape(across, towards the base) turned clockwise about the frame's middle."""
    y, x = np.mgrid[: round(112 / aspect), :112].astype(float)
    dy, dx = y * aspect - CENTRE[0], x - CENTRE[1]
    a = np.deg2rad(degrees)
    return shape(np.cos(a) * dx + np.sin(a) * dy, -np.sin(a) * dx + np.cos(a) * dy)


def bullet(length: float, width: float) -> Shape:
    """Half an ellipse: tip at -length/2, flat base at +length/2."""
    return lambda u, v: (
        (v <= length / 2)
        & (v >= -length / 2)
        & ((2 * u / width) ** 2 + ((v - length / 2) / length) ** 2 <= 1)
    )


def ellipse(length: float, width: float) -> Shape:
    return lambda u, v: (2 * u / width) ** 2 + (2 * v / length) ** 2 <= 1


def rectangle(length: float, width: float) -> Shape:
    return lambda u, v: (np.abs(u) <= width / 2) & (np.abs(v) <= length / 2)


def disk_volume(cavity) -> float:
    return float(np.pi / 4 * cavity.long_axis_px / 20 * np.sum(cavity.disk_diameter_px**2))


def base_at(degrees: float, length: float) -> np.ndarray:
    a = np.deg2rad(degrees)
    return np.array([CENTRE[0] + np.cos(a) * length / 2, CENTRE[1] - np.sin(a) * length / 2])


@pytest.mark.parametrize("degrees", ROTATIONS)
@pytest.mark.parametrize(("length", "width"), [(60, 34), (50, 22), (40, 30)])
def test_half_ellipsoid_has_its_closed_form_area_length_and_volume(degrees, length, width):
    cavity = measure_cavity(draw(bullet(length, width), degrees))
    assert cavity.area_px == pytest.approx(np.pi / 4 * length * width, rel=0.01)
    assert cavity.long_axis_px == pytest.approx(length, rel=0.012)
    assert disk_volume(cavity) == pytest.approx(np.pi / 6 * width**2 * length, rel=0.025)


@pytest.mark.parametrize("degrees", ROTATIONS)
def test_the_mitral_plane_is_the_flat_end_however_the_picture_is_turned(degrees):
    cavity = measure_cavity(draw(bullet(60, 34), degrees))
    assert np.hypot(*(np.array(cavity.base) - base_at(degrees, 60))) < 1.0
    assert np.hypot(*(np.array(cavity.apex) - base_at(degrees + 180, 60))) < 1.5
    assert cavity.base_breadth > 0.9 > 0.5 > cavity.apex_breadth


@pytest.mark.parametrize("degrees", ROTATIONS)
def test_ellipse_volume_is_that_of_the_prolate_ellipsoid(degrees):
    cavity = measure_cavity(draw(ellipse(60, 34), degrees))
    assert cavity.area_px == pytest.approx(np.pi / 4 * 60 * 34, rel=0.01)
    assert cavity.long_axis_px == pytest.approx(60, rel=0.025)
    assert disk_volume(cavity) == pytest.approx(np.pi / 6 * 34**2 * 60, rel=0.015)


@pytest.mark.parametrize("degrees", ROTATIONS)
def test_rectangle_disks_are_all_as_broad_as_the_rectangle(degrees):
    cavity = measure_cavity(draw(rectangle(60, 30), degrees))
    assert cavity.long_axis_px == pytest.approx(60, rel=0.01)
    assert disk_volume(cavity) == pytest.approx(np.pi / 4 * 30**2 * 60, rel=0.03)
    assert cavity.disk_diameter_px[1:-1] == pytest.approx(np.full(18, 30.0), abs=0.7)


@pytest.mark.parametrize("degrees", range(0, 360, 30))
def test_tilted_mitral_plane_keeps_its_midpoint(degrees):
    tilt = np.tan(np.deg2rad(15))
    cut = lambda u, v: (  # noqa: E731
        ((u / 17) ** 2 + ((v - 10) / 40) ** 2 <= 1) & (v <= 30 + tilt * u)
    )
    cavity = measure_cavity(draw(cut, degrees))
    assert cavity.long_axis_px == pytest.approx(59.75, rel=0.015)  # tip to the chord's middle


def test_disks_run_from_the_apex_to_the_mitral_plane():
    cavity = measure_cavity(draw(bullet(60, 34), 20))
    assert cavity.disk_diameter_px.shape == (20,)
    assert np.all(np.diff(cavity.disk_diameter_px) > -0.5)
    s = (np.arange(20) + 0.5) / 20
    expected = 34 * np.sqrt(1 - (1 - s) ** 2)
    assert cavity.disk_diameter_px == pytest.approx(expected, abs=0.8)


@pytest.mark.parametrize("aspect", [0.75, 1.3])
@pytest.mark.parametrize("degrees", [0, 20, 45, 90])
def test_oblong_pixels_give_the_same_measures_in_column_pixels(aspect, degrees):
    cavity = measure_cavity(draw(bullet(60, 34), degrees, aspect=aspect), pixel_aspect=aspect)
    assert cavity.area_px == pytest.approx(np.pi / 4 * 60 * 34, rel=0.01)
    assert cavity.long_axis_px == pytest.approx(60, rel=0.015)
    assert disk_volume(cavity) == pytest.approx(np.pi / 6 * 34**2 * 60, rel=0.02)


def test_where_both_ends_are_alike_the_probe_decides_which_is_the_apex():
    mask = draw(ellipse(60, 30), 0)
    above = measure_cavity(mask, apex_hint=(-1.0, 0.0))
    below = measure_cavity(mask, apex_hint=(1.0, 0.0))
    assert above.apex[0] < above.base[0]
    assert below.apex[0] > below.base[0]


def test_a_flat_end_outweighs_the_probe():
    cavity = measure_cavity(draw(bullet(60, 34), 180), apex_hint=(-1.0, 0.0))
    assert cavity.apex[0] > cavity.base[0]


def test_a_few_pixels_have_no_axis_and_a_thin_line_still_has_finite_measures():
    speck = np.zeros((20, 20), bool)
    speck[3:5, 3:8] = True
    assert measure_cavity(speck) is None
    line = np.zeros((40, 40), bool)
    line[20, 5:35] = True
    cavity = measure_cavity(line)
    assert cavity.long_axis_px == pytest.approx(30, rel=0.05)
    assert np.all(np.isfinite(cavity.disk_diameter_px))


def test_solidity_falls_when_a_bite_is_taken():
    mask = draw(bullet(60, 34), 0)
    whole = measure_cavity(mask).solidity
    mask[40:70, 56:64] = False
    mask[40:70, 64:] = False
    assert whole > 0.93
    assert measure_cavity(mask).solidity < 0.85


def test_ten_by_ten_pixels_are_one_hundred_square_pixels():
    mask = np.zeros((20, 30), bool)
    mask[5:15, 5:15] = True
    assert mask_area_px(mask) == 100.0
    assert mask_area_px(mask, pixel_aspect=1.5) == 150.0


def test_touching_share_counts_the_side_that_lies_on_the_sectors_edge():
    inside = np.zeros((40, 40), bool)
    inside[5:35, 5:35] = True
    mask = np.zeros_like(inside)
    mask[5:15, 10:20] = True  # its upper ten of thirty-six edge pixels
    assert touching_share(mask, inside) == pytest.approx(10 / 36)
    assert touching_share(np.roll(mask, 5, axis=0), inside) == 0.0
    assert touching_share(np.roll(mask, 2, axis=0), inside, within_px=2) == 0.0
    assert touching_share(np.roll(mask, 2, axis=0), inside, within_px=3) > 0.25
    assert touching_share(np.ones((8, 8), bool), np.ones((8, 8), bool)) == 1.0


def test_polygon_of_half_pixel_corners_is_exactly_its_pixels():
    mask = polygon_mask(np.array([1.5, 1.5, 5.5, 5.5]), np.array([2.5, 7.5, 7.5, 2.5]), (10, 12))
    expected = np.zeros((10, 12), bool)
    expected[2:6, 3:8] = True
    assert np.array_equal(mask, expected)


def test_polygon_agrees_with_scikit_image_but_for_the_edge():
    rng = np.random.default_rng(3)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 40))
    rows, columns = 50 + 30 * np.sin(angle), 55 + 18 * np.cos(angle)
    theirs = np.zeros((112, 112), bool)
    theirs[skimage.draw.polygon(rows, columns, (112, 112))] = True
    assert np.count_nonzero(theirs ^ polygon_mask(rows, columns, (112, 112))) <= 2
