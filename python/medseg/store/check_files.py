"""Level F of the specification: is every file there, whole and described?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from medseg.store.findings import INCOMPLETE, NOT_FOUND, Finding, Refused, stop_at
from medseg.store.folder import Folder
from medseg.store.layout import MANIFEST, ROOT_FILES, supported
from medseg.store.manifest import Entry, is_safe_path, md5_hex, parse_json_object
from medseg.store.schemas import schema_breaches

Documents = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Listing:
    """What the manifest says: the version and every file."""

    version: str
    entries: dict[str, Entry]

    def metadata_paths(self) -> list[str]:
        """Listed Zarr metadata documents, the consolidated one included."""
        tails = (".zgroup", ".zattrs", ".zarray")
        return [
            path
            for path in self.entries
            if path == ".zmetadata" or path.rsplit("/", 1)[-1] in tails
        ]


def read_manifest(folder: Folder) -> Listing:
    """F1 to F4. Raises Refused."""
    try:
        content = folder.read_all(MANIFEST)
    except FileNotFoundError:
        raise Refused([INCOMPLETE if folder.exists() else NOT_FOUND]) from None
    except NotADirectoryError:
        raise Refused([NOT_FOUND]) from None
    except OSError as error:
        raise Refused([Finding("F2", MANIFEST, f"cannot be read: {_reason(error)}")]) from None
    try:
        document = parse_json_object(content)
    except ValueError as error:
        raise Refused([Finding("F2", MANIFEST, f"is not strict JSON: {error}")]) from None
    stop_at(
        Finding("F2", MANIFEST, f"{'.'.join(breach.path)}: {breach.message}".lstrip(": "))
        for breach in schema_breaches("manifest", document)
    )
    version = document["schema_version"]
    if not supported(version):
        said = f"says version {version[:20]!r}, this release reads 1.x"
        raise Refused([Finding("F3", MANIFEST, said)])
    files = document["files"]
    stop_at(
        Finding("F4", MANIFEST, f"lists {path[:100]!r}, which is not a path inside the store")
        for path in files
        if not is_safe_path(path) or path == MANIFEST
    )
    entries = {path: Entry(int(file["bytes"]), file["md5"]) for path, file in files.items()}
    return Listing(version, entries)


def check_all_files(folder: Folder, listing: Listing) -> Iterator[Finding]:
    """F5 to F9 for every file."""
    for path, entry in listing.entries.items():
        size = folder.size(path)
        if size is None:
            yield Finding("F5", path, "is missing")
        elif size != entry.bytes:
            yield Finding("F6", path, f"has {size} bytes, not {entry.bytes}")
        else:
            yield from _check_md5(folder, path, entry)
    for path in sorted(folder.listing() - set(listing.entries) - {MANIFEST}):
        yield Finding("F8", path, "is not listed in the manifest")
    yield from check_root_files(listing)


def _check_md5(folder: Folder, path: str, entry: Entry) -> Iterator[Finding]:
    try:
        actual = folder.md5(path)
    except OSError as error:
        yield Finding("F5", path, f"cannot be read: {_reason(error)}")
        return
    if actual != entry.md5:
        yield Finding("F7", path, f"was altered: its MD5 is {actual}, not {entry.md5}")


def check_root_files(listing: Listing) -> Iterator[Finding]:
    """F9."""
    for path in ROOT_FILES:
        if path not in listing.entries:
            yield Finding("F9", path, "is not listed in the manifest")


def read_file(folder: Folder, listing: Listing, path: str) -> bytes:
    """One listed file, checked against F5, F6 and F7. Raises Refused."""
    entry = listing.entries[path]
    try:
        content = folder.read(path, entry.bytes + 1)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise Refused([Finding("F5", path, "is missing")]) from None
    except OSError as error:
        raise Refused([Finding("F5", path, f"cannot be read: {_reason(error)}")]) from None
    if len(content) != entry.bytes:
        size = "more" if len(content) > entry.bytes else f"{len(content)} bytes"
        raise Refused([Finding("F6", path, f"has {size}, not {entry.bytes} bytes")])
    actual = md5_hex(content)
    if actual != entry.md5:
        said = f"was altered: its MD5 is {actual}, not {entry.md5}"
        raise Refused([Finding("F7", path, said)])
    return content


def read_documents(folder: Folder, listing: Listing) -> Documents:
    """F9 to F11: the metadata documents by path, ``.zmetadata`` left out. Raises Refused."""
    stop_at(check_root_files(listing))
    documents: Documents = {}
    broken = []
    for path in listing.metadata_paths():
        try:
            documents[path] = parse_json_object(read_file(folder, listing, path))
        except ValueError as error:
            broken.append(Finding("F10", path, f"is not a strict JSON object: {error}"))
    stop_at(broken)
    consolidated = documents.pop(".zmetadata")
    stop_at(check_consolidated(consolidated, documents))
    return documents


def check_consolidated(
    consolidated: Mapping[str, Any], documents: Mapping[str, Any]
) -> Iterator[Finding]:
    """F11."""
    where = ".zmetadata"
    if not same_json(consolidated.get("zarr_consolidated_format"), 1):
        yield Finding("F11", where, "is not of zarr_consolidated_format 1")
    held = consolidated.get("metadata")
    if not isinstance(held, dict):
        yield Finding("F11", where, "holds no metadata")
        return
    for path in sorted({*held, *documents}):
        if path not in held or path not in documents:
            side = "does not hold" if path in documents else "holds, but the store has not,"
            yield Finding("F11", where, f"{side} {path[:100]!r}")
        elif not same_json(held[path], documents[path]):
            yield Finding("F11", where, f"differs from {path}")


def same_json(left: Any, right: Any) -> bool:
    """Equality of JSON values: 1 equals 1.0, and neither equals true."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_json(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same_json, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
