"""From a tracing to seven points, to heatmaps, and back to a mask."""

import numpy as np
import pytest
import torch

from medseg.models.landmarks import (
    find_landmarks,
    heatmaps_of,
    landmarks_of,
    outline,
    path_over_apex,
    soft_mask,
)

SIZE = 112


def half_ellipse(count: int = 120) -> np.ndarray:
    """A ventricle: base at y=90 from x=36 to x=76, apex at y=20."""
    angle = np.linspace(np.pi, 2 * np.pi, count)
    return np.stack([56 + 20 * np.cos(angle), 90 + 70 * np.sin(angle)], 1)


def bean(count: int = 120) -> np.ndarray:
    """A ventricle bent to a half ring, its path from base over the apex to base: concave."""
    there = np.linspace(np.radians(190), np.radians(340), count // 2)
    angle = np.concatenate([there, there[::-1]])
    radius = np.where(np.arange(count) < count // 2, 30.0, 56.0)
    return np.array([56.0, 80.0]) + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)


def dice(first: np.ndarray, second: np.ndarray) -> float:
    return 2 * float((first & second).sum()) / float(first.sum() + second.sum())


def filled(path: np.ndarray) -> np.ndarray:
    return soft_mask(path, SIZE) > 0.5


def by_angle(points: np.ndarray) -> np.ndarray:
    """The published study's order: by the angle about the points' centre."""
    x, y = (points - points.mean(0)).T
    return points[np.argsort(np.arctan2(y, x))]


def test_landmarks_divide_a_half_circle_into_equal_angles():
    angle = np.linspace(np.pi, 2 * np.pi, 1001)
    points = landmarks_of(np.stack([np.cos(angle), np.sin(angle)], 1))
    wanted = np.linspace(np.pi, 2 * np.pi, 7)
    np.testing.assert_allclose(points, np.stack([np.cos(wanted), np.sin(wanted)], 1), atol=1e-3)


def test_an_echonet_tracing_is_cut_open_at_the_mitral_plane():
    chords = [((-width, y), (width, y)) for width, y in ((1, 0), (3, 5), (4, 10))]  # from the apex
    tracing = np.array([left for left, _ in chords] + [right for _, right in chords[::-1]])
    path = path_over_apex(tracing)
    assert path[0].tolist() == [4, 10] and path[-1].tolist() == [-4, 10]
    assert landmarks_of(path, 3)[1].tolist() == [0, 0]  # half-way round is the apex


def test_landmarks_do_not_mind_points_traced_twice():
    path = half_ellipse(50)
    np.testing.assert_allclose(landmarks_of(path.repeat(2, axis=0)), landmarks_of(path))


def test_a_heatmap_is_a_probability_around_its_point():
    heat = heatmaps_of(torch.tensor([[30.0, 50.0]]), SIZE)
    assert heat.shape == (1, SIZE, SIZE)
    assert float(heat.sum()) == pytest.approx(1, abs=1e-5)
    assert divmod(int(heat.argmax()), SIZE) == (50, 30)  # row y, column x
    # a Gaussian of SD 3 falls to exp(-1/2) three pixels away
    assert float(heat[0, 50, 33] / heat[0, 50, 30]) == pytest.approx(np.exp(-0.5), rel=1e-4)


def test_points_come_back_from_their_heatmaps_to_a_fraction_of_a_pixel():
    points = torch.tensor([[[30.3, 50.8], [80.0, 20.5]]], dtype=torch.float64)
    found, certainty = find_landmarks(heatmaps_of(points, SIZE).log())
    torch.testing.assert_close(found, points, rtol=0, atol=0.1)
    # what a Gaussian has within three standard deviations of its middle
    np.testing.assert_allclose(certainty, 1 - np.exp(-4.5), atol=5e-3)


def test_a_network_that_knows_nothing_is_not_sure():
    _, certainty = find_landmarks(torch.zeros(1, 7, SIZE, SIZE))
    assert float(certainty.max()) < 0.05


def test_a_polygon_covers_the_pixels_whose_centres_it_holds():
    square = np.array([[9.5, 19.5], [29.5, 19.5], [29.5, 39.5], [9.5, 39.5]])
    mask = soft_mask(square, 64)
    assert (mask > 0.5).sum() == 20 * 20
    assert mask[30, 20] > 0.99 and mask[5, 5] < 0.01
    edge = soft_mask(np.array([[10.0, 10], [20, 10], [20, 20], [10, 20]]), 32)
    assert edge[15, 10] == pytest.approx(0.5)


def test_seven_points_draw_a_ventricle():
    path = half_ellipse()
    assert dice(filled(outline(landmarks_of(path))), filled(path)) > 0.985


def test_the_curve_between_the_points_is_better_than_straight_lines():
    path = half_ellipse()
    points = landmarks_of(path)
    assert dice(filled(outline(points)), filled(path)) > dice(filled(points), filled(path)) + 0.01


def test_a_concave_ventricle_keeps_its_shape_which_sorting_by_angle_breaks():
    path = bean()
    points = landmarks_of(path)
    kept = dice(filled(outline(points)), filled(path))
    assert kept > 0.9
    assert dice(filled(by_angle(points)), filled(path)) < kept - 0.15


def test_points_that_coincide_give_no_error():
    assert soft_mask(outline(np.zeros((7, 2))), 16).max() <= 0.5
