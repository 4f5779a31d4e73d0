"""The study's U-Net against its authors' code, and without the faults of their inference."""

import numpy as np
import torch
from torch import nn

from medseg.models.study_unet import StudyUNet, StudyUNetShape
from medseg.models.unet_masks import PUBLISHED, UNetSegmenter


class Keeps(nn.Module):
    """Keeps what it is shown, and calls red pixels likely."""

    def __init__(self):
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        self.shown = x
        return 20 * (x[:, :1] - 0.5)


def test_it_has_the_public_code_s_keys_and_logits(gives_public_logits):
    gives_public_logits(StudyUNet(StudyUNetShape()), "tec_unet")


def test_frames_are_shown_as_they_were_in_training(whole_frame):
    """The study's own inference transposes them, swaps red and blue, and does not divide by 255."""
    frames = np.zeros((1, 112, 112, 3), np.uint8)
    frames[0, 10, 90] = (255, 51, 0)  # row 10, column 90: red, with a fifth of green
    segmenter = UNetSegmenter(Keeps(), PUBLISHED[1], {})
    found = segmenter.probabilities(
        frames, time_s=np.zeros(1), core=slice(0, 1), sector=whole_frame(112, 112)
    )
    shown = segmenter.network.shown
    torch.testing.assert_close(shown[0, :, 10, 90], torch.tensor([1.0, 0.2, 0.0]))
    assert float(shown.sum()) == np.float32(1.2)
    assert np.argwhere(found[0, 0] > 0.5).tolist() == [[10, 90]]
