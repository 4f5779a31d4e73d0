"""Damage to the files of a store, after its manifest was written or hidden by the manifest."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

from conformance_draft import Files, stored_gzip
from conformance_valid import FRAMES

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
