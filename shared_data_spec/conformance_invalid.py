"""The invalid conformance stores: ``<rule>-<defect>``, one defect each."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from conformance_draft import Draft, Files, encode, stored_gzip, with_manifest
from conformance_valid import FRAMES, SPACING_CM, base, calibrated, set_status, two_objects

from medseg.store.manifest import json_bytes

# --- damage done after the manifest was written -------------------------------------------------

Damage = Callable[[Files], None]
CHUNK = "mask/0.1.0.0"


def _manifest_with(change: Callable[[dict[str, Any]], None]) -> Damage:
    def damage(files: Files) -> None:
        document = json.loads(files["manifest.json"])
        change(document)
        files["manifest.json"] = json_bytes(document)

    return damage


def _replace(path: str, change: Callable[[bytes], bytes]) -> Damage:
    def damage(files: Files) -> None:
        files[path] = change(files[path])

    return damage


def _flip_bit(content: bytes, bit: int | None = None) -> bytes:
    position = len(content) * 8 // 2 if bit is None else bit
    flipped = bytearray(content)
    flipped[position // 8] ^= 1 << (position % 8)
    return bytes(flipped)


def _list_outside(document: dict[str, Any]) -> None:
    document["files"]["../outside.txt"] = {"bytes": 0, "md5": "d41d8cd98f00b204e9800998ecf8427e"}


def _list_absolute(document: dict[str, Any]) -> None:
    document["files"]["/etc/hostname"] = {"bytes": 0, "md5": "d41d8cd98f00b204e9800998ecf8427e"}


AFTER_MANIFEST: dict[str, Damage] = {
    "F1-missing-manifest": lambda files: files.pop("manifest.json") and None,
    "F2-truncated-manifest": _replace("manifest.json", lambda b: b[: len(b) // 2]),
    "F2-empty-manifest": _replace("manifest.json", lambda b: b""),
    "F2-manifest-key-twice": _replace(
        "manifest.json", lambda b: b.replace(b'"schema":', b'"schema": "x",\n "schema":', 1)
    ),
    "F2-manifest-without-files": _manifest_with(lambda d: d.pop("files") and None),
    "F2-manifest-of-another-schema": _manifest_with(lambda d: d.update(schema="other")),
    "F2-manifest-size-as-text": _manifest_with(lambda d: d["files"][CHUNK].update(bytes="12")),
    "F2-manifest-negative-size": _manifest_with(lambda d: d["files"][CHUNK].update(bytes=-1)),
    "F2-manifest-short-md5": _manifest_with(lambda d: d["files"][CHUNK].update(md5="abc")),
    "F3-unknown-major-version": _manifest_with(lambda d: d.update(schema_version="2.0")),
    "F3-version-not-a-version": _manifest_with(lambda d: d.update(schema_version="1.0-beta")),
    "F4-path-traversal": _manifest_with(_list_outside),
    "F4-absolute-path": _manifest_with(_list_absolute),
    "F5-missing-mask-chunk": lambda files: files.pop(CHUNK) and None,
    "F5-missing-curve-chunk": lambda files: files.pop("area_px/0.0") and None,
    "F5-missing-zattrs": lambda files: files.pop("status/.zattrs") and None,
    "F6-truncated-chunk": _replace(CHUNK, lambda b: b[:-9]),
    "F6-empty-chunk": _replace(CHUNK, lambda b: b""),
    "F6-longer-chunk": _replace(CHUNK, lambda b: b + b"\0"),
    "F6-wrong-size-listed": _manifest_with(
        lambda d: d["files"][CHUNK].update(bytes=d["files"][CHUNK]["bytes"] + 1)
    ),
    "F7-flipped-bit-mask": _replace(CHUNK, _flip_bit),
    "F7-flipped-bit-image": _replace("image/1.0.0", _flip_bit),
    "F7-flipped-bit-curve": _replace("area_px/0.0", _flip_bit),
    "F7-flipped-bit-attributes": _replace(".zattrs", lambda b: b.replace(b"A4C", b"A2C")),
    "F7-wrong-md5": _manifest_with(
        lambda d: d["files"][CHUNK].update(md5="00000000000000000000000000000000")
    ),
    "F8-unlisted-file": lambda files: files.update({"notes.txt": b"left here by hand\n"}),
    "F8-unlisted-chunk": lambda files: files.update({"mask/0.3.0.0": files[CHUNK]}),
}

# --- files that are wrong although the manifest describes them ----------------------------------


def _recompressed(path: str, change: Callable[[bytes], bytes]) -> Damage:
    def damage(files: Files) -> None:
        files[path] = stored_gzip(change(zlib.decompress(files[path], wbits=31)))

    return damage


def _in_metadata(change: Callable[[dict[str, Any]], None]) -> Damage:
    def damage(files: Files) -> None:
        document = json.loads(files[".zmetadata"])
        change(document)
        files[".zmetadata"] = json_bytes(document)

    return damage


def _as_zarr_3(files: Files) -> None:
    chunk = files["frame_time/0"]
    files.clear()
    files["zarr.json"] = json_bytes(
        {"zarr_format": 3, "node_type": "group", "attributes": {"schema": "medseg-segmentation"}}
    )
    files["frame_time/zarr.json"] = json_bytes(
        {
            "zarr_format": 3,
            "node_type": "array",
            "shape": [FRAMES],
            "data_type": "float64",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [FRAMES]}},
            "chunk_key_encoding": {"name": "default"},
            "codecs": [{"name": "bytes"}, {"name": "gzip", "configuration": {"level": 5}}],
            "fill_value": "NaN",
            "attributes": {},
        }
    )
    files["frame_time/c/0"] = chunk


BEFORE_MANIFEST: dict[str, Damage] = {
    "F9-no-zmetadata": lambda files: files.pop(".zmetadata") and None,
    "F9-no-zgroup": lambda files: files.pop(".zgroup") and None,
    "F9-zarr-format-3-store": _as_zarr_3,
    "F10-attributes-truncated": _replace(".zattrs", lambda b: b[: len(b) // 2]),
    "F10-attributes-hold-nan": _replace(
        ".zattrs", lambda b: b.replace(b'"pixel_aspect": 1', b'"pixel_aspect": NaN')
    ),
    "F10-attribute-twice": _replace(
        ".zattrs", lambda b: b.replace(b'"view":', b'"view": "A2C",\n "view":')
    ),
    "F10-attributes-not-utf-8": _replace(
        ".zattrs", lambda b: b.replace("é".encode(), "é".encode("latin-1"))
    ),
    "F10-zarray-is-a-list": _replace("mask/.zarray", lambda b: b"[]\n"),
    "F11-consolidated-differs": _in_metadata(
        lambda d: d["metadata"][".zattrs"].update(subject_key="someone-else")
    ),
    "F11-consolidated-lacks-an-array": _in_metadata(
        lambda d: d["metadata"].pop("mask/.zarray") and None
    ),
    "F11-consolidated-format-2": _in_metadata(lambda d: d.update(zarr_consolidated_format=2)),
    "Z12-chunk-neither-there-nor-listed": lambda files: files.pop(CHUNK) and None,
    "Z12-curve-neither-there-nor-listed": lambda files: files.pop("status/0.0") and None,
    "Z13-chunk-outside-the-grid": lambda files: files.update({"mask/0.3.0.0": files[CHUNK]}),
    "Z13-file-at-the-root": lambda files: files.update({"patient.txt": b"John Doe\n"}),
    "D1-chunk-not-gzip": _replace(CHUNK, lambda b: zlib.decompress(b, wbits=31)),
    "D1-chunk-truncated": _replace(CHUNK, lambda b: b[:-20]),
    "D1-chunk-without-trailer": _replace(CHUNK, lambda b: b[:-8]),
    "D1-chunk-fails-its-crc": _replace(CHUNK, lambda b: _flip_bit(b, 40 * 8)),
    "D1-chunk-decodes-short": _recompressed(CHUNK, lambda b: b[:-30]),
    "D1-chunk-decodes-long": _recompressed(CHUNK, lambda b: b + b"\0"),
    "D1-chunk-empty": _replace(CHUNK, lambda b: b""),
    "D1-curve-decodes-short": _recompressed("area_px/0.0", lambda b: b[:-4]),
}

# --- values that are wrong although the files are whole -----------------------------------------


def _metadata(path: str, **changes: Any) -> Draft:
    draft = base()
    draft.edit_metadata = lambda documents: documents[path].update(changes)
    return draft


def _without_member(path: str, member: str) -> Draft:
    draft = base()
    draft.edit_metadata = lambda documents: documents[path].pop(member) and None
    return draft


def _without_arrays(draft: Draft, *names: str) -> Draft:
    for name in names:
        del draft.arrays[name]
    return draft


def _attributes(draft: Draft | None = None, **changes: Any) -> Draft:
    draft = draft or base()
    draft.attributes.update(changes)
    return draft


def _member(attribute: str, **changes: Any) -> Draft:
    draft = base()
    draft.attributes[attribute].update(changes)
    return draft


def _lacking(*path: str) -> Draft:
    draft = base()
    inner = draft.attributes
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return draft


def _quality(measurable: bool, *codes: str) -> Draft:
    reasons = [{"code": code, "message": "because"} for code in codes]
    draft = base()
    for frame in range(FRAMES):
        set_status(draft, frame, 0 if measurable else 4)
    draft.attributes["quality"] = {
        "left_ventricle": {"measurable": measurable, "reasons": reasons}
    }
    return draft


def _array(name: str, where: Any, value: float, *, draft: Draft | None = None) -> Draft:
    draft = draft or base()
    draft.arrays[name] = draft.arrays[name].astype(np.float64)
    draft.arrays[name][where] = value
    return draft


def _frame(status: int, *, draft: Draft | None = None) -> Draft:
    draft = draft or base()
    set_status(draft, 3, status)
    return draft


def _cut(name: str, frames: int = FRAMES - 1) -> Draft:
    draft = base()
    array = draft.arrays[name]
    draft.arrays[name] = array[:frames] if name == "frame_time" else array[:, :frames]
    return draft


def _not_measurable_but_measured() -> Draft:
    draft = _quality(False, "unsteady")
    set_status(draft, 2, 0)
    return draft


def _shape_everywhere(**lengths: int) -> Callable[[dict[str, Any]], None]:
    def change(documents: dict[str, Any]) -> None:
        for path, document in documents.items():
            if path.endswith("/.zarray"):
                dims = documents[path.replace(".zarray", ".zattrs")]["_ARRAY_DIMENSIONS"]
                for axis, name in enumerate(dims):
                    if name in lengths:
                        document["shape"][axis] = lengths[name]
                        if not path.startswith(("mask", "image")):
                            document["chunks"][axis] = lengths[name]

    return change


def _shaped(**lengths: int) -> Draft:
    draft = base()
    draft.edit_metadata = _shape_everywhere(**lengths)
    return draft


def _with_extra_array() -> Draft:
    draft = base()
    zarray = {
        "chunks": [1],
        "compressor": {"id": "gzip", "level": 5},
        "dtype": "|u1",
        "fill_value": None,
        "filters": None,
        "order": "C",
        "shape": [1],
        "zarr_format": 2,
    }
    draft.extra_arrays["extra"] = (zarray, {"_ARRAY_DIMENSIONS": ["extra"]}, b"\1")
    return draft


BLOSC = {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0}
FILTERS = [{"id": "delta", "dtype": "|u1"}]
CM = ("area_cm2", "long_axis_cm", "disk_diameter_cm")

DRAFTS: dict[str, Callable[[], Draft]] = {
    "Z1-zgroup-of-format-3": lambda: _metadata(".zgroup", zarr_format=3),
    "Z1-zarray-of-format-3": lambda: _metadata("mask/.zarray", zarr_format=3),
    "Z2-no-confidence": lambda: _without_arrays(base(), "confidence"),
    "Z2-no-mask": lambda: _without_arrays(base(), "mask"),
    "Z3-time-in-float32": lambda: _metadata("frame_time/.zarray", dtype="<f4"),
    "Z3-big-endian": lambda: _metadata("area_px/.zarray", dtype=">f4"),
    "Z3-mask-of-booleans": lambda: _metadata("mask/.zarray", dtype="|b1"),
    "Z4-blosc": lambda: _metadata("mask/.zarray", compressor=BLOSC),
    "Z4-no-compressor": lambda: _metadata("mask/.zarray", compressor=None),
    "Z4-gzip-without-level": lambda: _metadata("mask/.zarray", compressor={"id": "gzip"}),
    "Z5-fortran-order": lambda: _metadata("mask/.zarray", order="F"),
    "Z6-filters": lambda: _metadata("mask/.zarray", filters=FILTERS),
    "Z6-filters-left-out": lambda: _without_member("mask/.zarray", "filters"),
    "Z7-slash-separator": lambda: _metadata("mask/.zarray", dimension_separator="/"),
    "Z8-mask-fill-0": lambda: _metadata("mask/.zarray", fill_value=0),
    "Z8-area-fill-0": lambda: _metadata("area_px/.zarray", fill_value=0.0),
    "Z9-axes-swapped": lambda: _metadata(
        "mask/.zattrs", _ARRAY_DIMENSIONS=["object", "frame", "x", "y"]
    ),
    "Z9-no-axes": lambda: _without_member("mask/.zattrs", "_ARRAY_DIMENSIONS"),
    "Z10-time-shorter": lambda: _cut("frame_time"),
    "Z10-area-shorter": lambda: _cut("area_px"),
    "Z10-mask-shorter": lambda: _cut("mask", 6),
    "Z10-enormous-shape": lambda: _shaped(frame=4_000_000_000),
    "Z10-zero-frames": lambda: _shaped(frame=0),
    "Z10-shape-of-fractions": lambda: _metadata("frame_time/.zarray", shape=[6.5]),
    "Z10-nineteen-disks": lambda: _shaped(disk=19),
    "Z11-curve-in-two-chunks": lambda: _metadata("frame_time/.zarray", chunks=[4]),
    "Z11-chunk-of-nothing": lambda: _metadata("mask/.zarray", chunks=[1, 0, 6, 5]),
    "Z11-half-rows": lambda: _metadata("mask/.zarray", chunks=[1, 3, 3, 5]),
    "Z12-million-frames-declared": lambda: _shaped(frame=1_000_000),
    "Z13-extra-array-in-1.0": _with_extra_array,
    "Z14-wrong-units": lambda: _metadata("area_px/.zattrs", units="px"),
    "Z14-no-units": lambda: _without_member("area_px/.zattrs", "units"),
    "Z14-empty-long-name": lambda: _metadata("area_px/.zattrs", long_name=""),
    "Z15-extra-array-attribute": lambda: _metadata("area_px/.zattrs", scale_factor=2),
    "A1-no-view": lambda: _lacking("view"),
    "A1-no-warnings": lambda: _lacking("warnings"),
    "A1-source-without-sha256": lambda: _lacking("source", "sha256"),
    "A1-model-without-licence": lambda: _lacking("model", "licence"),
    "A2-patient-name": lambda: _attributes(patient_name="John Doe"),
    "A2-file-name-in-source": lambda: _member("source", path="john_doe.avi"),
    "A3-schema-of-another-name": lambda: _attributes(schema="other"),
    "A3-warnings-is-text": lambda: _attributes(warnings="none"),
    "A3-unknown-view": lambda: _attributes(view="A9C"),
    "A3-view-source-guessed": lambda: _attributes(view_source="guessed"),
    "A3-negative-spacing": lambda: _attributes(
        base(spacing_cm=SPACING_CM), spacing_cm=[-0.05, -0.05]
    ),
    "A3-one-spacing": lambda: _attributes(base(spacing_cm=SPACING_CM), spacing_cm=[0.05]),
    "A3-rate-is-text": lambda: _attributes(frame_rate_hz="50"),
    "A3-rate-is-true": lambda: _attributes(frame_rate_hz=True),
    "A3-short-sha256": lambda: _member("source", sha256="abc"),
    "A3-created-without-zone": lambda: _attributes(created="2026-11-21T09:00:00"),
    "A3-object-name-with-space": lambda: _attributes(object_names=["left ventricle"]),
    "A3-measurable-is-text": lambda: _attributes(
        quality={"left_ventricle": {"measurable": "yes", "reasons": []}}
    ),
    "A4-versions-disagree": lambda: _attributes(schema_version="1.1"),
    "A5-two-names-one-object": lambda: _attributes(object_names=["left_ventricle", "left_atrium"]),
    "A5-one-name-two-objects": lambda: _attributes(two_objects(), object_names=["left_ventricle"]),
    "A6-view-without-source": lambda: _attributes(view_source=None),
    "A6-source-without-view": lambda: _attributes(view="unknown"),
    "A7-no-spacing-no-reason": lambda: _attributes(spacing_reason=None),
    "A7-spacing-and-reason": lambda: _attributes(calibrated(), spacing_reason="none"),
    "A8-aspect-of-other-pixels": lambda: _attributes(calibrated(), pixel_aspect=1.1),
    "A8-aspect-without-spacing": lambda: _attributes(pixel_aspect=1.1),
    "A9-centimetres-without-spacing": lambda: _attributes(
        calibrated(), spacing_cm=None, spacing_reason="not trusted"
    ),
    "A9-spacing-without-centimetres": lambda: _without_arrays(calibrated(), *CM),
    "A9-one-array-of-three": lambda: _without_arrays(calibrated(), "long_axis_cm"),
    "A10-no-image-no-reason": lambda: _attributes(base(with_image=False), image_reason=None),
    "A10-image-and-reason": lambda: _attributes(image_reason="too large"),
    "A11-frame-count-disagrees": lambda: _member("source", frame_count=8),
    "A11-height-and-width-swapped": lambda: _member("source", height=5, width=6),
    "A12-frames-without-rate": lambda: _attributes(frame_rate_hz=None),
    "A13-quality-of-another-object": lambda: _attributes(
        quality={"left_atrium": {"measurable": True, "reasons": []}}
    ),
    "A14-not-measurable-no-reason": lambda: _quality(False),
    "A14-measurable-with-reason": lambda: _quality(True, "unsteady"),
    "A15-unknown-reason": lambda: _quality(False, "bad_luck"),
    "D2-time-nan": lambda: _array("frame_time", 3, np.nan),
    "D2-time-infinite": lambda: _array("frame_time", 6, np.inf),
    "D3-time-repeats": lambda: _array("frame_time", 3, 0.041),
    "D3-time-goes-back": lambda: _array("frame_time", 3, 0.001),
    "D4-rate-disagrees": lambda: _attributes(frame_rate_hz=25.0),
    "D5-mask-of-2": lambda: _array("mask", (0, 4, 2, 2), 2),
    "D6-status-7": lambda: _array("status", (0, 3), 7),
    "D7-measured-without-area": lambda: _array("area_px", (0, 3), np.nan),
    "D7-measured-without-confidence": lambda: _array("confidence", (0, 3), np.nan),
    "D7-measured-without-long-axis": lambda: _array("long_axis_px", (0, 3), np.nan),
    "D7-measured-without-a-disk": lambda: _array("disk_diameter_px", (0, 3, 19), np.nan),
    "D7-measured-infinite-length": lambda: _array("long_axis_px", (0, 3), np.inf),
    "D7-measured-negative-length": lambda: _array("long_axis_px", (0, 3), -1.0),
    "D7-edge-frame-without-area": lambda: _array("area_px", (0, 3), np.nan, draft=_frame(3)),
    "D7-measured-empty-mask": lambda: _array(
        "mask", (0, 3), 0, draft=_array("area_px", (0, 3), 0)
    ),
    "D8-no-object-with-area": lambda: _array("area_px", (0, 3), 4.0, draft=_frame(1)),
    "D8-no-object-area-nan": lambda: _array("area_px", (0, 3), np.nan, draft=_frame(1)),
    "D8-no-object-with-length": lambda: _array("long_axis_px", (0, 3), 3.0, draft=_frame(1)),
    "D8-no-object-length-0": lambda: _array("long_axis_px", (0, 3), 0.0, draft=_frame(1)),
    "D8-no-object-with-mask": lambda: _array("mask", (0, 3, 2, 2), 1, draft=_frame(1)),
    "D9-not-decoded-area-0": lambda: _array("area_px", (0, 3), 0.0, draft=_frame(2)),
    "D9-not-decoded-with-mask": lambda: _array("mask", (0, 3, 2, 2), 1, draft=_frame(2)),
    "D9-not-decoded-with-confidence": lambda: _array("confidence", (0, 3), 0.0, draft=_frame(2)),
    "D10-negative-confidence": lambda: _array("confidence", (0, 3), -0.1),
    "D10-confidence-above-1": lambda: _array("confidence", (0, 3), 1.5),
    "D11-area-is-not-the-mask": lambda: _array("area_px", (0, 3), 12.5),
    "D11-area-ignores-the-aspect": lambda: _array(
        "area_cm2",
        ...,
        0.0016 * 5.0,
        draft=_array("area_px", ..., 5.0, draft=base(spacing_cm=(0.08, 0.04))),
    ),
    "D12-area-cm2-disagrees": lambda: _array("area_cm2", (0, 3), 0.5, draft=calibrated()),
    "D12-long-axis-cm-disagrees": lambda: _array("long_axis_cm", (0, 3), 0.5, draft=calibrated()),
    "D12-disk-cm-disagrees": lambda: _array(
        "disk_diameter_cm", (0, 3, 7), 0.5, draft=calibrated()
    ),
    "D12-no-object-area-cm2-nan": lambda: _array(
        "area_cm2", (0, 3), np.nan, draft=_frame(1, draft=calibrated())
    ),
    "D13-not-measurable-but-measured": _not_measurable_but_measured,
}


def invalid_files(name: str) -> Files:
    """Files of one invalid store, its manifest included."""
    if name in DRAFTS:
        draft = DRAFTS[name]()
        return with_manifest(encode(draft), draft.version)
    files = encode(base())
    if name in BEFORE_MANIFEST:
        BEFORE_MANIFEST[name](files)
        return with_manifest(files)
    files = with_manifest(files)
    AFTER_MANIFEST[name](files)
    return files


INVALID = (*AFTER_MANIFEST, *BEFORE_MANIFEST, *DRAFTS)
