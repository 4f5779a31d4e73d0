"""A DICOM file as a clip: its header is read and checked, its pixels wait until they are read."""

from __future__ import annotations

import warnings
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
)

from medseg.clip import Clip
from medseg.decode.dicom_colour import KNOWN_PHOTOMETRICS, to_rgb_of
from medseg.decode.dicom_layout import inflated_layout, pixel_layout
from medseg.decode.dicom_pixels import DicomFrames
from medseg.decode.dicom_region import dicom_regions, dicom_view
from medseg.decode.dicom_time import dicom_frame_times
from medseg.decode.signature import sha256_of_file
from medseg.decode.wording import printable
from medseg.errors import ClipHasNoFrames, ClipUnreadable, FrameNotDecoded, InputError


def open_dicom(path: Path) -> Clip:
    """Open a DICOM file of one frame or many.

    Raises ClipHasNoFrames for an object without pixels (a report, a DICOMDIR), ClipUnreadable
    for a file that is damaged, cut short, or compressed in a way that is not known.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's, on odd but harmless values
        try:
            return _open(path)
        except InputError:
            raise
        except Exception as error:  # a broken file makes pydicom raise almost anything
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise ClipUnreadable(
                f"{path}: is no DICOM file that can be understood ({type(error).__name__}): "
                "copy or export it again"
            ) from error


def _open(path: Path) -> Clip:
    with path.open("rb") as file:
        ds = pydicom.dcmread(file, stop_before_pixels=True, force=True)
        syntax = _transfer_syntax(ds)
        _check_has_pictures(path, ds)
        photometric = str(ds.get("PhotometricInterpretation", ""))
        if photometric not in KNOWN_PHOTOMETRICS:
            raise ClipUnreadable(
                f"{path}: pixels of kind {printable(photometric) or 'unknown'} are not understood: "
                "export the clip as RGB or MONOCHROME2"
            )
        if syntax == DeflatedExplicitVRLittleEndian:
            layout, notes = inflated_layout(path, ds)
        else:
            layout, notes = pixel_layout(path, ds, syntax, file)
    to_rgb, colour_notes = to_rgb_of(ds)
    frames = DicomFrames(layout, to_rgb)
    try:
        frames(0, 1)
    except FrameNotDecoded as error:
        raise ClipUnreadable(str(error)) from error
    times, source, time_notes = dicom_frame_times(ds, layout.frame_count)
    regions = dicom_regions(ds, layout.height, layout.width)
    view = dicom_view(ds)
    return Clip(
        name=path.stem,
        kind="dicom",
        frame_count=layout.frame_count,
        height=layout.height,
        width=layout.width,
        frame_time_s=times,
        frame_time_source=source,
        spacing_cm=regions.spacing_cm,
        spacing_reason=regions.spacing_reason,
        sha256=sha256_of_file(path),
        read=frames,
        region=regions.tissue,
        colour_flow=regions.colour_flow,
        view=view,
        view_source=None if view == "unknown" else "file",
        warnings=(*notes, *colour_notes, *time_notes, *regions.warnings),
    )


def _transfer_syntax(ds: Dataset) -> UID:
    """Give the file's transfer syntax; a file without one shows it by how it is written."""
    named = getattr(ds, "file_meta", Dataset()).get("TransferSyntaxUID")
    if named:
        return UID(str(named))
    implicit, little = ds.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def _check_has_pictures(path: Path, ds: Dataset) -> None:
    """Raise ClipHasNoFrames for an object that is no picture, ClipUnreadable for no object."""
    sop_class = UID(str(ds.get("SOPClassUID", "") or ""))
    media_class = str(ds.file_meta.get("MediaStorageSOPClassUID", "") or "")
    if MediaStorageDirectoryStorage in (sop_class, media_class) or "DirectoryRecordSequence" in ds:
        raise ClipHasNoFrames(
            f"{path}: is a DICOMDIR, a table of contents: give one of the files that it lists"
        )
    if "Rows" in ds and "Columns" in ds:
        return
    if sop_class:
        what = printable(sop_class.name) if sop_class.name != sop_class else "an object"
        raise ClipHasNoFrames(f"{path}: is {what} and holds no pixels: give an image file")
    if len(ds) == 0 or "SOPInstanceUID" not in ds:
        raise ClipUnreadable(
            f"{path}: is no DICOM file that can be understood: copy or export it again"
        )
    raise ClipHasNoFrames(f"{path}: holds no pixels: give an image file")
