"""The JSON Schemas of the contract, the same files that other languages read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError  # type: ignore[import-untyped]
from jsonschema.validators import extend  # type: ignore[import-untyped]

_PACKAGED = Path(__file__).parent / "schema"
_CHECKOUT = Path(__file__).parents[3] / "shared_data_spec" / "schema"


@dataclass(frozen=True)
class Breach:
    """One way in which a document breaks its schema.

    ``path`` leads to the place; ``missing`` and ``unknown`` name members of the object there, and
    are empty where a value itself is wrong.
    """

    path: tuple[str, ...]
    message: str
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def schema_folder() -> Path:
    """Where the schemas lie: inside the installed package, or in the checkout."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def schema_breaches(name: str, document: Any) -> Iterator[Breach]:
    """Every breach of ``root-attributes``, ``array-metadata`` or ``manifest``."""
    for error in _validator(name).iter_errors(document):
        path = tuple(str(part) for part in error.absolute_path)
        message = str(error.message)[:200]
        missing: tuple[str, ...] = ()
        unknown: tuple[str, ...] = ()
        if error.validator == "required":
            missing = tuple(key for key in error.validator_value if key not in error.instance)
        elif error.validator == "dependentRequired":
            missing = tuple(
                needed
                for key, all_needed in error.validator_value.items()
                if key in error.instance
                for needed in all_needed
                if needed not in error.instance
            )
        elif error.validator == "additionalProperties":
            known = error.schema["properties"]
            unknown = tuple(key for key in error.instance if key not in known)
        yield Breach(path, message, missing, unknown)


@cache
def _validator(name: str) -> Any:
    text = (schema_folder() / f"{name}.schema.json").read_text(encoding="utf-8")
    return _Validator(json.loads(text))


def _check_pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    """JSON Schema's ``$`` is the very end, Python's also comes before a last line feed."""
    if isinstance(value, str) and not re.search(re.sub(r"\$\Z", r"\\Z", pattern), value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


_Validator = extend(Draft202012Validator, {"pattern": _check_pattern})
