from __future__ import annotations

import json

import numpy as np
import pytest

from medseg.store.manifest import (
    entry,
    is_safe_path,
    json_bytes,
    manifest_bytes,
    parse_json_object,
    plain,
)


def test_entry_of_known_content():
    assert (entry(b"").bytes, entry(b"").md5) == (0, "d41d8cd98f00b204e9800998ecf8427e")
    assert entry(b"abc").md5 == "900150983cd24fb0d6963f7d28e17f72"  # RFC 1321, A.5


def test_manifest_keys_are_sorted():
    text = manifest_bytes({"mask/0.0.0.0": entry(b"b"), ".zattrs": entry(b"a")})
    assert list(json.loads(text)["files"]) == [".zattrs", "mask/0.0.0.0"]
    assert json.loads(text)["schema_version"] == "1.0"


@pytest.mark.parametrize("path", [".zattrs", "mask/0.1.0.0", "a/b/c-d_E.9", "..a/b.."])
def test_paths_inside(path):
    assert is_safe_path(path)


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "./a", "a\\b", "C:x", "a b", "a\n", "é"],
)
def test_paths_outside_or_odd(path):
    assert not is_safe_path(path)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": "\xe9"}',
        b"[" * 100_000,
    ],
)
def test_json_that_is_not_strict(text):
    with pytest.raises(ValueError):
        parse_json_object(text)


def test_json_round_trip_keeps_text_that_is_not_ascii():
    document = {"reason": "étalonnage", "numbers": [1, 0.1, None, True]}
    assert parse_json_object(json_bytes(document)) == document


def test_plain_values():
    given = {"a": (np.float32(0.5), np.int64(3)), "b": np.array([1, 2]), "c": None, "d": "x"}
    assert plain(given) == {"a": [0.5, 3], "b": [1, 2], "c": None, "d": "x"}
    assert type(plain(np.uint8(3))) is int
    with pytest.raises(ValueError, match="use None"):
        plain({"a": [float("nan")]})
