"""Segments a clip into memory or, in bounded memory, into a store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import medseg
from medseg.clip import Clip, check_view
from medseg.errors import OutputError
from medseg.segmentation.engine import Measurement
from medseg.segmentation.protocols import Promptable, Segmenter
from medseg.store import StoreWriter
from medseg.store.layout import (
    ARRAYS,
    IMAGE_BYTES,
    SCHEMA_NAME,
    SCHEMA_VERSION,
    TOUCHES_EDGE,
    array_attributes,
    array_names,
)

if TYPE_CHECKING:
    import xarray as xr

Progress = Callable[[int, int], None]  # frames done, frames in all


def segment(
    clip: Clip,
    model: str | Segmenter | Promptable = "default",
    *,
    weights: str | PathLike[str] | None = None,
    device: str | None = None,
    subject_key: str | None = None,
    view: str | None = None,
    window: int = 64,
    whole_frame: bool = False,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Segment a clip and return the segmentation, all of it in memory.

    `model` is a name for `medseg.models.load_model` or a loaded network. `subject_key` is the
    caller's own opaque key; never a patient's identity. `whole_frame` says that the pictures are
    no ultrasound: nothing is blanked or cut off. The data set has the names and attributes
    of a store: `medseg.save_segmentation` writes it and `medseg.open_segmentation` reads it back.

    Raises FrameTimesUnknown for a clip without frame times, ClipUnreadable for one without any
    picture, WeightsError for weights that cannot be used.
    """
    import xarray as xr

    clip = _with_view(clip, view)
    measurement = Measurement(
        clip, _loaded(model, weights, device), window=window, whole_frame=whole_frame
    )
    segmenter = measurement.segmenter
    masks, images = [], []
    with closing(measurement):
        for part in measurement.windows():
            masks.append(part.mask)
            if measurement.with_image:
                images.append(part.image)
            if progress is not None:
                progress(part.start + part.mask.shape[1], clip.frame_count)
    quality = measurement.quality()
    arrays: dict[str, Any] = {**measurement.curves(quality), "mask": np.concatenate(masks, axis=1)}
    if measurement.with_image:
        arrays["image"] = np.concatenate(images)
    variables = {}
    for name in array_names(calibrated=clip.spacing_cm is not None, with_image=bool(images)):
        described = array_attributes(name)
        del described["_ARRAY_DIMENSIONS"]
        variables[name] = xr.Variable(ARRAYS[name].dims, arrays[name], attrs=described)
    coordinates = {
        "object": ("object", list(segmenter.object_names)),
        "frame_time": variables.pop("frame_time"),
    }
    attributes = {
        "schema": SCHEMA_NAME,
        "schema_version": SCHEMA_VERSION,
        "object_names": list(segmenter.object_names),
        **_attributes(clip, measurement, subject_key=subject_key),
        **_verdict(clip, measurement, quality, arrays),
    }
    return xr.Dataset(variables, coords=coordinates, attrs=attributes)


def segment_to_store(
    clip: Clip,
    out: str | PathLike[str],
    *,
    segmenter: Segmenter | Promptable,
    subject_key: str | None = None,
    view: str | None = None,
    window: int = 64,
    whole_frame: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Segment a clip into `out`, a path ending in .zarr or a folder, and return the store's path.

    Memory does not grow with the clip's length. `whole_frame` is for pictures that are no
    ultrasound: no sector is looked for and nothing is blanked. Nothing is left under the store's
    name when anything fails. Raises what `segment` raises, and OutputError where the store cannot
    be written.
    """
    clip = _with_view(clip, view)
    target = store_path(clip, out)
    if target.exists() and not overwrite:
        raise OutputError(f"{target}: exists already; choose another folder or pass --overwrite")
    measurement = Measurement(clip, segmenter, window=window, whole_frame=whole_frame)
    make_folder(target.parent)
    attributes = _attributes(clip, measurement, subject_key=subject_key)
    with (
        closing(measurement),
        StoreWriter(
            target,
            attributes=attributes,
            frame_count=clip.frame_count,
            height=clip.height,
            width=clip.width,
            object_names=measurement.segmenter.object_names,
            calibrated=clip.spacing_cm is not None,
            with_image=measurement.with_image,
            overwrite=overwrite,
        ) as writer,
    ):
        for part in measurement.windows():
            image = part.image if measurement.with_image else None
            writer.write_window(part.start, mask=part.mask, image=image)
            if progress is not None:
                progress(part.start + part.mask.shape[1], clip.frame_count)
        quality = measurement.quality()
        curves = measurement.curves(quality)
        return writer.finish(curves, _verdict(clip, measurement, quality, curves))


def store_path(clip: Clip, out: str | PathLike[str]) -> Path:
    """Where a clip's store goes: `out` itself if it ends in .zarr, else a folder's <clip>.zarr."""
    path = Path(out)
    return path if path.suffix == ".zarr" else path / f"{clip.name}.zarr"


def make_folder(path: Path) -> None:
    """Make a folder for results; raises OutputError where that is not possible."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot make this folder ({error.strerror}); choose another --out"
        ) from None


def _loaded(
    model: str | Segmenter | Promptable, weights: str | PathLike[str] | None, device: str | None
) -> Segmenter | Promptable:
    if not isinstance(model, str):
        return model
    from medseg.models import load_model

    path = None if weights is None else Path(weights)
    found: Segmenter = load_model(model, weights=path, device=device or "cpu")
    return found


def _with_view(clip: Clip, view: str | None) -> Clip:
    """The clip with the view that a person gave, which outweighs the file's."""
    check_view(view, name=clip.name)
    if view is None:
        return clip
    return replace(clip, view=view, view_source=None if view == "unknown" else "given")


def _attributes(clip: Clip, measurement: Measurement, *, subject_key: str | None) -> dict[str, Any]:
    """Root attributes that are known before the first frame is measured."""
    too_large = (
        None
        if measurement.with_image
        else f"the grey frames take more than {IMAGE_BYTES // 2**20} MiB"
    )
    return {
        "view": clip.view,
        "view_source": clip.view_source,
        "spacing_cm": list(clip.spacing_cm) if clip.spacing_cm else None,
        "spacing_reason": clip.spacing_reason,
        "pixel_aspect": float(measurement.pixel_aspect),
        "frame_rate_hz": clip.frame_rate_hz,
        "frame_time_source": clip.frame_time_source,
        "image_reason": too_large,
        "source": {
            "kind": clip.kind,
            "sha256": clip.sha256,
            "frame_count": clip.frame_count,
            "height": clip.height,
            "width": clip.width,
        },
        "subject_key": subject_key,
        "model": dict(measurement.segmenter.card),
        "software": {"name": "medseg", "version": medseg.__version__},
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _verdict(
    clip: Clip, measurement: Measurement, quality: dict[str, Any], curves: dict[str, Any]
) -> dict[str, Any]:
    """Root attributes that only the whole clip tells: quality and warnings."""
    warnings = [*clip.warnings, *measurement.notes]
    status = curves["status"]
    frames = status.shape[1]
    if touching := int((status == TOUCHES_EDGE).any(axis=0).sum()):
        warnings.append(f"the mask touches the sector's edge in {touching} of {frames} frames")
    if measurement.undecoded:
        warnings.append(f"{measurement.undecoded} of {frames} frames could not be decoded")
    for name, count in measurement.unsearched.items():
        if count:
            warnings.append(f"{name} was not searched for in {count} of {frames} frames")
    return {"quality": quality, "warnings": warnings}
