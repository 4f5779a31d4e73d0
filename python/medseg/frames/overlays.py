"""Pictures to look at: masks over their picture, and a video of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from medseg.export.video import VideoWriter

WIDEST_PX = 1920  # overlays of larger pictures are made smaller
_COLOURS = np.array(
    [[60, 220, 255], [255, 170, 40], [130, 230, 90], [235, 110, 220], [255, 235, 90],
     [110, 150, 255], [255, 120, 110], [90, 230, 200]], np.float32,
)  # fmt: skip
_OPACITY = 0.38


def draw_overlay(picture: NDArray[np.uint8], labels: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Tint each label's pixels (H, W) and draw its rim on an RGB picture (H, W, 3)."""
    shown = picture.astype(np.float32)
    there = labels > 0
    tint = _COLOURS[(labels[there].astype(int) - 1) % len(_COLOURS)]
    rim = _rim(labels)[there]
    opacity = np.where(rim, 1.0, _OPACITY)[:, None].astype(np.float32)
    shown[there] += opacity * (tint - shown[there])
    return shown.astype(np.uint8)


def overlay_jpeg(picture: NDArray[np.uint8], labels: NDArray[np.integer], words: str) -> bytes:
    """An overlay with a line of words on it, as a JPEG file of at most WIDEST_PX columns."""
    step = -(-picture.shape[1] // WIDEST_PX)
    if step > 1:
        picture = np.asarray(Image.fromarray(picture).reduce(step))
        labels = labels[::step, ::step][: picture.shape[0], : picture.shape[1]]
    image = Image.fromarray(draw_overlay(picture, labels))
    caption(image, words)
    content = io.BytesIO()
    image.save(content, "JPEG", quality=88)
    return content.getvalue()


def caption(image: Image.Image, words: str, left: int = 0) -> None:
    """Write a line of words on dark ground at the picture's top, in place."""
    font = ImageFont.load_default(size=max(11, image.height // 40))
    draw = ImageDraw.Draw(image)
    box = draw.textbbox((left + 6, 4), words, font=font)
    draw.rectangle((left, 0, box[2] + 6, box[3] + 4), fill=(16, 18, 22))
    draw.text((left + 6, 4), words, fill=(235, 235, 235), font=font)


def write_overlay_video(
    path: Path, overlays: Sequence[Path], *, frame_rate_hz: float, overwrite: bool
) -> None:
    """Join overlays of one size to a video, one at a time; raises OutputError."""
    with Image.open(overlays[0]) as first:
        width, height = first.size
    with VideoWriter(
        path, frame_rate_hz=frame_rate_hz, height=height, width=width, overwrite=overwrite
    ) as video:
        for overlay in overlays:
            with Image.open(overlay) as image:
                video.write(np.asarray(image.convert("RGB"))[None])


def _rim(labels: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Pixels whose neighbour, at most a four-hundredth of the height away, has another label."""
    reach = max(1, labels.shape[0] // 400)
    rim = np.zeros(labels.shape, bool)
    down = labels[reach:] != labels[:-reach]
    right = labels[:, reach:] != labels[:, :-reach]
    rim[reach:] |= down
    rim[:-reach] |= down
    rim[:, reach:] |= right
    rim[:, :-reach] |= right
    return rim
