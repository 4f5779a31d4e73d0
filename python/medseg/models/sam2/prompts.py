"""What a person or another model points at: points, a box or a mask, on one object in one frame."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from medseg.errors import InputError

OBJECT_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")  # as the store has them
MOST_OBJECTS = 16  # in a store
ON_OBJECT, ON_BACKGROUND = 1, 0
_CORNERS = (2, 3)  # labels of a box's upper left and lower right corner


@dataclass(frozen=True, eq=False)
class Prompt:
    """Where an object is in one frame, in that frame's pixels: x to the right, y down.

    Points and a box may be given together; a mask stands alone. `correct` asks that the frame be
    tracked first and the points then mend what was found; without it the prompt stands for itself.
    """

    object: str
    frame: int = 0  # the first is 0
    points: tuple[tuple[float, float], ...] = ()  # (x, y)
    labels: tuple[int, ...] = ()  # one a point: 1 on the object, 0 on the background
    box: tuple[float, float, float, float] | None = None  # x0, y0, x1, y1
    mask: np.ndarray | None = None  # (H,W) bool
    correct: bool = False


def object_names(prompts: Sequence[Prompt]) -> tuple[str, ...]:
    """The objects that prompts speak of, in the order of their first mention."""
    return tuple(dict.fromkeys(prompt.object for prompt in prompts))


def first_frames(prompts: Sequence[Prompt]) -> dict[str, int]:
    """The first frame in which each object is pointed at."""
    return {
        name: min(prompt.frame for prompt in prompts if prompt.object == name)
        for name in object_names(prompts)
    }


def check_prompts(
    prompts: Sequence[Prompt], *, frame_count: int, height: int, width: int, where: str
) -> None:
    """Raise InputError, one line, unless every prompt fits a clip of that size."""
    if not prompts:
        raise InputError(f"{where}: points at no object; give each object a point, a box or a mask")
    names = object_names(prompts)
    if len(names) > MOST_OBJECTS:
        raise InputError(f"{where}: {len(names)} objects, and a store holds {MOST_OBJECTS}")
    seen = set()
    first = first_frames(prompts)
    for prompt in prompts:
        about = f"{where}: object {prompt.object}, frame {prompt.frame}"
        if not 0 <= prompt.frame < frame_count:
            raise InputError(f"{about}: the clip has frames 0 to {frame_count - 1}")
        if (prompt.object, prompt.frame) in seen:
            raise InputError(f"{about}: is pointed at twice; put the points into one prompt")
        seen.add((prompt.object, prompt.frame))
        check_prompt(prompt, height=height, width=width, where=where)
        if prompt.correct and prompt.frame == first[prompt.object]:
            raise InputError(f"{about}: nothing was tracked yet that could be corrected")


def check_prompt(prompt: Prompt, *, height: int, width: int, where: str) -> None:
    """Raise InputError, one line, unless a prompt fits frames of that size."""
    about = f"{where}: object {prompt.object}, frame {prompt.frame}"
    if not OBJECT_NAME.match(prompt.object):
        raise InputError(
            f"{about}: an object's name is of small letters, digits and _, as left_ventricle"
        )
    if prompt.mask is not None:
        if prompt.points or prompt.box is not None:
            raise InputError(f"{about}: a mask stands alone; leave out the points and the box")
        if prompt.mask.shape != (height, width):
            raise InputError(
                f"{about}: the mask has shape {prompt.mask.shape}, the frames {(height, width)}"
            )
        if not prompt.mask.any() and not prompt.correct:
            raise InputError(f"{about}: the mask is empty, so it points at nothing")
        return
    if not prompt.points and prompt.box is None:
        raise InputError(f"{about}: neither points nor a box nor a mask; give one of them")
    if len(prompt.points) != len(prompt.labels):
        raise InputError(
            f"{about}: {len(prompt.points)} points and {len(prompt.labels)} labels; "
            "give each point a 1 (object) or a 0 (background)"
        )
    if any(label not in (ON_OBJECT, ON_BACKGROUND) for label in prompt.labels):
        raise InputError(f"{about}: a label is neither 1 (object) nor 0 (background)")
    for x, y in prompt.points:
        _check_inside(x, y, height, width, f"{about}: point ({x:g}, {y:g})")
    if prompt.box is not None:
        x0, y0, x1, y1 = prompt.box
        for x, y in ((x0, y0), (x1, y1)):
            _check_inside(x, y, height, width, f"{about}: box corner ({x:g}, {y:g})")
        if not (x0 < x1 and y0 < y1):
            raise InputError(f"{about}: box {prompt.box} is empty; give x0 < x1 and y0 < y1")
    elif not prompt.correct and ON_OBJECT not in prompt.labels:
        raise InputError(f"{about}: every point is on the background; give one on the object")


def _check_inside(x: float, y: float, height: int, width: int, about: str) -> None:
    if not (math.isfinite(x) and math.isfinite(y) and 0 <= x <= width and 0 <= y <= height):
        raise InputError(f"{about} lies outside the frame of {width} x {height} pixels")


def point_inputs(
    prompt: Prompt, *, height: int, width: int, side: int, device: torch.device
) -> dict[str, Tensor]:
    """Points (1,P,2) in the network's pixels and labels (1,P), a box's corners first."""
    corners = () if prompt.box is None else (prompt.box[:2], prompt.box[2:])
    labels = (*(_CORNERS if corners else ()), *prompt.labels)
    points = torch.tensor([*corners, *prompt.points], dtype=torch.float32)
    points = points / torch.tensor([width, height]) * side
    return {
        "point_coords": points[None].to(device),
        "point_labels": torch.tensor([labels], dtype=torch.int32, device=device),
    }
