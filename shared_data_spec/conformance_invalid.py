"""The invalid conformance stores: ``<rule>-<defect>``, one defect each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from conformance_damage import AFTER_MANIFEST, BEFORE_MANIFEST
from conformance_draft import Draft, Files, encode, with_manifest
from conformance_valid import FRAMES, SPACING_CM, base, calibrated, set_status, two_objects


def _metadata(path: str, **changes: Any) -> Draft:
    draft = base()
    draft.edit_metadata = lambda documents: documents[path].update(changes)
    return draft


def _without_member(path: str, member: str) -> Draft:
    draft = base()
    draft.edit_metadata = lambda documents: documents[path].pop(member) and None
    return draft


def _without_document(path: str) -> Draft:
    draft = base()
    draft.edit_metadata = lambda documents: documents.pop(path) and None
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


def _named(draft: Draft, *names: str) -> Draft:
    quality = {name: {"measurable": True, "reasons": []} for name in names}
    return _attributes(draft, object_names=list(names), quality=quality)


def _quality(measurable: bool, *codes: str) -> Draft:
    reasons = [{"code": code, "message": "because"} for code in codes]
    draft = base()
    for frame in range(FRAMES):
        set_status(draft, frame, 0 if measurable else 4)
    draft.attributes["quality"] = {"left_ventricle": {"measurable": measurable, "reasons": reasons}}
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


def _large(chunk_frames: int, **lengths: int) -> Draft:
    """Declare long axes, with whole pictures in the chunks of mask and image."""
    draft = base()

    def change(documents: dict[str, Any]) -> None:
        _shape_everywhere(**lengths)(documents)
        for name in ("mask", "image"):
            zarray = documents[f"{name}/.zarray"]
            zarray["chunks"][-3:] = [chunk_frames, *zarray["shape"][-2:]]

    draft.edit_metadata = change
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
    "Z2-area-without-attributes": lambda: _without_document("area_px/.zattrs"),
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
    "Z11-more-frames-in-a-chunk-than-frames": lambda: _large(8),
    "Z11-chunk-of-more-than-4-MiB": lambda: _large(2, y=2048, x=2048),
    "Z11-image-of-more-than-64-MiB": lambda: _large(1, frame=20, y=2048, x=2048),
    "Z12-million-frames-declared": lambda: _shaped(frame=1_000_000),
    "Z13-extra-array-in-1.0": _with_extra_array,
    "Z13-image-that-is-no-array": lambda: _without_document("image/.zarray"),
    "Z14-wrong-units": lambda: _metadata("area_px/.zattrs", units="px"),
    "Z14-no-units": lambda: _without_member("area_px/.zattrs", "units"),
    "Z14-empty-long-name": lambda: _metadata("area_px/.zattrs", long_name=""),
    "Z15-extra-array-attribute": lambda: _metadata("area_px/.zattrs", scale_factor=2),
    "A1-no-view": lambda: _lacking("view"),
    "A1-no-warnings": lambda: _lacking("warnings"),
    "A1-source-without-sha256": lambda: _lacking("source", "sha256"),
    "A1-model-without-licence": lambda: _lacking("model", "licence"),
    "A1-quality-without-reasons": lambda: _attributes(
        quality={"left_ventricle": {"measurable": True}}
    ),
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
    "A3-object-name-with-line-feed": lambda: _named(base(), "left_ventricle\n"),
    "A3-created-with-line-feed": lambda: _attributes(created="2026-11-21T09:00:00Z\n"),
    "A3-measurable-is-text": lambda: _attributes(
        quality={"left_ventricle": {"measurable": "yes", "reasons": []}}
    ),
    "A4-versions-disagree": lambda: _attributes(schema_version="1.1"),
    "A5-two-names-one-object": lambda: _named(base(), "left_ventricle", "left_atrium"),
    "A5-one-name-two-objects": lambda: _named(two_objects(), "left_ventricle"),
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
    "D7-measured-empty-mask": lambda: _array("mask", (0, 3), 0, draft=_array("area_px", (0, 3), 0)),
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
    "D12-disk-cm-disagrees": lambda: _array("disk_diameter_cm", (0, 3, 7), 0.5, draft=calibrated()),
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
