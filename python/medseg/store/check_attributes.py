"""Level A of the specification: are the root attributes complete and free of contradiction?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isclose
from typing import Any

from medseg.store.findings import Finding
from medseg.store.layout import CALIBRATED, REASON_CODES, minor
from medseg.store.schemas import schema_breaches

ASPECT_TOLERANCE = 1e-6


def check_attributes(
    attributes: Mapping[str, Any],
    *,
    version: str,
    arrays: tuple[str, ...],
    lengths: Mapping[str, int],
) -> list[Finding]:
    """A1 to A15 for root attributes, given the arrays that are there and the axis lengths."""
    found = list(dict.fromkeys(_check_schema(attributes, minor(version))))
    if found:
        return found
    return [
        *_check_identity(attributes, version, lengths),
        *_check_calibration(attributes, arrays),
        *_check_frames(attributes, arrays, lengths),
        *_check_quality(attributes, minor(version)),
    ]


def _check_schema(attributes: Mapping[str, Any], minor_version: int) -> Iterator[Finding]:
    for breach in schema_breaches("root-attributes", attributes):
        where = ".".join(breach.path)
        for key in breach.missing:
            yield Finding("A1", f"{where}.{key}".lstrip("."), "is missing")
        for key in breach.unknown if minor_version == 0 else ():
            yield Finding("A2", f"{where}.{key}".lstrip(".")[:100], "is unknown to version 1.0")
        if not breach.missing and not breach.unknown:
            yield Finding("A3", where, breach.message)


def _check_identity(
    attributes: Mapping[str, Any], version: str, lengths: Mapping[str, int]
) -> Iterator[Finding]:
    if attributes["schema_version"] != version:
        said = f"is {attributes['schema_version']}, the manifest says {version}"
        yield Finding("A4", "schema_version", said)
    names = attributes["object_names"]
    if len(names) != lengths["object"]:
        said = f"has {len(names)} names for {lengths['object']} objects"
        yield Finding("A5", "object_names", said)
    if (attributes["view"] == "unknown") != (attributes["view_source"] is None):
        yield Finding("A6", "view_source", "is null if and only if the view is unknown")


def _check_calibration(attributes: Mapping[str, Any], arrays: tuple[str, ...]) -> Iterator[Finding]:
    spacing = attributes["spacing_cm"]
    if (spacing is None) != isinstance(attributes["spacing_reason"], str):
        yield Finding("A7", "spacing_reason", "is text if and only if spacing_cm is null")
    aspect = 1.0 if spacing is None else spacing[0] / spacing[1]
    if not isclose(attributes["pixel_aspect"], aspect, rel_tol=ASPECT_TOLERANCE):
        said = f"is {attributes['pixel_aspect']}, spacing_cm makes it {aspect}"
        yield Finding("A8", "pixel_aspect", said)
    for name in CALIBRATED:
        if (name in arrays) != (spacing is not None):
            yield Finding("A9", name, "is there if and only if spacing_cm is not null")


def _check_frames(
    attributes: Mapping[str, Any], arrays: tuple[str, ...], lengths: Mapping[str, int]
) -> Iterator[Finding]:
    if ("image" in arrays) == isinstance(attributes["image_reason"], str):
        yield Finding("A10", "image_reason", "is text if and only if there is no image")
    for key, axis in (("frame_count", "frame"), ("height", "y"), ("width", "x")):
        if attributes["source"][key] != lengths[axis]:
            said = f"is {attributes['source'][key]}, the arrays have {lengths[axis]}"
            yield Finding("A11", f"source.{key}", said)
    if (attributes["frame_rate_hz"] is None) != (lengths["frame"] == 1):
        yield Finding("A12", "frame_rate_hz", "is null if and only if there is one frame")


def _check_quality(attributes: Mapping[str, Any], minor_version: int) -> Iterator[Finding]:
    quality = attributes["quality"]
    if set(quality) != set(attributes["object_names"]):
        yield Finding("A13", "quality", "does not speak of exactly the objects in object_names")
    for name, verdict in quality.items():
        if verdict["measurable"] == bool(verdict["reasons"]):
            said = "has reasons if and only if the object is not measurable"
            yield Finding("A14", f"quality.{name}", said)
        for reason in verdict["reasons"]:
            if minor_version == 0 and reason["code"] not in REASON_CODES:
                said = f"has the unknown reason code {reason['code'][:40]}"
                yield Finding("A15", f"quality.{name}", said)
