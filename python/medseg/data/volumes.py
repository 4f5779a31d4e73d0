"""Scans in and masks out: NIfTI with its affine kept, and the NPZ layout of the 2024 challenge."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.nifti import is_nifti
from medseg.errors import ClipNotFound, InputError, MissingExtra, OutputError
from medseg.files import write_whole

# Where columns, rows and slices run to, as nibabel's codes: patients are seen from their feet (left
# of the patient on the right), or from the front, with the head up.
PLANES = {
    "axial": ("L", "P", "S"),
    "coronal": ("L", "I", "P"),
    "sagittal": ("P", "I", "L"),
}


@dataclass(frozen=True)
class Box:
    """A box around one object: pixels x0, y0, x1, y1 (inclusive), slices z0 to z1 - 1."""

    label: int
    x0: int
    y0: int
    x1: int
    y1: int
    z0: int
    z1: int

    @property
    def middle(self) -> int:
        """The middle one of its slices."""
        return (self.z0 + self.z1) // 2


@dataclass(frozen=True, eq=False)
class Space:
    """Where a NIfTI file's voxels lie, so that a mask can be written back to the same place."""

    affine: NDArray[np.float64]  # (4, 4)
    header: Any
    shape: tuple[int, int, int]
    there: NDArray[
        np.float64
    ]  # nibabel's orientation that brought the file to (column, row, slice)


@dataclass(frozen=True, eq=False)
class Volume:
    """A scan as slices; what its file does not say is None."""

    name: str
    values: NDArray[Any]  # (D, H, W), or RGB (D, H, W, 3)
    spacing_mm: tuple[float, float, float] | None  # (slice, row, column)
    truth: NDArray[np.uint16] | None  # (D, H, W) labels
    boxes: tuple[Box, ...]
    space: Space | None  # None: not NIfTI
    flat: bool = False  # an NPZ of one picture, not of slices


def read_volume(
    path: str | Path, *, truth: str | Path | None = None, plane: str = "axial"
) -> Volume:
    """Read a NIfTI file, or an NPZ file with `imgs` and perhaps `gts`, `boxes` and `spacing`.

    NIfTI comes as slices of `plane` whatever order its voxels are stored in; `truth` is a NIfTI
    file of labels on the same grid. NPZ: imgs (D, H, W), (T, H, W, 3) or one picture (H, W, 3),
    uint8; boxes (N, 4) x0 y0 x1 y1 or (N, 6) x0 y0 z0 x1 y1 z1; spacing as SimpleITK gives it,
    (column, row, slice) in mm.

    Raises ClipNotFound, InputError naming what is wrong and the cure, MissingExtra without nibabel.
    """
    path = Path(path)
    if not path.is_file():
        raise ClipNotFound(f"{path}: there is no such file: check the path")
    if plane not in PLANES:
        raise InputError(f"plane {plane!r}: choose of {', '.join(PLANES)}")
    if is_nifti(path):
        return _read_nifti(path, None if truth is None else Path(truth), plane)
    if path.suffix.lower() == ".npz":
        if truth is not None:
            raise InputError(f"{path}: an NPZ file holds its own truth, gts: leave --truth out")
        return _read_npz(path)
    raise InputError(f"{path}: is neither NIfTI (.nii, .nii.gz) nor NPZ by its name")


def _read_nifti(path: Path, truth: Path | None, plane: str) -> Volume:
    nib = _nibabel(path)
    values, space = _load(nib, path, plane)
    labels = None
    if truth is not None:
        if not truth.is_file():
            raise ClipNotFound(f"{truth}: there is no such file: check the path")
        labels, other = _load(nib, truth, plane)
        if other.shape != space.shape or not np.allclose(other.affine, space.affine, atol=1e-3):
            raise InputError(
                f"{truth}: lies on another grid than {path.name} ({other.shape} and {space.shape} "
                "voxels, or another affine): resample it to the scan's"
            )
        labels = whole_labels(labels, truth)
    step = np.sqrt((space.affine[:3, :3] ** 2).sum(axis=0))
    order = [int(np.flatnonzero(space.there[:, 0] == axis)[0]) for axis in (2, 1, 0)]
    spacing = tuple(float(step[axis]) for axis in order)
    stem = path.name[: -len(".nii.gz" if path.name.lower().endswith(".gz") else ".nii")]
    return Volume(stem, values, (spacing[0], spacing[1], spacing[2]), labels, (), space)


def _load(nib: Any, path: Path, plane: str) -> tuple[NDArray[Any], Space]:
    """Voxels as (slice, row, column) of a plane, and where they belong."""
    try:
        image = nib.load(path)
        values = np.asanyarray(image.dataobj)
    except (nib.filebasedimages.ImageFileError, OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(
            f"{path}: is no NIfTI file that can be read ({error}): copy or export it again"
        ) from None
    if not isinstance(image, nib.Nifti1Image) or values.dtype.kind not in "biuf":
        raise InputError(f"{path}: is no NIfTI-1 or NIfTI-2 file of single numbers: convert it")
    if values.ndim > 3 and set(values.shape[3:]) == {1}:
        values = values.reshape(values.shape[:3])
    if values.ndim != 3 or 0 in values.shape:
        raise InputError(
            f"{path}: has {values.ndim} dimensions {values.shape}, and a volume has 3: take one "
            "volume of a series out of it first (nibabel.four_to_three)"
        )
    if image.header["sform_code"] == 0 and image.header["qform_code"] == 0:
        raise InputError(
            f"{path}: has no affine (sform_code and qform_code are 0), so left and right are not "
            "known: export it again with its orientation, or give an NPZ file"
        )
    affine = np.asarray(image.affine, np.float64)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise InputError(f"{path}: its affine is not one of a volume: export it again")
    there = nib.orientations.ornt_transform(
        nib.io_orientation(affine), nib.orientations.axcodes2ornt(PLANES[plane])
    )
    shown = nib.orientations.apply_orientation(values, there)  # (column, row, slice)
    shape = (int(values.shape[0]), int(values.shape[1]), int(values.shape[2]))
    return np.ascontiguousarray(shown.T), Space(affine, image.header.copy(), shape, there)


def write_mask(path: str | Path, mask: NDArray[Any], volume: Volume) -> None:
    """Write a mask (D, H, W) of labels beside its scan, as NIfTI with the scan's affine, or NPZ.

    NIfTI: the scan's grid, orientation, affine and its codes; uint8, or uint16 past label 255. NPZ:
    `segs`, and `spacing` if it is known. The file appears only whole. Raises OutputError.
    """
    path = Path(path)
    labels = mask.astype(np.uint8 if mask.max(initial=0) < 256 else np.uint16)
    if labels.shape != volume.values.shape[:3]:
        raise ValueError(f"a mask of shape {labels.shape} for a scan of {volume.values.shape}")
    content = _nifti_bytes(path, labels, volume) if is_nifti(path) else _npz_bytes(labels, volume)
    write_whole(path, content)


def _nifti_bytes(path: Path, labels: NDArray[Any], volume: Volume) -> bytes:
    import gzip

    nib = _nibabel(path)
    space = volume.space
    if space is None:
        raise OutputError(f"{path}: {volume.name} is no NIfTI scan, so its affine is not known; "
                          "name the result .npz")  # fmt: skip
    back = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt(_codes(nib, space)), nib.io_orientation(space.affine)
    )
    voxels = nib.orientations.apply_orientation(labels.T, back)
    header = space.header.copy()
    header.set_data_dtype(labels.dtype)
    header.set_slope_inter(1, 0)
    header["cal_min"] = header["cal_max"] = 0
    for words in ("descrip", "aux_file", "db_name", "intent_name"):  # a name may stand there
        header[words] = b""
    header.extensions.clear()
    header.set_data_shape(voxels.shape)
    kind = nib.Nifti2Image if isinstance(header, nib.Nifti2Header) else nib.Nifti1Image
    image = kind(np.ascontiguousarray(voxels), None, header)
    content: bytes = image.to_bytes()
    return gzip.compress(content, 6, mtime=0) if path.name.lower().endswith(".gz") else content


def _codes(nib: Any, space: Space) -> tuple[str, str, str]:
    """The plane's codes, from how the file was turned."""
    affine = space.affine @ nib.orientations.inv_ornt_aff(space.there, space.shape)
    codes: tuple[str, str, str] = nib.aff2axcodes(affine)
    return codes


def _npz_bytes(labels: NDArray[Any], volume: Volume) -> bytes:
    arrays: dict[str, Any] = {"segs": labels[0] if volume.flat else labels}
    if volume.spacing_mm is not None:
        arrays["spacing"] = np.array(volume.spacing_mm[::-1])
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def _read_npz(path: Path) -> Volume:
    try:
        with np.load(path, allow_pickle=False) as file:
            known = {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(
            f"{path}: is no NPZ file that can be read ({error}): copy it again"
        ) from None
    if "imgs" not in known:
        raise InputError(
            f"{path}: has no `imgs` (it holds {', '.join(sorted(known)) or 'nothing'}): the layout "
            "is imgs, uint8 (D, H, W), with gts, boxes and spacing where they are known"
        )
    images = known["imgs"]
    if images.dtype != np.uint8:
        raise InputError(f"{path}: imgs is {images.dtype}, not uint8: bring it to 0..255 first")
    flat = images.ndim == 3 and images.shape[2] == 3
    if flat or images.ndim == 2:
        flat, images = True, images[None]
    if (
        images.ndim not in (3, 4)
        or 0 in images.shape
        or (images.ndim == 4 and images.shape[3] != 3)
    ):
        raise InputError(
            f"{path}: imgs has the shape {known['imgs'].shape}, not (D, H, W), (T, H, W, 3) or "
            "(H, W, 3)"
        )
    truth = None
    if "gts" in known:
        truth = whole_labels(known["gts"][None] if flat else known["gts"], path)
        if truth.shape != images.shape[:3]:
            raise InputError(f"{path}: gts has the shape {known['gts'].shape}, imgs "
                             f"{known['imgs'].shape}: they do not belong together")  # fmt: skip
    spacing = _spacing(path, known.get("spacing"))
    boxes = _boxes(path, known.get("boxes"), images.shape)
    return Volume(path.stem, images, spacing, truth, boxes, None, flat)


def _spacing(path: Path, spacing: NDArray[Any] | None) -> tuple[float, float, float] | None:
    if spacing is None or np.size(spacing) != 3:
        return None
    column, row, slice_ = (float(value) for value in np.ravel(spacing))
    if not (np.isfinite([column, row, slice_]).all() and min(column, row, slice_) > 0):
        raise InputError(f"{path}: spacing {np.ravel(spacing)} is not three positive millimetres")
    return slice_, row, column


def _boxes(path: Path, boxes: NDArray[Any] | None, shape: tuple[int, ...]) -> tuple[Box, ...]:
    if boxes is None:
        return ()
    if boxes.ndim != 2 or boxes.shape[1] not in (4, 6):
        raise InputError(f"{path}: boxes has the shape {boxes.shape}, not (N, 4) or (N, 6)")
    found = []
    for label, row in enumerate(np.rint(boxes).astype(int).tolist(), start=1):
        if len(row) == 4:
            row = [row[0], row[1], 0, row[2], row[3], shape[0]]
        x0, y0, z0, x1, y1, z1 = row
        box = Box(label, x0, y0, x1, y1, z0, max(z1, z0 + 1))
        found.append(check_box(box, shape, name=str(path)))
    return tuple(found)


def check_box(box: Box, shape: tuple[int, ...], *, name: str) -> Box:
    """Give the box back; raises InputError unless it has an area inside the scan (D, H, W)."""
    depth, height, width = shape[:3]
    inside = 0 <= box.x0 < box.x1 <= width and 0 <= box.y0 < box.y1 <= height
    if not (inside and 0 <= box.z0 < box.z1 <= depth):
        raise InputError(
            f"{name}: box {box.x0} {box.y0} {box.x1} {box.y1} in slices {box.z0} to {box.z1 - 1} "
            f"is not inside the scan's {width} x {height} pixels and {depth} slices"
        )
    return box


def boxes_of(truth: NDArray[Any]) -> tuple[Box, ...]:
    """The tight box of each label in (D, H, W), by label; the slices are those it is seen in."""
    found = []
    for label in np.unique(truth[truth > 0]).tolist():
        z, y, x = (
            np.flatnonzero((truth == label).any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))
        )
        found.append(Box(int(label), int(x[0]), int(y[0]), int(x[-1]), int(y[-1]),
                         int(z[0]), int(z[-1]) + 1))  # fmt: skip
    return tuple(found)


def whole_labels(values: NDArray[Any], path: Path) -> NDArray[np.uint16]:
    """Labels as uint16; raises InputError where they are no whole numbers from 0 to 65,535."""
    message = f"{path}: its labels are no whole numbers from 0 to 65,535"
    labels = values if values.dtype.kind in "bui" else np.rint(values)
    if labels.dtype.kind == "f" and not (
        np.isfinite(values).all() and np.abs(labels - values).max(initial=0) <= 1e-3
    ):
        raise InputError(message)
    if float(labels.min(initial=0)) < 0 or float(labels.max(initial=0)) > 65_535:
        raise InputError(message)
    return labels.astype(np.uint16)


def _nibabel(path: Path) -> Any:
    try:
        import nibabel
    except ImportError:
        raise MissingExtra(
            f"{path}: NIfTI needs nibabel; pip install 'medseg[volumes]' brings it"
        ) from None
    return nibabel
