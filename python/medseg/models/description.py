"""What a weights file of ours says about its network: architecture, preparation, origin."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from medseg.errors import WeightsError
from medseg.models.weights import Checkpoint

FORMAT = "medseg-network-1"

# The training set's mean and standard deviation per channel (R, G, B) of EchoNet-Dynamic, as the
# SimLVSeg authors publish them, for pixels in 0..1. EchoNet's own checkpoints do not hold theirs.
ECHONET_MEAN = (0.12741163, 0.1279413, 0.12912785)
ECHONET_STANDARD_DEVIATION = (0.19557191, 0.19562256, 0.1965878)

Shape = TypeVar("Shape")
Prepared = TypeVar("Prepared")
Described = TypeVar("Described")


@dataclass(frozen=True)
class Preparation:
    """How frames become a network's input; it travels inside the weights file."""

    size: int = 112  # pixels of the square that the network sees
    mean: tuple[float, ...] = ECHONET_MEAN  # of R, G, B in 0..1
    standard_deviation: tuple[float, ...] = ECHONET_STANDARD_DEVIATION


def pack(format_name: str, shape: Any, preparation: Any, **more: str) -> dict[str, str]:
    """A weights file's metadata: two dataclasses of plain values, and whatever else is text."""
    return {
        "format": format_name,
        "shape": json.dumps(asdict(shape)),
        "preparation": json.dumps(asdict(preparation)),
        **more,
    }


def unpack(
    checkpoint: Checkpoint,
    format_name: str,
    shape_type: type[Shape],
    preparation_type: type[Prepared],
) -> tuple[Shape, Prepared]:
    """Read back what `pack` wrote.

    Raises:
        KeyError, TypeError, ValueError: the file holds no such description.
    """
    if checkpoint.metadata["format"] != format_name:
        raise KeyError("format")
    return (
        _whole(shape_type, checkpoint.metadata["shape"]),
        _whole(preparation_type, checkpoint.metadata["preparation"]),
    )


def describe(model: str, shape: Any, preparation: Any, **more: str) -> dict[str, str]:
    """The metadata of weights that were trained for `model`, to be saved beside its tensors.

    `training_data` and `licence`, where given, are shown wherever the model shows a number.
    """
    return pack(FORMAT, shape, preparation, model=model, **more)


def read_description(
    checkpoint: Checkpoint,
    model: str,
    *,
    published: tuple[Shape, Prepared],
) -> tuple[Shape, Prepared]:
    """Give a file's shape and preparation; the published ones where it describes nothing.

    Raises:
        WeightsError: the file is for another model, or its description cannot be read.
    """
    if not checkpoint.metadata.get("format", "").startswith("medseg-"):
        return published
    if checkpoint.metadata.get("purpose") == "pretraining":
        raise WeightsError(
            f"{checkpoint.path}: weights of the self-supervised stage, which outline nothing yet; "
            "go on with: medseg train --recipe unilvseg --pretrained, and this file"
        )
    named = checkpoint.metadata.get("model", "default")
    if named != model:
        raise WeightsError(
            f"{checkpoint.path}: these are weights of the model {named}, not of {model}; "
            f"choose --model {named}"
        )
    try:
        return unpack(checkpoint, FORMAT, type(published[0]), type(published[1]))
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{checkpoint.path}: its description of the model {model} cannot be read ({error}); "
            "train it again with this release, or use the release that wrote it"
        ) from error


def card(
    checkpoint: Checkpoint, name: str, *, training_data: str, licence: str, intended_use: str
) -> dict[str, Any]:
    """The store's model block; what the file says of its own origin goes before what is given."""
    return {
        "name": name,
        "weights_sha256": checkpoint.sha256,
        "training_data": checkpoint.metadata.get("training_data", training_data),
        "licence": checkpoint.metadata.get("licence", licence),
        "intended_use": checkpoint.metadata.get("intended_use", intended_use),
    }


def _whole(kind: type[Described], text: str) -> Described:
    """Build a dataclass from JSON that holds every one of its fields, none by default."""
    values = json.loads(text)
    absent = [field.name for field in fields(kind) if field.name not in values]
    if absent:
        raise KeyError(*absent)
    return kind(**{key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})
