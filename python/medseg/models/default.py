"""The default model: a small U-Net that ships with medseg, trained on simulated clips only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import torch

from medseg.errors import WeightsError
from medseg.models.description import pack, unpack
from medseg.models.framing import cut, resize, square_around
from medseg.models.unet import UNet, UNetShape, fused
from medseg.models.weights import Checkpoint, fit, read_checkpoint
from medseg.sector import Sector, blank_outside, is_upside_down

FORMAT = "medseg-unet-1"
SHIPPED = "default.safetensors"
LEFT_VENTRICLE = 1  # its class
FRAMES_AT_ONCE = 4  # each seen twice: more do not stay in a processor's cache
EDGE_SHARE = 1 / 16  # of the square's side, left out all round where a frame is seen enlarged


@dataclass(frozen=True)
class Preparation:
    """How frames become the network's input; it travels inside the weights file."""

    size: int  # pixels of the square that the network sees
    gap_s: float  # seconds from each frame that it sees to the next
    normalisation: str = "per-sample standardisation: (x - mean) / (SD + 0.02), x in 0-1"


def standardise(frames: torch.Tensor) -> torch.Tensor:
    """Zero mean and unit SD over the frames and pixels of each sample, (B, T, H, W) in 0-1."""
    mean = frames.mean((1, 2, 3), keepdim=True)
    return (frames - mean) / (frames.std((1, 2, 3), keepdim=True) + 0.02)


def pack_metadata(shape: UNetShape, preparation: Preparation, **more: str) -> dict[str, str]:
    """The weights file's metadata: architecture, preparation and whatever else is text."""
    return pack(FORMAT, shape, preparation, **more)


def unpack_metadata(checkpoint: Checkpoint) -> tuple[UNetShape, Preparation]:
    """Read a weights file's architecture and preparation back; WeightsError if it has none."""
    try:
        return unpack(checkpoint, FORMAT, UNetShape, Preparation)
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{checkpoint.path}: not weights of the default model (no {FORMAT} description); "
            "train some with `medseg train --recipe default`, or name the model that they belong "
            "to with --model"
        ) from error


def load_default(weights: Path | None, device: torch.device) -> DefaultSegmenter:
    """Load the weights that ship with medseg, or those of a file that `medseg train` wrote.

    Raises:
        WeightsError: missing, damaged, or of another architecture.
    """
    if weights is not None:
        return _from_checkpoint(read_checkpoint(weights), device)
    with as_file(files("medseg.models") / SHIPPED) as path:
        return _from_checkpoint(read_checkpoint(path), device)


def _from_checkpoint(checkpoint: Checkpoint, device: torch.device) -> DefaultSegmenter:
    shape, preparation = unpack_metadata(checkpoint)
    network = UNet(shape)
    fit(network, checkpoint, architecture="the default U-Net")
    network = fused(network).to(device, memory_format=torch.channels_last)
    return DefaultSegmenter(network, preparation, checkpoint.sha256)


class DefaultSegmenter:
    """Outlines the left ventricle, each frame seen with some before and as many after."""

    name = "default"
    object_names: tuple[str, ...] = ("left_ventricle",)

    def __init__(self, network: UNet, preparation: Preparation, weights_sha256: str) -> None:
        self.network = network
        self.preparation = preparation
        self.frames = network.shape.frames  # that it sees to outline the middle one
        self.halo_s = preparation.gap_s * (self.frames // 2)
        self.frames_per_input = 1  # the middle one, seen twice
        self.input_shape = (2, self.frames, preparation.size, preparation.size)
        self.bfloat16 = next(network.parameters()).device.type == "cpu" and multiplies_bfloat16()
        self.card: dict[str, Any] = {
            "name": "medseg default U-Net",
            "weights_sha256": weights_sha256,
            "training_data": "simulated clips only (medseg simulate); no patient was ever seen",
            "licence": "MIT",
            "intended_use": "research on apical two- and four-chamber clips; not for clinical use",
        }

    def probabilities(
        self, frames: np.ndarray, *, time_s: np.ndarray, core: slice, sector: Sector
    ) -> np.ndarray:
        """Give each pixel's probability of lying in the left ventricle.

        Args:
            frames: (T,H,W,3) uint8 RGB, neighbours included.
            time_s: (T,) seconds, by which the neighbours are chosen.
            core: the frames that are asked for.
            sector: where the ultrasound is; the network sees the square around it, upright also
                where the clip is shown with the probe below.

        Returns:
            (core,1,H,W) float32 in 0..1.
        """
        if is_upside_down(sector.mask):
            found = self._upright(frames[:, ::-1], time_s, core, _flipped(sector))
            return found[:, :, ::-1].copy()
        return self._upright(frames, time_s, core, sector)

    def _upright(
        self, frames: np.ndarray, time_s: np.ndarray, core: slice, sector: Sector
    ) -> np.ndarray:
        height, width = frames.shape[1:3]
        box = square_around(sector.box)
        device = next(self.network.parameters()).device
        parts = [frames[i : i + FRAMES_AT_ONCE] for i in range(0, len(frames), FRAMES_AT_ONCE)]
        small = torch.cat([self._small(part, sector, box, device) for part in parts])
        near = neighbours(time_s, self.preparation.gap_s, self.frames)[core]
        seen = torch.from_numpy(near)  # (core,F)
        found = np.empty((len(seen), 1, height, width), np.float32)
        side, (y0, x0, _, _) = box[2] - box[0], box
        for start in range(0, len(seen), FRAMES_AT_ONCE):
            part = seen[start : start + FRAMES_AT_ONCE].to(device)
            probability = resize(self._left_ventricle(small[part]), side)  # (B,1,side,side)
            whole = cut(probability, (-y0, -x0, height - y0, width - x0))
            found[start : start + len(part)] = whole.cpu().numpy()
        return found

    def _small(
        self,
        frames: np.ndarray,
        sector: Sector,
        box: tuple[int, int, int, int],
        device: torch.device,
    ) -> torch.Tensor:
        """The square of RGB frames (T,H,W,3) as the network's grey (T,size,size) in 0..1."""
        grey = torch.from_numpy(blank_outside(frames, sector)).to(device).float().mean(-1) / 255
        return resize(cut(grey[:, None], box), self.preparation.size)[:, 0]

    @torch.inference_mode()
    def _left_ventricle(self, frames: torch.Tensor) -> torch.Tensor:
        """Probabilities (B,1,size,size) of the middle of (B,F,size,size), seen in two ways.

        The first is the frame alone, standing in for its neighbours too. The second is the mirror
        image of the square's middle with its neighbours, enlarged to the whole square; where that
        does not reach, the first stands alone. The less alike two views are, the less do they err
        together, and the nearer is their mean to the truth.
        """
        size = frames.shape[-1]
        edge = round(size * EDGE_SHARE)
        middle = slice(edge, size - edge)
        alone = frames[:, self.frames // 2, None].expand_as(frames)
        enlarged = resize(frames[..., middle, middle].flip(-1), size)
        views = standardise(torch.cat([alone, enlarged]))
        views = views.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            logits = self.network(views)
        plain, second = logits.float().softmax(1)[:, LEFT_VENTRICLE, None].chunk(2)
        probability = plain.clone()
        probability[..., middle, middle] += resize(second, size - 2 * edge).flip(-1)
        probability[..., middle, middle] /= 2
        return probability


def multiplies_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16, two to three times as fast as float32.

    Intel's by tiles (AMX), Intel's and AMD's by AVX-512. The network was trained in bfloat16, so
    that it loses nothing by it.
    """
    names = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    asked: list[Callable[[], bool] | None] = [getattr(torch.cpu, name, None) for name in names]
    return any(ask() for ask in asked if ask is not None)


def _flipped(sector: Sector) -> Sector:
    """The sector of frames that are turned upside down."""
    (y0, x0, y1, x1), height = sector.box, len(sector.mask)
    return replace(sector, mask=sector.mask[::-1], box=(height - y1, x0, height - y0, x1))


def neighbours(time_s: np.ndarray, gap_s: float, frames: int) -> np.ndarray:
    """For each frame the `frames` (an odd number) that its outline is found from, `gap_s` apart.

    Returns (T,frames) indices of the frames nearest in time, each frame's own in the middle; at the
    clip's ends the first or last frame stands in.
    """
    wanted_s = time_s[:, None] + gap_s * (np.arange(frames) - frames // 2)  # (T,frames)
    near = np.abs(time_s[None, None, :] - wanted_s[:, :, None]).argmin(2)
    near[:, frames // 2] = np.arange(len(time_s))
    return near
