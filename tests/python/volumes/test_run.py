from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from medseg.cli import main
from medseg.data.volumes import Box, read_volume
from medseg.errors import InputError
from medseg.simulate.scan import draw_scan
from medseg.volumes import segment_volume, write_results
from medseg.volumes.score import score_labels


@pytest.fixture(scope="module")
def ct(tmp_path_factory):
    """A small simulated scan, stored front to back first."""
    folder = tmp_path_factory.mktemp("ct")
    scan = draw_scan(5, shape=(80, 68, 30), spacing_mm=(4.8, 4.7, 8.0))
    for name, values in (("ct.nii.gz", scan.hounsfield), ("labels.nii.gz", scan.labels)):
        image = nib.Nifti1Image(values, scan.affine)
        turn = nib.orientations.ornt_transform(
            nib.io_orientation(scan.affine), nib.orientations.axcodes2ornt(("A", "S", "L"))
        )
        nib.save(image.as_reoriented(turn), folder / name)
    return folder


def test_a_scan_comes_back_as_a_mask_on_its_own_grid(ct, tmp_path, capsys):
    call = ["volume", str(ct / "ct.nii.gz"), "--truth", str(ct / "labels.nii.gz"),
            "--modality", "ct", "--model", "region", "--method", "handover",
            "--out", str(tmp_path)]  # fmt: skip
    assert main(call) == 0
    assert "boxes from the truth" in capsys.readouterr().out
    mask, scan = nib.load(tmp_path / "ct_mask.nii.gz"), nib.load(ct / "ct.nii.gz")
    assert np.array_equal(mask.affine, scan.affine)
    assert nib.aff2axcodes(mask.affine) == ("A", "S", "L")
    truth = np.asarray(nib.load(ct / "labels.nii.gz").dataobj)
    labels = np.asarray(mask.dataobj)
    # Of the liver: on so coarse a grid the margin of the hand-over is as wide as the spleen.
    shared = 2 * np.count_nonzero((labels == 1) & (truth == 1))
    assert shared / (np.count_nonzero(labels == 1) + np.count_nonzero(truth == 1)) > 0.9
    record = json.loads((tmp_path / "ct.json").read_text())
    assert {score["label"] for score in record["scores"]} == {1, 2, 3, 5, 9, 13}
    assert record["window"] == "abdomen"
    voxel_ml = np.prod(scan.header.get_zooms()) / 1000
    assert record["volume_ml"]["3"] == pytest.approx(np.count_nonzero(labels == 3) * voxel_ml)
    with Image.open(tmp_path / "ct_slices.png") as image:
        assert image.width == 4 * 320
    assert main(call) == 2
    assert "exists already" in capsys.readouterr().err


def test_a_box_and_a_slice_of_ones_own(ct, bright, leaning, tmp_path):
    values, truth = leaning
    np.savez(tmp_path / "s.npz", imgs=values, gts=truth.astype(np.uint8), spacing=(1, 1, 2))
    done = segment_volume(
        read_volume(tmp_path / "s.npz"), bright, modality="grey",
        boxes=[Box(1, 4, 8, 18, 22, 0, 14)], key_slice=3,
    )  # fmt: skip
    assert (done.box_source, done.key_slices) == ("given", {1: 3})
    assert np.array_equal(done.labels > 0, truth > 0)
    by_label = {score.label: score for score in done.scores}
    assert (by_label[1].dsc, by_label[7].dsc) == (0, 0)  # another label is another object
    paths = write_results(done, tmp_path / "out")
    assert [p.name for p in paths] == ["s_mask.npz", "s_slices.png", "s.json"]


def test_without_anything_to_point_at_it_says_so(bright, leaning, tmp_path, capsys):
    np.savez(tmp_path / "s.npz", imgs=leaning[0])
    with pytest.raises(InputError, match=r"nothing says what to segment: give --box"):
        segment_volume(read_volume(tmp_path / "s.npz"), bright, modality="grey")
    call = ["volume", str(tmp_path / "s.npz"), "--model", "region", "--out", str(tmp_path)]
    assert main([*call, "--method", "handover"]) == 2
    assert main([*call, "--method", "handover", "--box", "1,2,3"]) == 2
    assert main([*call, "--method", "handover", "--box", "30,2,60,9"]) == 2
    err = capsys.readouterr().err
    assert "x0,y0,x1,y1" in err
    assert "not inside the scan's 50 x 40 pixels and 14 slices" in err


def test_scores_by_slice_are_means_over_slices_with_something(leaning):
    _, truth = leaning
    mask = truth.copy()
    mask[2:7] = 0  # half of the slices are missed
    (whole,) = score_labels(mask, truth, spacing_mm=(1, 1, 1))
    (by_slice,) = score_labels(mask, truth, spacing_mm=(1, 1, 1), by_slice=True)
    assert whole.dsc == pytest.approx(2 * 5 / 15)
    assert by_slice.dsc == by_slice.nsd == 0.5
    (unknown,) = score_labels(mask, truth, spacing_mm=None)
    assert (unknown.unit, unknown.tolerance) == ("px", 2.0)
