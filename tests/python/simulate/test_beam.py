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
    return TissueMap(-half_width_cm, np.ones(shape, np.float32), mx, mz, np.zeros(shape, np.uint8))


def envelope_of(scanner: beam.Scanner, tissue: TissueMap) -> np.ndarray:
    rng = np.random.default_rng(0)
    fields = beam.draw_fields(rng, scanner)
    return 10 ** (beam.beam_image(rng, scanner, fields, tissue) / 20)


def test_fully_developed_speckle_has_a_signal_to_noise_ratio_of_1_91():
    """Mean over SD of a Rayleigh envelope is sqrt(pi / (4 - pi)) = 1.91 (Burckhardt 1978)."""
    envelope = envelope_of(plain_scanner(), even_tissue())[40:]
    assert envelope.mean() / envelope.std() == pytest.approx(1.91, abs=0.12)


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
