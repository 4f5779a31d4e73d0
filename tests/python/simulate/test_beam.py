"""Speckle has the statistics of speckle, and the fan the geometry of a fan."""

from dataclasses import replace

import numpy as np
import pytest

from medseg.simulate import beam
from medseg.simulate.tissue import GRID_CM, TissueMap


def plain_scanner(**changes) -> beam.Scanner:
    settings = beam.Scanner(
        depth_cm=15.0, half_angle=0.7, steer=0.0, lines=128, samples=300, pulse_samples=1.2,
        beam_lines=1.2, focus=0.5, defocus=0.0, gain_db=0.0, dynamic_range_db=60.0, gamma=1.0,
        depth_gain_db=(0.0, 0.0), lateral_gain_db=(0.0, 0.0), window_db=0.0, edge_loss_db=0.0,
        noise_db=-90.0, haze_db=-90.0, haze_reach=0.1, shadows=(), clutter_db=-90.0,
        ring_db=-90.0, persistence=0.0, smoothing=(0.0, 0.0),
    )  # fmt: skip
    return replace(settings, **changes)


def even_tissue(depth_cm: float = 15.0, half_width_cm: float = 12.0) -> TissueMap:
    z = np.arange(0, depth_cm, GRID_CM)
    x = np.arange(-half_width_cm, half_width_cm, GRID_CM)
    shape = (len(z), len(x))
    mx, mz = np.broadcast_to(x, shape), np.broadcast_to(z[:, None], shape)
    flowing, labels = np.zeros(shape, bool), np.zeros(shape, np.uint8)
    return TissueMap(-half_width_cm, np.ones(shape, np.float32), mx, mz, flowing, labels)


def envelope_of(
    scanner: beam.Scanner, tissue: TissueMap, *, frame: int = 0, through_cm: float = 0.0
) -> np.ndarray:
    fields = beam.draw_fields(np.random.default_rng(0), scanner)
    rng = np.random.default_rng(frame)
    return 10 ** (beam.beam_image(rng, scanner, fields, tissue, through_cm=through_cm) / 20)


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a[140:].ravel(), b[140:].ravel())[0, 1])  # of developed speckle


def test_fully_developed_speckle_has_a_signal_to_noise_ratio_of_1_91():
    """Mean over SD of a Rayleigh envelope is sqrt(pi / (4 - pi)) = 1.91 (Burckhardt 1978).

    Near the probe a cell of the beam holds too few scatterers for that.
    """
    envelope = envelope_of(plain_scanner(), even_tissue())[140:]
    assert envelope.mean() / envelope.std() == pytest.approx(1.91, abs=0.07)


def test_muscle_keeps_its_speckle_until_it_has_left_the_plane():
    still = envelope_of(plain_scanner(), even_tissue())
    later = {
        through: envelope_of(plain_scanner(), even_tissue(), frame=1, through_cm=through)
        for through in (0.0, 0.1, beam.SLICE_CM)
    }
    assert likeness(still, later[0.0]) > 0.999
    assert 0.4 < likeness(still, later[0.1]) < 0.95
    assert abs(likeness(still, later[beam.SLICE_CM])) < 0.05


def test_flowing_blood_has_another_speckle_in_each_frame():
    blood = replace(even_tissue(), flowing=np.ones(even_tissue().flowing.shape, bool))
    first, second = (envelope_of(plain_scanner(), blood, frame=i) for i in (0, 1))
    assert abs(likeness(first, second)) < 0.05
    muscle = envelope_of(plain_scanner(), even_tissue())
    assert second[140:].std() == pytest.approx(muscle[140:].std(), rel=0.1)


@pytest.mark.parametrize("through_cm", [0.0, 0.13, 0.3, -0.4])
def test_a_random_field_keeps_its_spread_between_two_planes(through_cm):
    planes = np.random.default_rng(0).standard_normal((6, 200, 200)).astype(np.float32)
    assert beam.at_plane(planes, through_cm, 0.3).std() == pytest.approx(1.0, abs=0.02)


def test_black_is_3_percent_of_white():
    scanner = plain_scanner(gain_db=7.0, dynamic_range_db=50.0, gamma=1.7)
    level = np.full((4, 4), beam.black_db(scanner))
    np.testing.assert_allclose(beam.compress(scanner, level), 0.03, rtol=1e-6)


def test_a_shadow_darkens_its_lines_and_no_others():
    plain, shaded = (
        envelope_of(plain_scanner(shadows=s), even_tissue()) for s in ((), ((0.5, 0.1, 25.0),))
    )
    lost_db = 20 * np.log10(plain[80:].mean(0) / shaded[80:].mean(0))
    assert lost_db[96] > 18
    assert abs(lost_db[20]) < 0.1


def test_speckle_grows_sideways_with_depth_in_the_picture():
    """Lines of a fan part with depth, so that a grain of fixed angle widens in centimetres."""
    scanner = plain_scanner()
    grey = beam.compress(scanner, 20 * np.log10(envelope_of(scanner, even_tissue()) + 1e-6))
    raster = beam.Raster(300, 400, 0.05, 200.0, 0.0)
    coordinates, fan = beam.scan_coordinates(scanner, raster)
    picture = beam.scan_convert(grey, coordinates, fan)

    def grain_px(rows: slice) -> int:
        part = picture[rows, 150:250] - picture[rows, 150:250].mean()
        spread = [float((part[:, :-k] * part[:, k:]).mean()) for k in range(1, 30)]
        return int(np.argmax(np.array(spread) < 0.3 * spread[0]))

    assert grain_px(slice(230, 280)) > 1.5 * grain_px(slice(70, 110))


def test_the_fan_covers_the_area_of_a_circular_sector():
    scanner = plain_scanner()
    raster = beam.Raster(320, 420, 0.05, 210.0, 2.0)
    _, fan = beam.scan_coordinates(scanner, raster)
    whole = scanner.half_angle * scanner.depth_cm**2 * (1 - 0.02**2)
    assert fan.sum() * 0.05**2 == pytest.approx(whole, rel=0.01)
