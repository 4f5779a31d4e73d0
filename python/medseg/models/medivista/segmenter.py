"""MediViSTA as one of medseg's models: weights, card, and windows over longer clips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from medseg.errors import WeightsError
from medseg.models import windows
from medseg.models.description import Preparation, card, read_description
from medseg.models.framing import frames_to_square, normalise, square_to_frames
from medseg.models.medivista.network import MediViSTA, MediViSTAShape
from medseg.models.medivista.sam_weights import PREFIX
from medseg.models.weights import fit, read_given
from medseg.sector import Sector

MODEL = "medivista"
SAM_MEAN = (123.675 / 255, 116.28 / 255, 103.53 / 255)  # of R, G, B; ImageNet's, as SAM has them
SAM_STANDARD_DEVIATION = (58.395 / 255, 57.12 / 255, 57.375 / 255)
PREPARATION = Preparation(256, SAM_MEAN, SAM_STANDARD_DEVIATION)
TRAIN = "train some"


def load_medivista(weights: Path | None, device: torch.device) -> MediViSTASegmenter:
    """Load weights that this project's training wrote; none are published.

    Raises:
        WeightsError: no file given, SAM's own checkpoint, or one that does not fit.
    """
    cure = f"nobody has published any: {TRAIN}"
    checkpoint = read_given(weights, MODEL, cure=cure)
    if "format" not in checkpoint.metadata and any(
        key.startswith(PREFIX) for key in checkpoint.tensors
    ):
        raise WeightsError(
            f"{checkpoint.path}: these are SAM's own weights, which MediViSTA starts from and "
            f"cannot segment with; {TRAIN} on them, and give those"
        )
    shape, preparation = read_description(
        checkpoint, MODEL, published=(MediViSTAShape(), PREPARATION)
    )
    network = MediViSTA(shape)
    fit(network, checkpoint, architecture="MediViSTA")
    block = card(
        checkpoint,
        "MediViSTA",
        training_data="given by the user; no weights of this model are published",
        licence="the weights' own",
        intended_use="research on echocardiographic clips; not for clinical use",
    )
    return MediViSTASegmenter(network.eval().to(device), preparation, block)


class MediViSTASegmenter:
    """Outlines its objects in overlapping windows of frames, by the frames' own times."""

    name = MODEL

    def __init__(self, network: MediViSTA, preparation: Preparation, card: dict[str, Any]) -> None:
        self.network = network
        self.preparation = preparation
        self.card = card
        self.object_names: tuple[str, ...] = network.shape.objects
        self.frames_per_input = network.shape.frames
        self.halo_s = windows.halo_s(self.frames_per_input)
        self.input_shape = (1, self.frames_per_input, 3, preparation.size, preparation.size)

    def probabilities(
        self, frames: np.ndarray, *, time_s: np.ndarray, core: slice, sector: Sector
    ) -> np.ndarray:
        """Give each pixel's probability of lying in each object.

        Args:
            frames: (T,H,W,3) uint8 RGB, neighbours included.
            time_s: (T,) seconds, by which frames are fused.
            core: the frames that are asked for.
            sector: where the ultrasound is.

        Returns:
            (core,object,H,W) float32 in 0..1.
        """
        length = self.frames_per_input
        reach = slice(max(core.start - length, 0), core.stop + length)
        inner = slice(core.start - reach.start, core.stop - reach.start)
        device = next(self.network.parameters()).device
        pixels, square = frames_to_square(frames[reach], sector, self.preparation.size, device)
        ready = normalise(pixels, self.preparation.mean, self.preparation.standard_deviation)
        clock = torch.from_numpy(np.asarray(time_s[reach], np.float64)).to(device)

        def window(which: Tensor) -> Tensor:
            return self._window(ready[which.to(device)], clock[which.to(device)])

        with torch.inference_mode():
            blended = windows.blend_windows(
                window, torch.arange(len(ready)), time_s=time_s[reach], length=length, core=inner
            )
            return square_to_frames(blended, square)

    def _window(self, ready: Tensor, clock_s: Tensor) -> Tensor:
        """Probabilities (T,object,size,size) of one window's frames (T,3,size,size)."""
        logits = self.network(ready[None], clock_s[None])[0]  # (T,3,H,W) -> (T,K,H,W)
        return logits.softmax(1)[:, 1:]
