"""Open a segmentation store as an xarray.Dataset, verified and lazy."""

from __future__ import annotations

from os import PathLike

import xarray as xr
from xarray.core import indexing

from medseg.store.check_data import check_curves
from medseg.store.check_files import Documents, Listing, read_documents, read_manifest
from medseg.store.check_metadata import chunk_shapes, shapes
from medseg.store.chunks import read_chunk
from medseg.store.findings import Refused, stop_at, typed_error
from medseg.store.folder import Folder, open_folder
from medseg.store.layout import ARRAYS, ROOT_ATTRIBUTES, array_attributes
from medseg.store.lazy import LazyFrames
from medseg.store.validate import check_declarations


def open_segmentation(path: str | PathLike[str]) -> xr.Dataset:
    """Open the store at a local path or an fsspec URL.

    The manifest, all metadata and all curves are read and verified now; ``mask`` and ``image`` are
    read and verified when they are indexed. ``frame_time`` (seconds) and ``object`` (names) are
    coordinates; the root attributes are ``Dataset.attrs``.

    Raises StoreNotFound, StoreIncomplete, StoreDamaged, StoreVersionUnsupported or StoreInvalid.
    """
    folder = open_folder(path)
    try:
        listing = read_manifest(folder)
        documents = read_documents(folder, listing)
        stop_at(check_declarations(documents, listing))
        return _dataset(folder, listing, documents)
    except Refused as refused:
        raise typed_error(folder.name, refused.findings[0]) from None


def _dataset(folder: Folder, listing: Listing, documents: Documents) -> xr.Dataset:
    attributes = documents[".zattrs"]
    chunk_of = chunk_shapes(documents)
    variables, curves = {}, {}
    for name, shape in shapes(documents).items():
        spec = ARRAYS[name]
        said = {key: value for key, value in array_attributes(name).items() if key[0] != "_"}
        if spec.is_curve:
            key = ".".join("0" for _ in shape)
            data = read_chunk(folder, listing, f"{name}/{key}", chunk_of[name])
            curves[name] = data
            variables[name] = xr.Variable(spec.dims, data.astype(spec.dtype[1:]), attrs=said)
        else:
            lazy = LazyFrames(folder, listing, name, shape, chunk_of[name])
            variables[name] = xr.Variable(spec.dims, indexing.LazilyIndexedArray(lazy), attrs=said)
    stop_at(check_curves(curves, attributes))
    known = {key: attributes[key] for key in ROOT_ATTRIBUTES}
    coordinates = {
        "object": ("object", known["object_names"]),
        "frame_time": variables.pop("frame_time"),
    }
    return xr.Dataset(variables, coords=coordinates, attrs=known)
