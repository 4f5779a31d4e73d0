"""The U-Net that finds seven points of the contour in each frame, and the mask that they make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from medseg.errors import WeightsError
from medseg.models.description import card, read_description
from medseg.models.framing import frame_by_frame, normalise
from medseg.models.landmarks import POINTS, SIGMA_PX, find_landmarks, outline, soft_mask
from medseg.models.study_unet import StudyUNet, StudyUNetShape
from medseg.models.weights import fit, read_given
from medseg.sector import Sector

MODEL = "unet-landmarks"


@dataclass(frozen=True)
class LandmarkPreparation:
    """How frames become the network's input, and how wide the heatmaps were."""

    size: int = 112
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    standard_deviation: tuple[float, ...] = (1.0, 1.0, 1.0)
    sigma_px: float = SIGMA_PX


PUBLISHED = (StudyUNetShape(channels=POINTS), LandmarkPreparation())


def load_unet_landmarks(weights: Path | None, device: torch.device) -> LandmarkSegmenter:
    """Load weights that `medseg train` wrote.

    The study's own landmark files have the same layout, but their channels follow the sharpness of
    the corners in each tracing, so that no contour can be drawn through their points; they are
    refused.

    Raises:
        WeightsError: no file given, one that does not fit, or one without our description.
    """
    checkpoint = read_given(
        weights, MODEL, cure="train some with `medseg train --recipe unet-landmarks`"
    )
    if "model" not in checkpoint.metadata:
        raise WeightsError(
            f"{checkpoint.path}: does not say in which order its landmarks follow the contour; "
            "train some with `medseg train --recipe unet-landmarks`"
        )
    shape, preparation = read_description(checkpoint, MODEL, published=PUBLISHED)
    network = StudyUNet(shape)
    fit(network, checkpoint, architecture="the U-Net by landmarks")
    block = card(
        checkpoint,
        "U-Net by landmarks",
        training_data="given by the user; the file does not say",
        licence="the weights' own",
        intended_use="research on apical clips like its training data; not for clinical use",
    )
    return LandmarkSegmenter(network.eval().to(device), preparation, block)


class LandmarkSegmenter:
    """Outlines the left ventricle by its landmarks, frame by frame."""

    name = MODEL
    object_names: tuple[str, ...] = ("left_ventricle",)
    halo_s = 0.0
    frames_per_input = 1

    def __init__(
        self, network: StudyUNet, preparation: LandmarkPreparation, card: dict[str, Any]
    ) -> None:
        self.network = network
        self.preparation = preparation
        self.card = card
        self.input_shape = (1, 3, preparation.size, preparation.size)

    def probabilities(
        self, frames: np.ndarray, *, time_s: np.ndarray, core: slice, sector: Sector
    ) -> np.ndarray:
        """Give each pixel's probability of lying in the left ventricle.

        It is the mask that the landmarks draw, times how sure the network is of where they are.

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
        wanted = self.preparation
        logits = self.network(normalise(pixels, wanted.mean, wanted.standard_deviation))
        points, certainty = find_landmarks(logits, wanted.sigma_px)
        masks = [soft_mask(outline(p), wanted.size) for p in points.double().cpu().numpy()]
        mask = torch.from_numpy(np.stack(masks)[:, None]).to(pixels)  # (B,1,size,size)
        return mask * certainty.mean(1)[:, None, None, None]
