"""MediViSTA: SAM's frozen encoder with temporal adapters, a frequency branch and its own decoder.

After Kim and others, "MediViSTA: Medical Video Segmentation via Temporal Fusion SAM Adaptation for
Echocardiography" (arXiv:2309.13539). What the paper leaves open, and how it is settled here, is
listed in ``medivista.md`` beside this module.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from medseg.models.medivista.branch import BranchContext, CrossBranchAttention, FrequencyBranch
from medseg.models.medivista.decoder import Decoder, padded_to
from medseg.models.medivista.low_rank import LowRankFactors
from medseg.models.medivista.temporal import TemporalAdapter, temporal_kernel
from medseg.models.medivista.vit import EncoderShape, ImageEncoder

STRIDE = 32  # the pyramid's coarsest map: sides are padded to a multiple of it
EARLY_BLOCK = 0  # its tokens go to the decoder too


@dataclass(frozen=True)
class MediViSTAShape:
    """Everything that fixes the architecture and its window; the paper's by default, on ViT-B."""

    objects: tuple[str, ...] = ("left_ventricle", "myocardium", "left_atrium")
    frames: int = 10  # of a window
    decay_s: float = 0.06  # of the temporal kernel: three frames at EchoNet-Dynamic's 50 Hz
    decay_frames: float = 3.0  # where no times are given; the published value
    temporal: bool = True  # False: every frame alone, without temporal adapters
    adapter_ratio: float = 0.25  # of the adapters' inner width to the encoder's
    adapter_heads: int = 4
    low_rank: int = 32
    pyramid: tuple[int, ...] = (64, 128, 256, 512)  # widths at 1/4, 1/8, 1/16, 1/32
    decoder_heads: int = 8
    width: int = 768
    depth: int = 12
    heads: int = 12
    global_blocks: tuple[int, ...] = (2, 5, 8, 11)
    window: int = 14
    size: int = 256
    neck: int = 256

    @property
    def encoder(self) -> EncoderShape:
        """The shape of SAM's part."""
        return EncoderShape(
            self.width,
            self.depth,
            self.heads,
            self.global_blocks,
            self.window,
            self.size,
            self.neck,
        )


class MediViSTA(nn.Module):
    """Clips to logits of each class; background is class 0.

    Input (B,T,3,H,W) normalised RGB of any size, any number of frames, and their times (B,T) in
    seconds; output (B,T,1+objects,H,W). SAM's part, ``image_encoder``, is frozen from the start.
    """

    def __init__(self, shape: MediViSTAShape) -> None:
        super().__init__()
        self.shape = shape
        width, inner = shape.width, round(shape.adapter_ratio * shape.width)
        fourth, eighth, sixteenth, coarsest = shape.pyramid
        self.image_encoder = ImageEncoder(shape.encoder).requires_grad_(False)
        self.temporal_adapters = nn.ModuleList(
            TemporalAdapter(width, inner, shape.adapter_heads)
            for _ in range(shape.depth if shape.temporal else 0)
        )
        self.low_rank = LowRankFactors(width, shape.low_rank, shape.depth)
        self.branch = FrequencyBranch((fourth, eighth, sixteenth, coarsest))
        self.context = BranchContext((sixteenth, coarsest), inner)
        self.cross_branch = nn.ModuleList(
            CrossBranchAttention(width, inner, shape.adapter_heads) for _ in range(shape.depth)
        )
        self.decoder = Decoder(
            1 + len(shape.objects),
            width=shape.neck,
            heads=shape.decoder_heads,
            early=width,
            fine=(fourth, eighth),
        )

    def forward(self, frames: Tensor, time_s: Tensor | None = None) -> Tensor:
        """Logits (B,T,K,H,W) of (B,T,3,H,W); without times frames count as evenly spaced."""
        clips, count = frames.shape[:2]
        height, width = frames.shape[-2:]
        pictures = padded_to(frames.flatten(0, 1), STRIDE)  # (B,T,3,H,W) -> (B*T,3,H',W')
        pyramid = self.branch(pictures)
        context = self.context(pyramid[2:])
        kernel = self._kernel(time_s, clips, count, frames)
        tokens = early = self.image_encoder.embed(pictures)  # (B*T,h,w,C)
        for index, block in enumerate(self.image_encoder.blocks):
            if self.shape.temporal:
                tokens = tokens + self.temporal_adapters[index](tokens, kernel)
            tokens = tokens + self.cross_branch[index](tokens, context)
            tokens = block(tokens, self.low_rank.of_block(index))
            if index == EARLY_BLOCK:
                early = tokens
        embedding = self.image_encoder.neck(tokens.movedim(-1, 1))
        logits = self.decoder(embedding, early.movedim(-1, 1), pyramid)
        return logits[..., :height, :width].unflatten(0, (clips, count))

    def _kernel(self, time_s: Tensor | None, clips: int, count: int, like: Tensor) -> Tensor:
        if time_s is None:
            frame = torch.arange(count, device=like.device, dtype=like.dtype)
            return temporal_kernel(frame.expand(clips, count), self.shape.decay_frames)
        if time_s.shape != (clips, count):
            raise ValueError(
                f"times of shape {tuple(time_s.shape)} for {clips} clips of {count} frames; "
                "give one time for each frame"
            )
        since = (time_s - time_s[:, :1]).to(like)  # small numbers, before precision is lost
        return temporal_kernel(since, self.shape.decay_s)


def parameter_counts(network: nn.Module) -> tuple[int, int]:
    """How many parameters train, and how many are frozen."""
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    return trained, sum(p.numel() for p in network.parameters()) - trained
