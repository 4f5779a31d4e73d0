"""A simulated clip as an ultrasound multi-frame DICOM file, calibrated and timed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage, generate_uid

UNIT_CM = 3  # PhysicalUnits code, DICOM PS3.3 C.8.5.5.1.15
TISSUE_2D = 1  # RegionSpatialFormat and RegionDataType of a two-dimensional tissue picture


def write_dicom(
    path: Path,
    frames: np.ndarray,
    *,
    frame_rate_hz: float,
    spacing_cm: tuple[float, float],
    region: tuple[int, int, int, int],
    seed: int,
) -> None:
    """Write RGB frames (T, H, W, 3) uint8 as Ultrasound Multi-frame Image Storage, uncompressed.

    `region` is the 2-D tissue region (y0, x0, y1, x1), half-open; identifiers follow from `seed`.
    """
    count, rows, columns, _ = frames.shape
    item = Dataset()
    item.RegionSpatialFormat = TISSUE_2D
    item.RegionDataType = TISSUE_2D
    item.RegionFlags = 2
    item.RegionLocationMinY0, item.RegionLocationMinX0 = region[0], region[1]
    item.RegionLocationMaxY1, item.RegionLocationMaxX1 = region[2] - 1, region[3] - 1
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = UNIT_CM
    item.PhysicalDeltaX, item.PhysicalDeltaY = spacing_cm[1], spacing_cm[0]

    def uid_of(what: str) -> str:
        return generate_uid(entropy_srcs=["medseg simulate", path.stem, str(seed), what])

    uid = uid_of("instance")
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = uid
    data.SOPClassUID = UltrasoundMultiFrameImageStorage
    data.SOPInstanceUID = uid
    data.StudyInstanceUID, data.SeriesInstanceUID = uid_of("study"), uid_of("series")
    data.Modality = "US"
    data.Manufacturer = "medseg simulate"
    data.PatientName, data.PatientID = "SIMULATED^HEART", f"SIM{seed % 10**8:08d}"
    data.NumberOfFrames, data.Rows, data.Columns = count, rows, columns
    data.FrameTime = f"{1000 / frame_rate_hz:.9f}"[:16]
    data.FrameIncrementPointer = 0x00181063
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.SequenceOfUltrasoundRegions = Sequence([item])
    data.PixelData = np.ascontiguousarray(frames).tobytes()
    data.save_as(path, enforce_file_format=True)
