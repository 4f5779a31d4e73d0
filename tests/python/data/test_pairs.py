"""Clips and masks paired by name: NPZ, NIfTI and PNG masks, the table beside them."""

from __future__ import annotations

import re

import nibabel
import numpy as np
import pytest
from PIL import Image

from medseg.data import ed_es, open_dataset
from medseg.errors import ClipNotFound, InputError

HEIGHT, WIDTH = 48, 64


def box(rows: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[5 : 5 + rows, 10:30] = 1
    return mask


@pytest.fixture
def pairs(tmp_path, make_video):
    for seed, name in enumerate(("P1__a", "P1__b", "c")):
        make_video(tmp_path / "clips" / f"{name}.avi", seed=seed)
    masks = tmp_path / "masks"
    masks.mkdir()
    np.savez(masks / "P1__a.npz", mask=np.stack([box(10), box(30)]), frame=[4, 1])
    (masks / "P1__b").mkdir()
    for frame, rows in ((2, 12), (11, 8)):
        Image.fromarray(box(rows) * 255).save(masks / "P1__b" / f"frame_{frame:03d}.png")
    volume = np.stack([box(20 - i) for i in range(6)])  # (T,H,W)
    nibabel.save(nibabel.Nifti1Image(volume.T, np.eye(4)), masks / "c.nii.gz")
    return tmp_path


def test_every_form_of_mask_tells_its_frames_and_pixels(pairs):
    dataset = open_dataset(pairs)
    assert (dataset.kind, dataset.excluded) == ("pairs", ())
    frames = {name: [t.frame for t in case.traced] for name, case in dataset.cases.items()}
    assert frames == {"P1__a": [1, 4], "P1__b": [2, 11], "c": [0, 1, 2, 3, 4, 5]}
    for name, frame, rows in (("P1__a", 1, 30), ("P1__a", 4, 10), ("P1__b", 11, 8), ("c", 5, 15)):
        (traced,) = [t for t in dataset.cases[name].traced if t.frame == frame]
        assert traced.area_px == rows * 20
        assert np.array_equal(traced.mask((HEIGHT, WIDTH)), box(rows) == 1)
    ed, es = ed_es(dataset.cases["P1__a"])
    assert (ed.frame, es.frame) == (1, 4)


def test_patients_come_from_the_name_or_the_table(pairs):
    cases = open_dataset(pairs).cases
    assert [cases[name].patient for name in ("P1__a", "P1__b", "c")] == ["P1", "P1", None]
    (pairs / "cases.csv").write_text(
        "name,split,patient,view,ef_percent\nc.avi,test,p9,PSAX,44\nP1__a,train,p9,,\n"
    )
    cases = open_dataset(pairs).cases
    case = cases["c"]
    assert (case.patient, case.split, case.view, case.ef_percent) == ("p9", "TEST", "PSAX", 44.0)
    assert (cases["P1__a"].patient, cases["P1__a"].view) == ("p9", "unknown")
    assert cases["P1__b"].split == ""


def test_what_has_no_partner_is_left_out_with_the_reason(pairs, make_video):
    (pairs / "masks" / "c.nii.gz").rename(pairs / "masks" / "d.nii.gz")
    make_video(pairs / "clips" / "P1__a.mp4")
    (pairs / "cases.csv").write_text("name,split\ne,TEST\nc,TRAIN\nc,TEST\n")
    dataset = open_dataset(pairs)
    assert dataset.cases["c"].traced == ()
    assert dataset.cases["P1__a"].path.suffix == ".avi"
    assert {(e.name, e.code) for e in dataset.excluded} == {
        ("d", "tracing-without-video"),
        ("e", "missing-video"),
        ("c", "duplicate-name"),
        ("P1__a", "duplicate-name"),
    }


@pytest.mark.parametrize(
    ("arrays", "what"),
    [
        ({"masks": np.zeros((2, 4, 4))}, '"mask"'),
        ({"mask": np.zeros((4, 4))}, "not \\(frames, height, width\\)"),
        ({"mask": np.zeros((2, 4, 4)), "frame": [1]}, "2 different frame numbers"),
        ({"mask": np.zeros((2, 4, 4)), "frame": [1, 1]}, "2 different frame numbers"),
        ({"mask": np.zeros((2, 4, 4)), "frame": [0.5, 1]}, "2 different frame numbers"),
        ({"mask": np.array([{"a": 1}])}, "frames, height, width|pickle"),
    ],
)
def test_an_npz_of_another_form_is_left_out_with_the_reason(pairs, arrays, what):
    np.savez(pairs / "masks" / "P1__a.npz", **arrays)
    (gone,) = open_dataset(pairs).excluded
    assert (gone.name, gone.code) == ("P1__a", "unreadable-mask")
    assert re.search(what, gone.reason), gone.reason


def test_a_cut_npz_and_a_nameless_picture_are_left_out(pairs):
    path = pairs / "masks" / "P1__a.npz"
    path.write_bytes(path.read_bytes()[:200])
    (pairs / "masks" / "P1__b" / "mask.png").write_bytes(b"")
    assert {e.name for e in open_dataset(pairs).excluded} == {"P1__a", "P1__b"}


def test_masks_of_several_structures_are_refused(pairs):
    several = box(10)
    several[40:, :] = 2
    np.savez(pairs / "masks" / "P1__a.npz", mask=several[None])
    (traced,) = open_dataset(pairs).cases["P1__a"].traced
    with pytest.raises(InputError, match="0, 1, 2"):
        traced.mask((HEIGHT, WIDTH))


def test_a_folder_without_masks_is_refused(pairs):
    (pairs / "masks").rename(pairs / "labels")
    with pytest.raises(ClipNotFound, match="clips and masks"):
        open_dataset(pairs, "pairs")
