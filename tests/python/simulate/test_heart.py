"""The simulated heart obeys geometry and physiology."""

from dataclasses import replace

import numpy as np
import pytest

from medseg.simulate.heart import (
    Bulge,
    cavity_polygon,
    disk_volume_ml,
    draw_heart,
    long_axis,
    outlines,
    polygon_area,
)


def half_ellipse(length: float, radius: float, n: int = 400) -> np.ndarray:
    angle = np.linspace(0, np.pi, n)
    return np.stack([-radius * np.cos(angle), length * (1 - np.sin(angle))], axis=1)


def test_a_half_ellipsoid_has_its_textbook_area_axis_and_volume():
    outline = half_ellipse(8.0, 2.5)
    base, apex = long_axis(outline)
    assert np.linalg.norm(base - apex) == pytest.approx(8.0, rel=1e-3)
    assert polygon_area(outline) == pytest.approx(np.pi * 8.0 * 2.5 / 2, rel=1e-3)
    assert disk_volume_ml(outline) == pytest.approx(2 / 3 * np.pi * 2.5**2 * 8.0, rel=5e-3)


@pytest.mark.parametrize("seed", range(12))
def test_the_cavity_s_volume_follows_the_relative_volume(seed):
    heart = draw_heart(np.random.default_rng(seed))
    if heart.regional[2]:  # a segment that does not move ejects less
        return
    whole = disk_volume_ml(cavity_polygon(heart, 1.0))
    assert 20 < whole < 600  # mL, from a small heart to a failing one
    assert disk_volume_ml(cavity_polygon(heart, 0.4)) / whole == pytest.approx(0.4, abs=0.035)


@pytest.mark.parametrize("seed", range(6))
def test_in_systole_the_base_descends_and_the_wall_thickens(seed):
    heart = draw_heart(np.random.default_rng(seed))
    wide, narrow = outlines(heart, 1.0, 0.0), outlines(heart, 0.45, 0.0)
    assert narrow.septal_hinge[1] < wide.septal_hinge[1]
    assert narrow.wall_septal > 1.1 * wide.wall_septal


def test_leaflets_meet_when_shut_and_part_when_open():
    heart = draw_heart(np.random.default_rng(1))
    shut, opened = outlines(heart, 1.0, 0.0), outlines(heart, 1.0, 1.0)
    gap = [np.linalg.norm(o.leaflets[0][-1] - o.leaflets[1][-1]) for o in (shut, opened)]
    assert gap[0] < 0.05
    assert gap[1] > 1.0
    annulus_y = min(opened.septal_hinge[1], opened.lateral_hinge[1])
    assert opened.leaflets[0][-1][1] < annulus_y - 0.5  # the tip points to the apex


def test_only_four_chamber_views_show_the_right_heart():
    rng = np.random.default_rng(2)
    four, two = draw_heart(rng, view="A4C"), draw_heart(rng, view="A2C")
    assert outlines(four, 1.0, 0.0).right_ventricle is not None
    assert outlines(two, 1.0, 0.0).right_ventricle is None


def test_a_bulge_takes_its_share_of_the_half_width_from_the_cavity_and_gives_it_to_the_muscle():
    heart = replace(
        draw_heart(np.random.default_rng(3)), bulge=Bulge(-1.0, 0.5, 0.15, 0.3), bend=0.0
    )
    frame = outlines(heart, 1.0, 0.0)
    n = len(frame.left_ventricle) // 2
    septal, smooth = frame.left_ventricle[:n], frame.unbulged[:n]
    at = int(np.argmin(np.abs(smooth[:, 1] - 0.5 * heart.length)))
    assert septal[at, 0] / smooth[at, 0] == pytest.approx(0.7, abs=0.01)
    np.testing.assert_array_equal(frame.left_ventricle[n:], frame.unbulged[n:])


def test_an_atrium_is_smallest_when_the_ventricle_is_full():
    heart = replace(
        draw_heart(np.random.default_rng(4)), atrial_emptying=0.5, left_atrium_length=4.0
    )
    full, emptied = (outlines(heart, volume, 1.0).left_atrium for volume in (1.0, 0.4))
    assert full[:, 1].max() == pytest.approx(heart.length + 0.5 * 4.0, abs=0.1)
    assert polygon_area(emptied) > 1.4 * polygon_area(full)
