"""The U-Net that gives a mask for each frame by itself, as the Tec-AI-23 study trained it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from medseg.models.description import Preparation, card, read_description
from medseg.models.framing import frame_by_frame, normalise
from medseg.models.study_unet import StudyUNet, StudyUNetShape
from medseg.models.weights import fit, read_given
from medseg.sector import Sector

MODEL = "unet"
# The study divides pixels by 255 and no more.
PUBLISHED = (StudyUNetShape(), Preparation(mean=(0.0,) * 3, standard_deviation=(1.0,) * 3))


def load_unet(weights: Path | None, device: torch.device) -> UNetSegmenter:
    """Load weights that `medseg train` wrote, or a state_dict laid out as the study's.

    A state_dict without our description is taken for the study's own: RGB divided by 255.

    Raises:
        WeightsError: no file given, or one that does not fit.
    """
    checkpoint = read_given(weights, MODEL, cure="train some with `medseg train --recipe unet`")
    shape, preparation = read_description(checkpoint, MODEL, published=PUBLISHED)
    network = StudyUNet(shape)
    fit(network, checkpoint, architecture="the U-Net by masks")
    block = card(
        checkpoint,
        "U-Net by masks",
        training_data="given by the user; the file does not say",
        licence="the weights' own",
        intended_use="research on apical clips like its training data; not for clinical use",
    )
    return UNetSegmenter(network.eval().to(device), preparation, block)


class UNetSegmenter:
    """Outlines the left ventricle frame by frame."""

    name = MODEL
    object_names: tuple[str, ...] = ("left_ventricle",)
    halo_s = 0.0
    frames_per_input = 1

    def __init__(
        self, network: StudyUNet, preparation: Preparation, card: dict[str, object]
    ) -> None:
        self.network = network
        self.preparation = preparation
        self.card = card
        self.input_shape = (1, 3, preparation.size, preparation.size)

    def probabilities(
        self, frames: np.ndarray, *, time_s: np.ndarray, core: slice, sector: Sector
    ) -> np.ndarray:
        """Give each pixel's probability of lying in the left ventricle.

        Args:
            frames: (T,H,W,3) uint8 RGB.
            time_s: (T,) seconds; every frame is looked at alone, so they are not used.
            core: the frames that are asked for.
            sector: where the ultrasound is.

        Returns:
            (core,1,H,W) float32 in 0..1.
        """
        return frame_by_frame(
            self._probability,
            frames[core],
            sector=sector,
            size=self.preparation.size,
            device=next(self.network.parameters()).device,
        )

    def _probability(self, pixels: Tensor) -> Tensor:
        ready = normalise(pixels, self.preparation.mean, self.preparation.standard_deviation)
        return torch.sigmoid(self.network(ready))
