"""Picture filters: smaller, less noisy, evenly lit; RGB in and out, uint8 (T, H, W, 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from kornia.enhance import equalize_clahe
from kornia.filters import bilateral_blur
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from medseg.errors import InputError, MissingExtra

HEIGHTS = (480, 540, 1080)
DENOISERS = ("none", "bilateral", "nlm")
NORMALISERS = ("none", "stretch", "clahe")
STRIP_BYTES = 192 * 2**20  # that the bilateral filter spreads out at a time
STRETCH_PERCENTILES = (0.5, 99.5)  # of the sampled pixels, brought to 0 and 255

Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class Recipe:
    """What is done to each picture, in this order; None or "none" leaves a step out."""

    height: int | None = None  # rows wanted; the width follows, made even
    denoise: str = "none"
    normalise: str = "none"
    bilateral_window: int = 7  # pixels, odd
    bilateral_colour: float = 0.08  # SD in grey levels of full scale
    bilateral_space: float = 2.0  # SD in pixels
    nlm_patch: int = 5  # pixels
    nlm_distance: int = 6  # pixels, to the farthest patch that is compared
    nlm_strength: float = 0.8  # cut-off in SDs of the noise, as scikit-image advises

    def __post_init__(self) -> None:
        if self.height is not None and self.height < 16:
            raise InputError(f"height {self.height}: give 480, 540 or 1080, at least 16")
        if self.denoise not in DENOISERS:
            raise InputError(f"denoise {self.denoise!r}: choose of {', '.join(DENOISERS)}")
        if self.normalise not in NORMALISERS:
            raise InputError(f"normalise {self.normalise!r}: choose of {', '.join(NORMALISERS)}")
        if self.bilateral_window % 2 == 0:
            raise InputError(f"bilateral window {self.bilateral_window}: give an odd number")

    def size(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) of the results; raises InputError where pictures would grow."""
        if self.height is None or self.height == height:
            return height, width
        if self.height > height:
            raise InputError(
                f"pictures of {height} rows cannot be brought down to {self.height}: "
                "give a smaller --height"
            )
        return self.height, 2 * round(width * self.height / height / 2)


def apply(
    pictures: Pictures,
    recipe: Recipe,
    *,
    levels: tuple[float, float] | None = None,
    device: torch.device | None = None,
) -> Pictures:
    """Apply a recipe to (T, H, W, 3) pictures, one at a time on `device`.

    `levels` (low, high), 0 to 255, are those that "stretch" brings to black and white: one pair for
    a whole clip, from `stretch_levels`, or it would flicker.
    """
    device = device or torch.device("cpu")
    done = []
    for picture in pictures:
        frame = torch.from_numpy(np.array(picture)).to(device).permute(2, 0, 1)[None].float() / 255
        frame = shrink(frame, recipe.size(*picture.shape[:2]))
        if recipe.denoise == "bilateral":
            frame = bilateral(frame, recipe)
        elif recipe.denoise == "nlm":
            frame = non_local_means(frame, recipe)
        if recipe.normalise == "stretch":
            low, high = levels or stretch_levels(picture[None])
            frame = (frame - low / 255) * (255 / max(high - low, 1.0))
        elif recipe.normalise == "clahe":
            frame = even_light(frame)
        shown = (frame.clamp(0, 1) * 255).round().byte()[0].permute(1, 2, 0)  # (3,H,W) -> (H,W,3)
        done.append(shown.cpu().numpy())
    return np.stack(done)


def shrink(frame: Tensor, size: tuple[int, int]) -> Tensor:
    """Make (1, 3, H, W) smaller: by the mean over area where sizes divide, else antialiased."""
    height, width = frame.shape[-2:]
    if (height, width) == size:
        return frame
    if height % size[0] == 0 and width % size[1] == 0:
        return functional.interpolate(frame, size=size, mode="area")
    return functional.interpolate(
        frame, size=size, mode="bilinear", align_corners=False, antialias=True
    )


def bilateral(frame: Tensor, recipe: Recipe) -> Tensor:
    """kornia's bilateral filter on (1, 3, H, W), in strips of rows so that memory stays bounded."""
    window, reach = recipe.bilateral_window, recipe.bilateral_window // 2
    height, width = frame.shape[-2:]
    rows = max(8, STRIP_BYTES // (width * 3 * 4 * window**2))
    padded = functional.pad(frame, (reach, reach, reach, reach), mode="reflect")
    strips = []
    for top in range(0, height, rows):
        part = padded[..., top : min(top + rows, height) + 2 * reach, :]
        smooth = bilateral_blur(
            part,
            (window, window),
            recipe.bilateral_colour,
            (recipe.bilateral_space, recipe.bilateral_space),
        )
        strips.append(smooth[..., reach:-reach, reach:-reach])
    return torch.cat(strips, dim=-2)


def non_local_means(frame: Tensor, recipe: Recipe) -> Tensor:
    """scikit-image's fast non-local means on (1, 3, H, W); on the CPU, since kornia has none."""
    try:
        from skimage.restoration import denoise_nl_means
    except ImportError:
        raise MissingExtra(
            "non-local means need scikit-image; pip install 'medseg[surgical]' brings it"
        ) from None
    picture = frame[0].permute(1, 2, 0).cpu().numpy()  # (1,3,H,W) -> (H,W,3)
    sigma = noise_level(picture)
    if not sigma > 0:
        return frame
    smooth = denoise_nl_means(
        picture,
        patch_size=recipe.nlm_patch,
        patch_distance=recipe.nlm_distance,
        h=recipe.nlm_strength * sigma,
        sigma=sigma,
        fast_mode=True,
        channel_axis=-1,
    )
    return torch.from_numpy(smooth.astype(np.float32)).permute(2, 0, 1)[None].to(frame)


def noise_level(picture: NDArray[np.float32]) -> float:
    """SD of the noise in a picture (H, W, C), by Immerkaer 1996: what no plane or edge leaves.

    The mean absolute response to the difference of two Laplacians, times sqrt(pi / 2) / 6.
    """
    down = picture[:-2] - 2 * picture[1:-1] + picture[2:]
    both = down[:, :-2] - 2 * down[:, 1:-1] + down[:, 2:]
    return float(np.sqrt(np.pi / 2) / 6 * np.abs(both).mean())


def even_light(frame: Tensor) -> Tensor:
    """Even out the light of (1, 3, H, W): kornia's CLAHE on the luma, colours scaled with it."""
    weights = torch.tensor([0.299, 0.587, 0.114], device=frame.device).view(1, 3, 1, 1)
    luma = (frame * weights).sum(1, keepdim=True)
    height, width = luma.shape[-2:]
    below, right = -height % 16, -width % 16  # it wants whole, even tiles: 8 by 8 of them
    padded = functional.pad(luma, (0, right, 0, below), mode="replicate").clamp(0, 1)
    evened = equalize_clahe(padded, clip_limit=2.0, grid_size=(8, 8))[..., :height, :width]
    return frame * (evened / luma.clamp(min=1 / 255))


def stretch_levels(pictures: Pictures) -> tuple[float, float]:
    """The luma levels that "stretch" brings to 0 and 255, from sampled pictures (T, H, W, 3)."""
    step = max(1, pictures.shape[1] // 270)
    small = pictures[:, ::step, ::step].astype(np.float32)
    low, high = np.percentile(small @ np.float32([0.299, 0.587, 0.114]), STRETCH_PERCENTILES)
    return float(low), float(high)
