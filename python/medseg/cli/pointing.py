"""What `medseg segment --model sam2` is told: which SAM 2, and what to point at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from medseg.models.sam2 import Prompter, Sam2Segmenter

SAM2 = "sam2"
CENTRE, AUTOMATIC = "centre-box", "automatic"

Size = Annotated[
    str, typer.Option("--sam2-size", help="tiny, small, base-plus or large.", show_default=True)
]
Version = Annotated[str, typer.Option("--sam2-version", help="2.0 or 2.1.")]
ImageSize = Annotated[
    int | None,
    typer.Option("--image-size", help="SAM 2's picture; 1024, or 512 for MedSAM2's weights."),
]
RandomWeights = Annotated[
    bool, typer.Option("--random-weights", help="SAM 2 without weights: its masks mean nothing.")
]
Prompts = Annotated[
    Path | None, typer.Option("--prompts", help="JSON: points, boxes, masks by object and frame.")
]
PromptFrom = Annotated[
    str | None,
    typer.Option(
        "--prompt-from", help=f"{CENTRE}, {AUTOMATIC}, or another model, such as default."
    ),
]
PromptFrame = Annotated[
    int | None, typer.Option("--prompt-frame", help="Where --prompt-from points; first is 0.")
]
Direction = Annotated[str, typer.Option("--direction", help="forward, backward or both.")]
Precision = Annotated[str, typer.Option("--precision", help="SAM 2's: float32 or bfloat16.")]
WholeFrame = Annotated[
    bool, typer.Option("--whole-frame", help="No ultrasound: look for no sector, blank nothing.")
]


@dataclass(frozen=True)
class Pointing:
    """The options that only SAM 2 has."""

    size: str
    version: str
    image_size: int | None
    random_weights: bool
    prompts: Path | None
    prompt_from: str | None
    prompt_frame: int | None
    direction: str
    precision: str

    def refuse_for(self, model: str) -> None:
        """Raise InputError where an option was given that another model has no use for."""
        from medseg.errors import InputError

        given = {
            "--random-weights": self.random_weights,
            "--prompts": self.prompts is not None,
            "--prompt-from": self.prompt_from is not None,
        }
        for option, used in given.items():
            if used:
                raise InputError(f"{option}: the model {model} takes no prompts; add --model sam2")


def load_pointing(wanted: Pointing, weights: Path | None, device: str) -> Sam2Segmenter:
    """Load SAM 2 and what points for it; raises MedsegError."""
    from medseg.models.sam2 import Sam2Segmenter, load_sam2

    prompter = _prompter(wanted, device)
    sam2 = load_sam2(
        wanted.size,
        version=wanted.version,
        weights=weights,
        image_size=wanted.image_size,
        device=device,
        precision=wanted.precision,
        random_weights=wanted.random_weights,
    )
    return Sam2Segmenter(sam2, prompter, direction=wanted.direction)


def _prompter(wanted: Pointing, device: str) -> Prompter:
    from medseg.errors import InputError
    from medseg.models import load_model
    from medseg.models import sam2 as pointing

    if (wanted.prompts is None) == (wanted.prompt_from is None):
        raise InputError(
            "model sam2: say what to outline, with --prompts FILE, or with --prompt-from "
            f"{CENTRE}, {AUTOMATIC} or another model (one of them)"
        )
    if wanted.direction not in pointing.DIRECTIONS:
        raise InputError(f"--direction {wanted.direction}: choose {', '.join(pointing.DIRECTIONS)}")
    if wanted.prompts is not None:
        return pointing.given(pointing.read_prompts(wanted.prompts))
    if wanted.prompt_from == CENTRE:
        return pointing.from_centre_box(frame=wanted.prompt_frame or 0)
    if wanted.prompt_from == AUTOMATIC:
        return pointing.from_automatic_masks(frame=wanted.prompt_frame or 0)
    model = load_model(str(wanted.prompt_from), device=device)
    return pointing.from_model(model, frame=wanted.prompt_frame)
