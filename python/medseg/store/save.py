"""Save an xarray.Dataset as a segmentation store."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from medseg.errors import StoreInvalid
from medseg.store.layout import ARRAYS, CURVES, array_names, frames_per_chunk
from medseg.store.write import StoreWriter

if TYPE_CHECKING:
    import xarray as xr


def save_segmentation(ds: xr.Dataset, path: str | PathLike[str], overwrite: bool = False) -> Path:
    """Write the segmentation and return its path; masks and images go through in windows.

    Raises StoreInvalid where the data set breaks the specification, OutputError where the disk
    refuses or the target exists.
    """
    calibrated = ds.attrs.get("spacing_cm") is not None
    names = array_names(calibrated=calibrated, with_image="image" in ds.data_vars)
    _refuse_shape(ds, names, path)
    objects, frames, height, width = (ds.sizes[axis] for axis in ARRAYS["mask"].dims)
    mask = ds["mask"].transpose(*ARRAYS["mask"].dims)
    image = ds["image"].transpose(*ARRAYS["image"].dims) if "image" in names else None
    attributes = {k: v for k, v in ds.attrs.items() if k not in ("schema", "schema_version")}
    object_names = attributes.get("object_names", [f"object_{row}" for row in range(objects)])
    step = frames_per_chunk(frames, height, width)
    with StoreWriter(
        path,
        attributes=attributes,
        frame_count=frames,
        height=height,
        width=width,
        object_names=object_names,
        calibrated=calibrated,
        with_image=image is not None,
        overwrite=overwrite,
    ) as writer:
        for start in range(0, frames, step):
            window = slice(start, start + step)
            writer.write_window(
                start,
                mask=mask.isel(frame=window).to_numpy(),
                image=None if image is None else image.isel(frame=window).to_numpy(),
            )
        curves = {
            name: ds[name].transpose(*ARRAYS[name].dims).to_numpy()
            for name in CURVES
            if name in names
        }
        return writer.finish(curves, {})


def _refuse_shape(ds: xr.Dataset, names: tuple[str, ...], path: str | PathLike[str]) -> None:
    for name in names:
        if name not in ds.variables:
            raise StoreInvalid(f"{path}: not written, since the data set has no {name}; add it")
        wanted = ARRAYS[name].dims
        if set(ds[name].dims) != set(wanted):
            raise StoreInvalid(
                f"{path}: not written, since {name} has axes {ds[name].dims}; give it {wanted}"
            )
    for extra in set(ds.data_vars) - set(names):
        raise StoreInvalid(
            f"{path}: not written, since version 1.0 has no place for {extra}; drop it first"
        )
