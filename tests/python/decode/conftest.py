"""DICOM files made on the spot: every photometric interpretation and transfer syntax."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

US_MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.3.1"
DicomWriter = Callable[..., Path]


def smooth_frames(count: int = 3, height: int = 24, width: int = 32) -> np.ndarray:
    """Give RGB frames (T, H, W, 3) that differ by frame, row, column and channel."""
    t, y, x = np.mgrid[:count, :height, :width]
    red, green, blue = 40 + 6 * y + 10 * t, 30 + 5 * x, 200 - 3 * y - 2 * x + 5 * t
    return np.stack([red, green, blue], axis=-1).clip(0, 255).astype(np.uint8)


def rgb_to_ybr(rgb: np.ndarray) -> np.ndarray:
    """Convert by the equations of DICOM PS3.3 C.7.6.3.1.2."""
    matrix = np.array(
        [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
    )
    return (rgb @ matrix.T + [0, 128, 128]).round().clip(0, 255).astype(np.uint8)


def jpeg(frame: np.ndarray, **options: Any) -> bytes:
    """Encode one frame with Pillow, as JPEG or (format="JPEG2000") as a J2K codestream."""
    kind = options.pop("format", "JPEG")
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, kind, **options)
    return buffer.getvalue()


def base_dataset(frames: np.ndarray, photometric: str, syntax: str) -> Dataset:
    """Give a US multi-frame dataset without pixels; frames are (T, H, W) or (T, H, W, 3)."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = US_MULTI_FRAME
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = "1.2.3.4"
    ds.PatientName, ds.PatientID = "Doe^Jane", "MRN12345"
    ds.NumberOfFrames, ds.Rows, ds.Columns = frames.shape[:3]
    ds.SamplesPerPixel = 3 if frames.ndim == 4 else 1
    if frames.ndim == 4:
        ds.PlanarConfiguration = 0
    ds.PhotometricInterpretation = photometric
    ds.BitsAllocated = ds.BitsStored = frames.dtype.itemsize * 8
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(frames.dtype.kind == "i")
    return ds


@pytest.fixture
def write_dicom(tmp_path: Path) -> DicomWriter:
    """Give ``write(frames, photometric, syntax, pixels=None, **tags)`` that returns a path.

    ``pixels`` is the pixel data itself (bytes, or a list of compressed frames) where it is not
    just the frames' bytes.
    """

    def write(
        frames: np.ndarray,
        photometric: str = "MONOCHROME2",
        syntax: str = ExplicitVRLittleEndian,
        pixels: bytes | list[bytes] | None = None,
        name: str = "clip.dcm",
        **tags: Any,
    ) -> Path:
        path = tmp_path / name
        ds = base_dataset(frames, photometric, syntax)
        for keyword, value in tags.items():
            setattr(ds, keyword, value)
        if isinstance(pixels, list):
            ds.PixelData = encapsulate(pixels)
            ds["PixelData"].is_undefined_length = True
            ds["PixelData"].VR = "OB"
        else:
            little = UID(syntax).is_little_endian
            stored = frames.astype(frames.dtype.newbyteorder("<" if little else ">"))
            data = stored.tobytes() if pixels is None else pixels
            ds.PixelData = data + b"\0" * (len(data) % 2)
            ds["PixelData"].VR = "OB" if frames.dtype.itemsize == 1 else "OW"
        ds.save_as(path, enforce_file_format=True)
        return path

    return write


def recompress(path: Path, syntax: str) -> Path:
    """Compress a file losslessly in place with GDCM (JPEG Lossless, JPEG-LS, J2K, RLE)."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(str(syntax))))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    out = path.with_name(f"packed-{path.name}")
    writer.SetFileName(str(out))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return out


LOSSLESS = {
    "rle": RLELossless,
    "jpeg-lossless": JPEGLosslessSV1,
    "jpeg-ls": JPEGLSLossless,
    "j2k-lossless": JPEG2000Lossless,
}
BIG_ENDIAN, BASELINE, J2K = ExplicitVRBigEndian, JPEGBaseline8Bit, JPEG2000
