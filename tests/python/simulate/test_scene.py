"""Masks, tracings and truth of a scene agree with each other and with its plan."""

from dataclasses import replace

import numpy as np
import pytest

from medseg.geometry import polygon_mask
from medseg.simulate import heart, scene, tissue
from medseg.simulate.examination import Plan, gather_truth, prepare, render
from medseg.simulate.tracing import tracing_rows


@pytest.fixture(scope="module")
def examination():
    plan = Plan(
        name="one", seed=5, view="A4C", kind="sinus", heart_rate_bpm=75.0, ejection_fraction=0.6,
        frame_rate_hz=30.0, duration_s=1.8,
    )  # fmt: skip
    prepared = prepare(plan)
    pairs = list(render(prepared))
    return prepared, pairs, gather_truth(prepared, [frame for _, frame in pairs])


def test_a_rasterised_square_counts_the_pixel_centres_inside():
    square = np.array([[2.6, 3.6], [12.4, 3.6], [12.4, 9.4], [2.6, 9.4]])
    mask = scene.rasterise(square, (20, 30))
    assert mask.sum() == 10 * 6
    assert mask[4:10, 3:13].all()


def test_mask_area_times_spacing_is_the_outline_s_area(examination):
    _, _, truth = examination
    area_cm2 = truth.mask.sum((1, 2)) * truth.spacing_cm[0] * truth.spacing_cm[1]
    np.testing.assert_allclose(area_cm2, truth.area_cm2, rtol=0.03)


def test_truth_keeps_the_plan_s_rate_and_ejection_fraction(examination):
    _, _, truth = examination
    assert len(truth.ef_percent) >= 1
    assert truth.ef_percent.mean() == pytest.approx(60, abs=5)
    assert truth.heart_rate_bpm == pytest.approx(75, rel=0.05)


def test_area_is_smallest_at_the_stated_end_systole(examination):
    _, _, truth = examination
    es = int(np.argmin(np.abs(truth.frame_time_s - truth.es_time_s[0])))
    window = slice(max(es - 6, 0), es + 6)
    assert truth.area_cm2[es] <= 1.02 * truth.area_cm2[window].min()


def test_a_tracing_has_21_rows_whose_polygon_is_the_mask(examination):
    _, _, truth = examination
    rows = tracing_rows(truth.outline_px[0])
    assert rows.shape == (21, 4)
    x = np.concatenate([rows[1:, 0], rows[:0:-1, 2]])
    y = np.concatenate([rows[1:, 1], rows[:0:-1, 3]])
    drawn = polygon_mask(y, x, (112, 112))
    truth_mask = truth.mask[0] > 0
    assert 2 * (drawn & truth_mask).sum() / (drawn.sum() + truth_mask.sum()) > 0.97


@pytest.mark.parametrize("seed", range(6))
def test_the_open_valve_makes_one_cavity_of_ventricle_and_atrium(seed):
    """Between the hinges lies blood when the valve is open, and a leaflet when it is shut."""
    rng = np.random.default_rng(seed)
    body = replace(heart.draw_heart(rng), strands=(), tenting=0.0)
    echo = replace(
        tissue.draw_echogenicity(rng, beam_cm=0.1), blood=-30.0, leaflet=6.0, annulus=-40.0
    )
    echo = replace(echo, patchiness=0.0, trabeculation=0.0, atrium=0.0)
    pose = tissue.Pose(0.0, 2.0, 0.0)
    brightest = []
    for opening in (0.0, 1.0):
        frame = heart.outlines(body, 0.9, opening)
        laid = tissue.lay_tissue(
            body, frame, pose, echo, np.zeros((2, 64, 64)), depth_cm=18.0, half_width_cm=10.0
        )
        x, z = pose.to_image(((frame.septal_hinge + frame.lateral_hinge) / 2)[None])[0]
        row, column = round(z / tissue.GRID_CM), round((x - laid.x_min) / tissue.GRID_CM)
        brightest.append(laid.amplitude[row - 3 : row + 4, column - 2 : column + 3].max())
    blood = 10 ** (echo.blood / 20)
    assert brightest[0] > 10 * blood
    assert brightest[1] < brightest[0] / 4


def test_the_same_plan_gives_the_same_frames(examination):
    prepared, pairs, _ = examination
    again = next(iter(render(prepare(prepared.plan))))[0]
    np.testing.assert_array_equal(again, pairs[0][0])
