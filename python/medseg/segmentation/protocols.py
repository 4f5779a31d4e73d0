"""What the engine needs of a network, whether it looks at windows or follows objects in order."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from medseg.clip import Clip
from medseg.sector import Sector


class Segmenter(Protocol):
    """What the engine needs of a network; `medseg.models.load_model` gives one."""

    name: str
    object_names: tuple[str, ...]
    card: dict[str, Any]
    halo_s: float

    def probabilities(
        self, frames: NDArray[np.uint8], *, time_s: NDArray[np.float64], core: slice, sector: Sector
    ) -> NDArray[np.float32]:
        """Probabilities (core, object, H, W) of frames (T, H, W, 3)."""
        ...


@runtime_checkable
class Follower(Protocol):
    """A network that follows objects through one clip, and so is given its frames in order."""

    name: str
    object_names: tuple[str, ...]
    card: dict[str, Any]
    halo_s: float
    notes: list[str]  # go to the store's warnings

    def follow(
        self, start: int, frames: NDArray[np.uint8], decoded: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Probabilities (T, object, H, W) of the next frames; NaN where it did not look."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


@runtime_checkable
class Promptable(Protocol):
    """Knows its objects only once it has seen the clip; `on_clip` gives what follows them."""

    def on_clip(self, clip: Clip, sector: Sector) -> Follower:
        """Look at a clip."""
        ...
