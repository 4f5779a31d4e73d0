from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from medseg.simulate.scan import ORGANS, draw_scan, simulate_scans


@pytest.fixture(scope="module")
def scan():
    return draw_scan(3)


@pytest.mark.parametrize("name", sorted(set(ORGANS) - {"aorta", "liver"}))
def test_an_organ_has_its_ellipsoids_volume(scan, name):
    voxel_ml = 2 * 2 * 4 / 1000
    measured = np.count_nonzero(scan.labels == ORGANS[name][0]) * voxel_ml
    assert measured == pytest.approx(scan.volumes_ml[name], rel=0.03)


def test_an_organ_has_its_hounsfield_units(scan):
    for label, _, _, hounsfield in ORGANS.values():
        assert np.median(scan.hounsfield[scan.labels == label]) == pytest.approx(hounsfield, abs=9)
    assert scan.hounsfield[0, 0, 0] < -900  # air around the body


def test_the_left_kidney_is_on_the_left_and_the_liver_above_it(tmp_path):
    simulate_scans(tmp_path / "ct", n=1, seed=4)
    image = nib.load(tmp_path / "ct/labels/ct0004_000.nii.gz")
    labels = np.asarray(image.dataobj)

    def middle_mm(name):
        voxels = np.argwhere(labels == ORGANS[name][0])
        return nib.affines.apply_affine(image.affine, voxels.mean(axis=0))  # right, front, head

    assert middle_mm("left_kidney")[0] < -30 < 30 < middle_mm("right_kidney")[0]
    assert middle_mm("liver")[0] > 30
    assert middle_mm("liver")[2] > middle_mm("left_kidney")[2] + 30
    assert middle_mm("aorta")[1] < middle_mm("gallbladder")[1]  # behind it
