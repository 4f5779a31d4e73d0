"""What a segmentation store of version 1.0 holds: arrays, axes, units, codes, limits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil, prod
from typing import Any

SCHEMA_NAME = "medseg-segmentation"
SCHEMA_VERSION = "1.0"
VERSION_PATTERN = re.compile(r"1\.(0|[1-9][0-9]*)\Z")

DISK_COUNT = 20
CHUNK_BYTES = 4 * 1024 * 1024  # decoded size of a mask or image chunk, at most
IMAGE_BYTES = 64 * 1024 * 1024  # decoded size of the whole image array, at most
AXIS_LIMITS = {"object": 16, "frame": 1_000_000, "y": 16_384, "x": 16_384, "disk": DISK_COUNT}

MEASURED, NO_OBJECT, NOT_DECODED, TOUCHES_EDGE, LOW_CONFIDENCE = range(5)
WITH_MEASURES = (MEASURED, TOUCHES_EDGE, LOW_CONFIDENCE)

ROOT_FILES = (".zgroup", ".zattrs", ".zmetadata")
MANIFEST = "manifest.json"
GZIP_LEVEL = 5


@dataclass(frozen=True)
class ArraySpec:
    """One array of the store; ``px_twin`` names what a calibrated array is scaled from."""

    name: str
    dims: tuple[str, ...]
    dtype: str
    units: str
    long_name: str
    optional: bool = False
    px_twin: str | None = None

    @property
    def calibrated(self) -> bool:
        """Whether the array exists only where the clip has a trustworthy calibration."""
        return self.px_twin is not None

    @property
    def fill_value(self) -> str | None:
        """Zarr's fill value: never used, because every chunk is written."""
        return None if self.dtype == "|u1" else "NaN"

    @property
    def is_curve(self) -> bool:
        """Whether the array is one chunk, read and verified on opening."""
        return self.name not in ("mask", "image")


_OF = ("object", "frame")
_OFD = ("object", "frame", "disk")
ARRAYS: dict[str, ArraySpec] = {
    spec.name: spec
    for spec in (
        ArraySpec("frame_time", ("frame",), "<f8", "s", "time of the frame"),
        ArraySpec("mask", ("object", "frame", "y", "x"), "|u1", "1", "object mask, 0 or 1"),
        ArraySpec(
            "status",
            _OF,
            "|u1",
            "1",
            "0 measured, 1 no object, 2 not decoded, 3 touches the sector's edge, 4 low confidence",
        ),
        ArraySpec("area_px", _OF, "<f4", "px2", "area in square column pixels"),
        ArraySpec("long_axis_px", _OF, "<f4", "px", "long axis in column pixels"),
        ArraySpec(
            "disk_diameter_px", _OFD, "<f4", "px", "disk diameters in column pixels, apex first"
        ),
        ArraySpec("confidence", _OF, "<f4", "1", "confidence between 0 and 1"),
        ArraySpec("area_cm2", _OF, "<f4", "cm2", "area", px_twin="area_px"),
        ArraySpec("long_axis_cm", _OF, "<f4", "cm", "long axis", px_twin="long_axis_px"),
        ArraySpec(
            "disk_diameter_cm",
            _OFD,
            "<f4",
            "cm",
            "disk diameters, apex first",
            px_twin="disk_diameter_px",
        ),
        ArraySpec(
            "image", ("frame", "y", "x"), "|u1", "1", "grey level inside the sector", optional=True
        ),
    )
}
ALWAYS = tuple(n for n, s in ARRAYS.items() if not s.optional and not s.calibrated)
CALIBRATED = tuple(n for n, s in ARRAYS.items() if s.calibrated)
CURVES = tuple(n for n, s in ARRAYS.items() if s.is_curve)

ROOT_ATTRIBUTES = (
    "schema",
    "schema_version",
    "object_names",
    "view",
    "view_source",
    "spacing_cm",
    "spacing_reason",
    "pixel_aspect",
    "frame_rate_hz",
    "frame_time_source",
    "image_reason",
    "source",
    "subject_key",
    "model",
    "software",
    "created",
    "quality",
    "warnings",
)
REASON_CODES = (
    "no_object",
    "low_confidence",
    "unsteady",
    "not_apical_shape",
    "too_small",
    "too_large",
    "sector_not_found",
    "colour_doppler",
    "split_screen",
    "static",
    "few_frames",
)


def supported(version: object) -> bool:
    """Whether this release reads stores of that ``schema_version``."""
    return isinstance(version, str) and VERSION_PATTERN.match(version) is not None


def minor(version: str) -> int:
    """The N of version 1.N."""
    return int(version.split(".")[1])


def frames_per_chunk(frame_count: int, height: int, width: int) -> int:
    """Frames in one mask or image chunk: as many as 4 MiB hold, at least one."""
    return max(1, min(frame_count, CHUNK_BYTES // (height * width)))


def chunk_shape(name: str, shape: Sequence[int], chunk_frames: int) -> tuple[int, ...]:
    """Chunks of one array: curves are one chunk, masks are one object and F frames."""
    if name == "mask":
        return (1, chunk_frames, shape[2], shape[3])
    if name == "image":
        return (chunk_frames, shape[1], shape[2])
    return tuple(shape)


def chunk_count(shape: Sequence[int], chunks: Sequence[int]) -> int:
    """How many chunks an array has."""
    return prod(ceil(n / c) for n, c in zip(shape, chunks, strict=True))


def chunk_keys(name: str, shape: Sequence[int], chunks: Sequence[int]) -> Iterator[str]:
    """Paths of an array's chunks inside the store, in C order."""
    grid = (range(ceil(n / c)) for n, c in zip(shape, chunks, strict=True))
    for index in product(*grid):
        yield f"{name}/" + ".".join(map(str, index))


def zarray(name: str, shape: Sequence[int], chunks: Sequence[int]) -> dict[str, Any]:
    """The ``.zarray`` document of one array."""
    spec = ARRAYS[name]
    return {
        "chunks": list(chunks),
        "compressor": {"id": "gzip", "level": GZIP_LEVEL},
        "dimension_separator": ".",
        "dtype": spec.dtype,
        "fill_value": spec.fill_value,
        "filters": None,
        "order": "C",
        "shape": list(shape),
        "zarr_format": 2,
    }


def array_attributes(name: str) -> dict[str, Any]:
    """The ``.zattrs`` document of one array."""
    spec = ARRAYS[name]
    return {
        "_ARRAY_DIMENSIONS": list(spec.dims),
        "long_name": spec.long_name,
        "units": spec.units,
    }


def metadata(
    attributes: Mapping[str, Any],
    shapes: Mapping[str, Sequence[int]],
    chunk_frames: int,
) -> dict[str, dict[str, Any]]:
    """Every metadata document of a store by its path, ``.zmetadata`` included."""
    documents: dict[str, dict[str, Any]] = {
        ".zattrs": dict(attributes),
        ".zgroup": {"zarr_format": 2},
    }
    for name, shape in shapes.items():
        chunks = chunk_shape(name, shape, chunk_frames)
        documents[f"{name}/.zarray"] = zarray(name, shape, chunks)
        documents[f"{name}/.zattrs"] = array_attributes(name)
    return {**documents, ".zmetadata": consolidated(documents)}


def consolidated(documents: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The ``.zmetadata`` document over the other ones."""
    return {"metadata": dict(sorted(documents.items())), "zarr_consolidated_format": 1}


def array_names(*, calibrated: bool, with_image: bool) -> tuple[str, ...]:
    """Names of the arrays that a store holds."""
    names: Iterable[str] = ALWAYS
    if calibrated:
        names = (*names, *CALIBRATED)
    return (*names, "image") if with_image else tuple(names)
