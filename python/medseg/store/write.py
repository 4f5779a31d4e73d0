"""Write a segmentation store window by window, complete or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from medseg.errors import OutputError, StoreInvalid
from medseg.store.blocks import Blocks
from medseg.store.check_attributes import check_attributes
from medseg.store.check_data import check_curves
from medseg.store.chunks import compress
from medseg.store.findings import Finding
from medseg.store.layout import (
    ARRAYS,
    CURVES,
    DISK_COUNT,
    IMAGE_BYTES,
    SCHEMA_NAME,
    SCHEMA_VERSION,
    array_names,
    frames_per_chunk,
    metadata,
)
from medseg.store.manifest import json_bytes, plain
from medseg.store.stage import Stage

Curves = Mapping[str, Any]


class StoreWriter:
    """A store under construction, as a context manager.

    ``write_window`` takes the frames in order, in windows of any length; memory holds one chunk
    of them. ``finish`` checks everything and gives the store its name. Leaving the context without
    ``finish`` removes what was staged, and so does any error.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        attributes: Mapping[str, Any],
        frame_count: int,
        height: int,
        width: int,
        object_names: Sequence[str],
        calibrated: bool,
        with_image: bool,
        overwrite: bool = False,
    ) -> None:
        if "://" in fspath(path):
            raise OutputError(f"{path}: stores are written to a local folder; copy it there after")
        self._lengths = {
            "object": len(object_names),
            "frame": frame_count,
            "y": height,
            "x": width,
            "disk": DISK_COUNT,
        }
        if with_image and frame_count * height * width > IMAGE_BYTES:
            raise ValueError("an image of more than 64 MiB is left out: pass with_image=False")
        self._attributes = {
            **attributes,
            "schema": SCHEMA_NAME,
            "schema_version": SCHEMA_VERSION,
            "object_names": list(object_names),
        }
        self._names = array_names(calibrated=calibrated, with_image=with_image)
        self._with_image = with_image
        self._chunk_frames = frames_per_chunk(frame_count, height, width)
        self._written = 0
        self._pixel_count = np.zeros((len(object_names), frame_count), dtype=np.int64)
        self._stage = Stage(Path(path), overwrite=overwrite)
        self._mask = Blocks(len(object_names), self._chunk_frames, height, width)
        self._image = Blocks(int(with_image), self._chunk_frames, height, width)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stage.remove()

    def write_window(
        self, start: int, *, mask: np.ndarray, image: np.ndarray | None = None
    ) -> None:
        """Add the frames from ``start``: mask (object, T, H, W), image (T, H, W) grey.

        Raises OutputError where the disk refuses, ValueError where the window does not fit.
        """
        mask = np.asarray(mask)
        objects, height, width = (self._lengths[axis] for axis in ("object", "y", "x"))
        stop = start + mask.shape[1] if mask.ndim == 4 else start
        if mask.ndim != 4 or (*mask.shape[:1], *mask.shape[2:]) != (objects, height, width):
            expected = f"({objects}, T, {height}, {width})"
            raise ValueError(f"a mask of shape {mask.shape}, expected {expected}")
        if start != self._written or stop > self._lengths["frame"]:
            raise ValueError(
                f"frames {start} to {stop}, expected to go on at {self._written} "
                f"of {self._lengths['frame']}"
            )
        if (image is not None) != self._with_image:
            raise ValueError("image must be given if and only if with_image is true")
        if mask.dtype not in (np.bool_, np.uint8) or mask.max(initial=0) > 1:
            raise ValueError(f"a mask of {mask.dtype}, expected 0 and 1 as bool or uint8")
        if image is not None and (image.shape != mask.shape[1:] or image.dtype != np.uint8):
            raise ValueError(f"an image of {image.shape} {image.dtype}, expected uint8 (T, H, W)")
        binary = mask.astype(np.uint8)
        self._pixel_count[:, start:stop] = np.count_nonzero(binary, axis=(2, 3))
        for row, block, content in self._mask.add(binary):
            self._stage.write(f"mask/{row}.{block}.0.0", compress(content))
        if image is not None:
            for _, block, content in self._image.add(image[None]):
                self._stage.write(f"image/{block}.0.0", compress(content))
        self._written = stop

    def finish(self, curves: Curves, attributes: Mapping[str, Any]) -> Path:
        """Add the curves and last attributes, check every rule, and name the store.

        ``curves`` holds every array of SPEC.md but mask and image; ``attributes`` replaces those
        given before. Raises StoreInvalid, naming the rule, rather than write an invalid store.
        """
        if self._written != self._lengths["frame"]:
            raise ValueError(f"{self._written} frames written of {self._lengths['frame']}")
        final = plain({**self._attributes, **attributes})
        typed = self._typed(curves)
        self._refuse(
            check_attributes(
                final, version=SCHEMA_VERSION, arrays=self._names, lengths=self._lengths
            )
        )
        self._refuse(check_curves(typed, final, self._pixel_count))
        for row, block, content in self._mask.rest():
            self._stage.write(f"mask/{row}.{block}.0.0", compress(content))
        if self._with_image:
            for _, block, content in self._image.rest():
                self._stage.write(f"image/{block}.0.0", compress(content))
        for name, values in typed.items():
            key = ".".join("0" for _ in values.shape)
            self._stage.write(f"{name}/{key}", compress(values.tobytes(order="C")))
        shapes = {name: [self._lengths[axis] for axis in ARRAYS[name].dims] for name in self._names}
        for path, document in metadata(final, shapes, self._chunk_frames).items():
            self._stage.write(path, json_bytes(document))
        return self._stage.commit()

    def _typed(self, curves: Curves) -> dict[str, np.ndarray]:
        wanted = [name for name in CURVES if name in self._names]
        if set(curves) != set(wanted):
            raise ValueError(f"curves {sorted(curves)}, expected {sorted(wanted)}")
        typed = {}
        for name in wanted:
            values = np.asarray(curves[name])
            shape = tuple(self._lengths[axis] for axis in ARRAYS[name].dims)
            if values.shape != shape:
                raise ValueError(f"{name} of shape {values.shape}, expected {shape}")
            if name == "status" and values.dtype.kind not in "iu":
                raise ValueError(f"status of {values.dtype}, expected integers")
            with np.errstate(over="ignore"):  # infinite then, and refused by rule D7
                typed[name] = values.astype(ARRAYS[name].dtype)
        return typed

    def _refuse(self, findings: list[Finding]) -> None:
        if findings:
            first = findings[0]
            more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
            raise StoreInvalid(
                f"{self._stage.target}: not written, since {first.where} {first.message} "
                f"({first.code}{more}); mend the values given to the writer"
            )
