"""The manifest: which files make a store whole, their sizes and their MD5 sums."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import md5
from math import isfinite, isinf
from typing import Any

import numpy as np

from medseg.store.layout import SCHEMA_NAME, SCHEMA_VERSION

SAFE_PATH = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*\Z")


@dataclass(frozen=True)
class Entry:
    """One listed file: its size in bytes and its MD5 in lower-case hexadecimal."""

    bytes: int
    md5: str


def entry(content: bytes) -> Entry:
    """The manifest's entry for a file with this content."""
    return Entry(len(content), md5_hex(content))


def md5_hex(content: bytes) -> str:
    """MD5 in lower-case hexadecimal: against damage, not against malice."""
    return md5(content, usedforsecurity=False).hexdigest()


def manifest_bytes(entries: Mapping[str, Entry], version: str = SCHEMA_VERSION) -> bytes:
    """The text of ``manifest.json``, keys sorted."""
    files = {k: {"bytes": v.bytes, "md5": v.md5} for k, v in sorted(entries.items())}
    return json_bytes({"files": files, "schema": SCHEMA_NAME, "schema_version": version})


def is_safe_path(path: str) -> bool:
    """Whether a listed path is relative and stays inside the store."""
    return SAFE_PATH.match(path) is not None and not {".", ".."} & set(path.split("/"))


def json_bytes(document: Any) -> bytes:
    """Strict JSON in UTF-8, sorted keys, one final newline.

    Raises ValueError for NaN and infinities, TypeError for what JSON does not know.
    """
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8") + b"\n"


def plain(value: Any) -> Any:
    """The same value in JSON's own types: lists for tuples, Python's numbers for numpy's.

    Raises ValueError for NaN and infinities: what is unknown is None.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(member) for member in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"an attribute is {value}; use None for what is unknown")
    return value


def parse_json_object(content: bytes) -> dict[str, Any]:
    """Read a strict JSON object: UTF-8, no NaN or Infinity, no key twice.

    Raises ValueError saying what is wrong.
    """
    try:
        document = json.loads(
            content.decode("utf-8"),
            parse_constant=_refuse,
            parse_float=_finite,
            object_pairs_hook=_unique,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    return document


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if isinf(value):
        raise ValueError(f"{number} does not fit a double")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return members
