from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from medseg.data.volumes import Box, boxes_of, read_volume, write_mask
from medseg.errors import ClipNotFound, InputError, OutputError

CODES = [("R", "A", "S"), ("L", "P", "S"), ("P", "S", "R"), ("I", "R", "A"), ("A", "L", "I")]


def scan(path, codes, *, affine=None):
    """20 x 30 x 40 mm (left-right, front-back, foot-head), bright in the left upper back."""
    to_codes = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt(("L", "P", "S")), nib.orientations.axcodes2ornt(codes)
    )
    values = np.zeros((20, 15, 10), np.int16)  # x to the left, y to the back, z to the head
    values[15:19, 10:14, 7:9] = 500
    spacing = np.diag([-1.0, -2.0, 4.0, 1.0])  # in RAS: left and back are negative
    spacing[:3, 3] = (9.5, 14, -18)
    stored = nib.orientations.apply_orientation(values, to_codes)
    turned = spacing @ nib.orientations.inv_ornt_aff(to_codes, values.shape)
    image = nib.Nifti1Image(stored, turned if affine is None else affine)
    image.set_qform(turned, 1)
    image.set_sform(turned, 2)
    nib.save(image, path)
    return stored


@pytest.mark.parametrize("codes", CODES)
def test_slices_look_alike_however_voxels_are_stored(tmp_path, codes):
    scan(tmp_path / "s.nii.gz", codes)
    volume = read_volume(tmp_path / "s.nii.gz")
    assert volume.values.shape == (10, 15, 20)
    assert volume.spacing_mm == pytest.approx((4, 2, 1))
    z, row, column = (int(np.median(where)) for where in np.nonzero(volume.values))
    assert (z, row, column) == (7, 11, 16)  # towards the head, the back, the patient's left


@pytest.mark.parametrize("codes", CODES)
@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_a_mask_lies_where_its_scan_lies(tmp_path, codes, plane):
    stored = scan(tmp_path / "s.nii.gz", codes)
    volume = read_volume(tmp_path / "s.nii.gz", plane=plane)
    write_mask(tmp_path / "m.nii.gz", (volume.values > 0) * 3, volume)
    mask, there = nib.load(tmp_path / "m.nii.gz"), nib.load(tmp_path / "s.nii.gz")
    assert np.array_equal(np.asarray(mask.dataobj), (stored > 0) * 3)
    assert np.array_equal(mask.affine, there.affine)
    assert nib.aff2axcodes(mask.affine) == codes
    assert (mask.header["sform_code"], mask.header["qform_code"]) == (2, 1)
    assert np.allclose(mask.get_qform(), there.get_qform())
    assert mask.get_data_dtype() == np.uint8


def test_coronal_and_sagittal_slices_stand_upright(tmp_path):
    scan(tmp_path / "s.nii.gz", ("R", "A", "S"))
    coronal = read_volume(tmp_path / "s.nii.gz", plane="coronal")
    assert coronal.values.shape == (15, 10, 20)
    assert coronal.spacing_mm == pytest.approx((2, 4, 1))
    assert int(np.median(np.nonzero(coronal.values)[1])) <= 3  # the head is up
    sagittal = read_volume(tmp_path / "s.nii.gz", plane="sagittal")
    assert sagittal.values.shape == (20, 10, 15)
    assert sagittal.spacing_mm == pytest.approx((1, 4, 2))


def test_scaled_scans_do_not_scale_their_masks(tmp_path):
    image = nib.Nifti1Image(np.zeros((4, 5, 6), np.int16), np.eye(4))
    image.header.set_slope_inter(2.5, -1024)
    nib.save(image, tmp_path / "s.nii")
    volume = read_volume(tmp_path / "s.nii")
    write_mask(tmp_path / "m.nii", np.ones(volume.values.shape), volume)
    assert np.unique(nib.load(tmp_path / "m.nii").get_fdata()).tolist() == [1]


def test_four_dimensions_are_refused_but_not_a_last_one_of_one(tmp_path):
    for shape in ((4, 5, 6, 3), (4, 5, 6, 1)):
        nib.save(nib.Nifti1Image(np.zeros(shape, np.int16), np.eye(4)), tmp_path / "s.nii")
        if shape[3] == 1:
            assert read_volume(tmp_path / "s.nii").values.shape == (6, 5, 4)
        else:
            with pytest.raises(InputError, match=r"has 4 dimensions .*four_to_three"):
                read_volume(tmp_path / "s.nii")


def test_a_scan_without_affine_is_refused(tmp_path):
    image = nib.Nifti1Image(np.zeros((4, 5, 6), np.int16), None)
    image.header["sform_code"] = image.header["qform_code"] = 0
    nib.save(image, tmp_path / "s.nii")
    with pytest.raises(InputError, match="has no affine"):
        read_volume(tmp_path / "s.nii")


def test_labels_of_another_grid_and_broken_labels_are_refused(tmp_path):
    scan(tmp_path / "s.nii.gz", CODES[0])
    nib.save(nib.Nifti1Image(np.zeros((4, 5, 6), np.uint8), np.eye(4)), tmp_path / "t.nii")
    with pytest.raises(InputError, match="lies on another grid"):
        read_volume(tmp_path / "s.nii.gz", truth=tmp_path / "t.nii")
    half = nib.load(tmp_path / "s.nii.gz")
    nib.save(nib.Nifti1Image(np.asarray(half.dataobj) / 1000, half.affine), tmp_path / "h.nii")
    with pytest.raises(InputError, match="no whole numbers"):
        read_volume(tmp_path / "s.nii.gz", truth=tmp_path / "h.nii")


def test_files_that_are_none(tmp_path):
    with pytest.raises(ClipNotFound):
        read_volume(tmp_path / "x.nii.gz")
    for name in ("a.nii.gz", "a.npz", "a.mha"):
        (tmp_path / name).write_bytes(b"junk")
        with pytest.raises(InputError):
            read_volume(tmp_path / name)


def test_npz_of_the_challenge(tmp_path):
    images, labels = np.zeros((5, 8, 9), np.uint8), np.zeros((5, 8, 9), np.uint8)
    labels[1:4, 2:5, 3:8] = 2
    np.savez(
        tmp_path / "c.npz", imgs=images, gts=labels, spacing=(0.5, 0.75, 3.0),
        boxes=[[3, 2, 1, 7, 4, 4]],
    )  # fmt: skip
    volume = read_volume(tmp_path / "c.npz")
    assert volume.spacing_mm == (3.0, 0.75, 0.5)  # SimpleITK says column, row, slice
    assert volume.boxes == (Box(1, 3, 2, 7, 4, 1, 4),)
    assert boxes_of(volume.truth) == (Box(2, 3, 2, 7, 4, 1, 4),)
    write_mask(tmp_path / "m.npz", labels, volume)
    with np.load(tmp_path / "m.npz") as file:
        assert np.array_equal(file["segs"], labels)
        assert file["spacing"].tolist() == [0.5, 0.75, 3.0]
    with pytest.raises(OutputError, match=r"name the result \.npz"):
        write_mask(tmp_path / "m.nii.gz", labels, volume)


def test_npz_of_one_picture(tmp_path):
    np.savez(tmp_path / "p.npz", imgs=np.zeros((8, 9, 3), np.uint8), boxes=[[1, 2, 5, 6]])
    volume = read_volume(tmp_path / "p.npz")
    assert volume.flat
    assert volume.values.shape == (1, 8, 9, 3)
    assert volume.boxes == (Box(1, 1, 2, 5, 6, 0, 1),)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"image": np.zeros((2, 3, 4), np.uint8)}, r"has no `imgs` \(it holds image\)"),
        ({"imgs": np.zeros((2, 3, 4))}, "float64, not uint8"),
        ({"imgs": np.zeros((2, 3, 4, 5), np.uint8)}, "the shape"),
        (
            {"imgs": np.zeros((2, 3, 4), np.uint8), "gts": np.zeros((2, 3, 5), np.uint8)},
            "do not belong together",
        ),
        ({"imgs": np.zeros((2, 3, 4), np.uint8), "boxes": [[0, 0, 9, 2]]}, "not inside the scan"),
        ({"imgs": np.zeros((2, 3, 4), np.uint8), "boxes": [[1, 2]]}, r"not \(N, 4\)"),
        ({"imgs": np.zeros((2, 3, 4), np.uint8), "spacing": [1, 0, 1]}, "three positive"),
    ],
)
def test_npz_that_is_wrong(tmp_path, arrays, words):
    np.savez(tmp_path / "c.npz", **arrays)
    with pytest.raises(InputError, match=words):
        read_volume(tmp_path / "c.npz")


def test_code_hidden_in_an_npz_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    np.savez(tmp_path / "c.npz", imgs=np.array([Trap()], object))
    with pytest.raises(InputError, match="no NPZ file that can be read"):
        read_volume(tmp_path / "c.npz")
    assert not (tmp_path / "sprung").exists()


def test_nobodys_name_goes_from_the_scan_to_the_mask(tmp_path):
    image = nib.Nifti1Image(np.zeros((4, 5, 6), np.int16), np.eye(4))
    image.header["descrip"] = image.header["db_name"] = b"DOE^JANE"
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"DOE^JANE"))
    nib.save(image, tmp_path / "s.nii")
    volume = read_volume(tmp_path / "s.nii")
    write_mask(tmp_path / "m.nii", np.ones(volume.values.shape), volume)
    assert b"DOE" in (tmp_path / "s.nii").read_bytes()
    assert b"DOE" not in (tmp_path / "m.nii").read_bytes()


def test_colours_and_complex_numbers_are_no_scan(tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((4, 5, 6), np.complex64), np.eye(4)), tmp_path / "s.nii")
    with pytest.raises(InputError, match="of single numbers"):
        read_volume(tmp_path / "s.nii")
