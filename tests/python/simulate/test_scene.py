"""Masks, tracings and truth of a scene agree with each other and with its plan."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from medseg.geometry import polygon_mask
from medseg.simulate import heart, scene, stills, tissue
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
        tissue.draw_echogenicity(rng, beam_cm=0.1, black_db=-60.0),
        blood=-30.0,
        leaflet=6.0,
        annulus=-40.0,
    )
    echo = replace(echo, leaflet_along=0.0, patchiness=0.0, trabeculation=0.0, atrium=0.0)
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


def test_a_leaflet_is_seen_across_the_beam_and_hardly_along_it():
    rng = np.random.default_rng(2)
    body = replace(
        heart.draw_heart(rng, view="A2C"), strands=(), tenting=0.0, leaflet_spread=0.0, bend=0.0
    )
    drawn = tissue.draw_echogenicity(rng, beam_cm=0.1, black_db=-60.0)
    echo = replace(drawn, blood=-40.0, trabeculation=0.0, atrium=0.0, leaflet=6.0, patchiness=0.0)
    pose = tissue.Pose(0.0, 2.0, 0.0)
    lost_db = []
    for opening in (0.0, 1.0):
        frame = heart.outlines(body, 0.9, opening)
        middle = pose.to_image(frame.leaflets[0][6:10])
        bright = []
        for along in (0.0, 30.0):
            laid = tissue.lay_tissue(
                body, frame, pose, replace(echo, leaflet_along=along), np.zeros((2, 64, 64)),
                depth_cm=18.0, half_width_cm=10.0,
            )  # fmt: skip
            rows = np.rint(middle[:, 1] / tissue.GRID_CM).astype(int)
            columns = np.rint((middle[:, 0] - laid.x_min) / tissue.GRID_CM).astype(int)
            bright.append(laid.amplitude[rows, columns].mean())
        lost_db.append(20 * np.log10(bright[0] / bright[1]))
    assert lost_db[0] < 6
    assert lost_db[1] > 15


def test_the_cavity_ends_at_the_same_share_of_a_bright_wall_s_contrast_and_a_faint_one_s():
    """Readers trace the edge that they see, about half-way up.

    60 hearts, lateral walls being the fainter: grey along the normals of a wall's middle, from what
    lies inside to the brightest that lies outside, which speckle makes a little too bright.
    """
    shares: dict[int, list[float]] = {-1: [], 1: []}
    for seed in range(60):
        drawn = stills.draw_any_scene(np.random.default_rng(seed), size=128)
        frames = list(scene.render(drawn, np.full(6, 0.4) + np.arange(6) * 0.002))
        picture = np.mean([frame.picture for frame in frames], axis=0)
        outline = frames[0].polygon
        n = len(outline) // 2
        for side, wall in ((-1, outline[:n]), (1, outline[n:])):
            share = _share_at_the_edge(picture, wall, outline.mean(0))
            if share is not None:
                shares[side].append(share)
    septal, lateral = np.median(shares[-1]), np.median(shares[1])
    assert min(len(shares[-1]), len(shares[1])) > 30
    assert abs(septal - lateral) < 0.1
    assert min(septal, lateral) > 0.33
    assert max(septal, lateral) < 0.55


def _share_at_the_edge(picture: np.ndarray, wall: np.ndarray, middle: np.ndarray) -> float | None:
    """How far grey has come at a wall (n, 2) from the cavity's to the wall's; None if no edge."""
    s = np.linspace(0, 1, len(wall))
    along = np.stack([np.interp(np.linspace(0.3, 0.7, 15), s, wall[:, i]) for i in (0, 1)], 1)
    normal = np.gradient(along, axis=0)[:, ::-1] * [1, -1]
    normal = normal / np.linalg.norm(normal, axis=1)[:, None]
    if ((along - middle) * normal).sum() < 0:
        normal = -normal
    steps = np.arange(-6, 8.0)
    places = along[:, None] + steps[None, :, None] * normal[:, None]
    grey = ndimage.map_coordinates(picture, [places[..., 1], places[..., 0]], order=1).mean(0)
    inside, outside = grey[:4].mean(), ndimage.uniform_filter1d(grey, 3)[6:].max()
    return None if outside - inside < 0.1 else float((grey[6] - inside) / (outside - inside))


def test_the_same_plan_gives_the_same_frames(examination):
    prepared, pairs, _ = examination
    again = next(iter(render(prepare(prepared.plan))))[0]
    np.testing.assert_array_equal(again, pairs[0][0])
