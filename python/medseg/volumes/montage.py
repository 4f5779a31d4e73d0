"""A picture of a volume's slices with its masks, and the truth's outline where it is known."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_COLOURS = np.array(
    [[60, 220, 255], [255, 170, 40], [130, 230, 90], [235, 110, 220], [255, 235, 90],
     [110, 150, 255], [255, 120, 110], [90, 230, 200]], np.float32,
)  # fmt: skip
_TRUTH = (255, 255, 255)
_COLUMNS, _ROWS = 4, 3


def montage_png(
    grey: NDArray[np.uint8],
    labels: NDArray[np.uint16],
    *,
    aspect: float,
    key_slice: int,
    model: str,
    truth: NDArray[np.uint16] | None = None,
    slices: tuple[int, int] | None = None,
) -> bytes:
    """Twelve slices of (D, H, W[, 3]) in `slices`, tinted by label, as a PNG file.

    `aspect` is row spacing / column spacing: pictures are stretched to true shape. White lines are
    the truth's outline; the prompted slice is named so.
    """
    first, last = slices or (0, len(grey))
    chosen = np.unique(
        np.linspace(first, last - 1, min(_COLUMNS * _ROWS, last - first)).astype(int)
    )
    if first <= key_slice < last and key_slice not in chosen:
        chosen[np.abs(chosen - key_slice).argmin()] = key_slice
    height, width = grey.shape[1:3]
    scale = 320 / max(width, height * aspect)
    tile = (max(1, round(width * scale)), max(1, round(height * aspect * scale)))
    rows = -(-len(chosen) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * tile[0], rows * tile[1]))
    font = ImageFont.load_default(size=13)
    known = np.unique(labels if truth is None else np.concatenate([labels, truth]))
    known = known[known > 0]  # each label's colour is its place among them
    for i, z in enumerate(chosen.tolist()):
        picture = grey[z] if grey.ndim == 4 else np.repeat(grey[z][..., None], 3, axis=2)
        image = Image.fromarray(picture).resize(tile, Image.Resampling.BILINEAR)
        shown = np.asarray(image, np.float32).copy()
        tint = np.asarray(Image.fromarray(labels[z]).resize(tile, Image.Resampling.NEAREST))
        there = tint > 0
        colour = _COLOURS[np.searchsorted(known, tint[there]) % len(_COLOURS)]
        shown[there] += 0.45 * (colour - shown[there])
        if truth is not None:
            wanted = np.asarray(Image.fromarray(truth[z]).resize(tile, Image.Resampling.NEAREST))
            shown[_rim(wanted)] = _TRUTH
        image = Image.fromarray(shown.astype(np.uint8))
        words = f"slice {z}" + (" (prompted)" if z == key_slice else "")
        draw = ImageDraw.Draw(image)
        draw.text((5, 3), words, fill=(255, 235, 120), font=font)
        if i == 0:
            draw.text((5, 19), model, fill=(255, 235, 120), font=font)
            x = 5.0
            for place, label in enumerate(known.tolist()):
                own = tuple(int(value) for value in _COLOURS[place % len(_COLOURS)])
                draw.text((x, tile[1] - 18), str(label), fill=own, font=font)
                x += draw.textlength(f"{label}  ", font=font)
        sheet.paste(image, ((i % _COLUMNS) * tile[0], (i // _COLUMNS) * tile[1]))
    content = io.BytesIO()
    sheet.save(content, "PNG")
    return content.getvalue()


def _rim(labels: NDArray[np.integer]) -> NDArray[np.bool_]:
    rim = np.zeros(labels.shape, bool)
    rim[1:] |= labels[1:] != labels[:-1]
    rim[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    return rim
