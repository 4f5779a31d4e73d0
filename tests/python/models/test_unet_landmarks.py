"""Masks from landmarks: what is drawn when the network is sure, and when it is not."""

import numpy as np
import pytest
import torch
from torch import nn

from medseg.errors import WeightsError
from medseg.models import load_model
from medseg.models.landmarks import heatmaps_of
from medseg.models.study_unet import StudyUNet, StudyUNetShape
from medseg.models.unet_landmarks import LandmarkPreparation, LandmarkSegmenter


class Says(nn.Module):
    """Gives the same logits whatever it is shown."""

    def __init__(self, logits):
        super().__init__()
        self.logits = nn.Parameter(logits, requires_grad=False)

    def forward(self, x):
        return self.logits.expand(len(x), -1, -1, -1)


def drawn(logits: torch.Tensor, whole_frame) -> np.ndarray:
    segmenter = LandmarkSegmenter(Says(logits), LandmarkPreparation(), {})
    frames = np.zeros((3, 112, 112, 3), np.uint8)
    return segmenter.probabilities(
        frames, time_s=np.arange(3) / 50, core=slice(1, 3), sector=whole_frame(112, 112)
    )


def test_seven_sure_points_draw_their_half_ellipse(whole_frame):
    angle = np.linspace(np.pi, 2 * np.pi, 7)
    points = np.stack([56 + 24 * np.cos(angle), 90 + 60 * np.sin(angle)], 1)
    logits = heatmaps_of(torch.from_numpy(points).float(), 112).clamp_min(1e-20).log()
    found = drawn(logits, whole_frame)
    assert found.shape == (2, 1, 112, 112)
    area = (found[0, 0] > 0.5).sum()
    assert area == pytest.approx(np.pi * 24 * 60 / 2, rel=0.03)
    assert found[0, 0, 60, 56] > 0.95 and found[0, 0, 20, 20] < 0.05


def test_points_that_are_nowhere_draw_nothing(whole_frame):
    assert drawn(torch.zeros(1, 7, 112, 112), whole_frame).max() < 0.5


def test_the_study_s_own_landmarks_are_refused(tmp_path):
    """Their channels follow the sharpness of corners: no contour can be drawn through them."""
    torch.save(StudyUNet(StudyUNetShape(7, (4, 8))).state_dict(), tmp_path / "landmarks.pt")
    with pytest.raises(WeightsError, match="in which order its landmarks follow the contour"):
        load_model("unet-landmarks", weights=tmp_path / "landmarks.pt")
