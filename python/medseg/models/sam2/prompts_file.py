"""Prompts are read from a JSON file."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from jsonschema import Draft202012Validator
from PIL import Image, UnidentifiedImageError

from medseg.errors import InputError
from medseg.models.sam2.prompts import Prompt

SCHEMA = "prompts.schema.json"


def read_prompts(path: str | Path) -> list[Prompt]:
    """Read a prompts file; `prompts.schema.json` beside this module says what it holds.

    Whether its frames and pixels lie within a clip is for `check_prompts`, which knows the clip.

    Raises:
        InputError: no such file, no JSON, against the schema, or a mask that cannot be read.
    """
    path = Path(path)
    document = _document(path)
    for breach in sorted(_validator().iter_errors(document), key=lambda e: list(map(str, e.path))):
        where = ".".join(str(part) for part in breach.absolute_path) or "the file"
        raise InputError(f"{path}: {where}: {breach.message[:200]}; see {SCHEMA}")
    names = [own["name"] for own in document["objects"]]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}: object {twice} is listed twice; put its prompts together")
    prompts = []
    for own in document["objects"]:
        if not own["prompts"]:
            raise InputError(f"{path}: object {own['name']} has no prompt; point at it in a frame")
        prompts += [_prompt(own["name"], given, path.parent) for given in own["prompts"]]
    if not prompts:
        raise InputError(f"{path}: points at no object; give each object a point, a box or a mask")
    return prompts


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no prompts file there; check the path") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: is not JSON ({error}); see {SCHEMA} for what is") from None


@cache
def _validator() -> Draft202012Validator:
    text = (files("medseg.models.sam2") / SCHEMA).read_text("utf-8")
    return Draft202012Validator(json.loads(text))


def _prompt(name: str, given: dict[str, Any], folder: Path) -> Prompt:
    points = tuple((float(x), float(y)) for x, y in given.get("points", ()))
    return Prompt(
        object=name,
        frame=given["frame"],
        points=points,
        labels=tuple(given.get("labels", (1,) * len(points))),
        box=tuple(map(float, given["box"])) if "box" in given else None,
        mask=_mask(folder / given["mask"]) if "mask" in given else None,
        correct=given.get("correct", False),
    )


def _mask(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("L")) > 0
    except FileNotFoundError:
        raise InputError(f"{path}: no mask there; it is looked for beside the prompts") from None
    except (UnidentifiedImageError, OSError) as error:
        raise InputError(f"{path}: cannot be read ({error}); save the mask as PNG") from None
