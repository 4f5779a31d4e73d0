"""The overlay video: the outline on every frame, and the area curve with a moving cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from medseg.clip import Clip
from medseg.errors import FrameNotDecoded
from medseg.export.video import VideoWriter

if TYPE_CHECKING:
    import xarray as xr

READABLE_PX = 330  # the longer edge of small frames is enlarged to at least this
NARROWEST_PX = 360  # the curve and its words need that much
PANEL_PX = 162
WINDOW_PIXELS = 4 * 1024 * 1024  # of the clip's own pixels, read at a time

GREY, AMBER = (150, 150, 150), (255, 170, 40)
OUTLINE = {0: (60, 220, 255), 3: AMBER, 4: GREY}  # by status, of a single object
OBJECTS = (  # of several objects, each its own
    (60, 220, 255), (235, 110, 220), (130, 230, 90), (110, 150, 255), (255, 120, 110),
    (90, 230, 200), (190, 150, 255), (240, 240, 240),
)  # fmt: skip
THIN = 500  # an outline's width in the longer edge of a frame
RANDOM = "random weights"  # a model's training_data: its masks mean nothing, whatever they are
BACKGROUND, AXIS, CURVE, CURSOR = (16, 18, 22), (110, 115, 122), (60, 220, 255), (255, 235, 120)

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Layout:
    """How frames of a clip and the curve beneath them share the picture."""

    scale: int  # each pixel becomes scale x scale
    frame_height: int
    frame_width: int
    width: int  # even, as video codecs want
    height: int
    left: int  # where the frame begins

    @property
    def panel_top(self) -> int:
        """First row of the curve's panel."""
        return self.frame_height


def layout_for(height: int, width: int) -> Layout:
    """Enlarge small frames by a whole number and put a panel beneath them."""
    scale = max(1, -(-READABLE_PX // max(height, width)))
    frame_height, frame_width = height * scale, width * scale
    total_width = max(frame_width, NARROWEST_PX)
    total_width += total_width % 2
    total_height = frame_height + PANEL_PX
    total_height += total_height % 2
    left = (total_width - frame_width) // 2
    return Layout(scale, frame_height, frame_width, total_width, total_height, left)


def write_overlay(
    path: str | PathLike[str],
    clip: Clip,
    segmentation: xr.Dataset,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the overlay video (.mp4 or .avi) at the clip's own frame rate; raises OutputError.

    Where frames are unevenly spaced the video has their mean rate and thus the clip's duration.
    Frames that cannot be decoded are shown black.
    """
    layout = layout_for(clip.height, clip.width)
    rate_hz = _mean_rate_hz(clip)
    done = 0
    with VideoWriter(
        path,
        frame_rate_hz=rate_hz,
        height=layout.height,
        width=layout.width,
        overwrite=overwrite,
    ) as writer:
        for pictures in overlay_pictures(clip, segmentation):
            writer.write(pictures)
            done += len(pictures)
            if progress is not None:
                progress(done, clip.frame_count)


def _mean_rate_hz(clip: Clip) -> float:
    """One over the mean interval; 1 Hz for a single frame, which has none."""
    if clip.frame_time_s is None or clip.frame_count < 2:
        return 1.0
    return float((clip.frame_count - 1) / (clip.frame_time_s[-1] - clip.frame_time_s[0]))


def overlay_pictures(clip: Clip, segmentation: xr.Dataset) -> Iterator[Picture]:
    """Give the overlay's pictures (T, height, width, 3) a few at a time, in order."""
    layout = layout_for(clip.height, clip.width)
    panel = CurvePanel(segmentation, layout)
    status = np.asarray(segmentation["status"].values)  # (object, frame)
    right = layout.left + layout.frame_width
    step = max(1, min(32, WINDOW_PIXELS // (clip.height * clip.width)))
    for start in range(0, clip.frame_count, step):
        stop = min(start + step, clip.frame_count)
        frames = _read_or_black(clip, start, stop)
        masks = np.asarray(segmentation["mask"].isel(frame=slice(start, stop)).values)
        pictures = np.empty((stop - start, layout.height, layout.width, 3), np.uint8)
        pictures[:, : layout.panel_top, : layout.left] = BACKGROUND
        pictures[:, : layout.panel_top, right:] = BACKGROUND
        for i, picture in enumerate(pictures):
            shown = draw_outlines(frames[i], masks[:, i], status[:, start + i], layout.scale)
            picture[: layout.panel_top, layout.left : right] = shown
            picture[layout.panel_top :] = panel.at(start + i)
        yield pictures


def _read_or_black(clip: Clip, start: int, stop: int) -> Picture:
    try:
        return clip.read(start, stop)
    except FrameNotDecoded:
        if stop - start == 1:
            return np.zeros((1, clip.height, clip.width, 3), np.uint8)
        return np.concatenate([_read_or_black(clip, i, i + 1) for i in range(start, stop)])


def draw_outlines(frame: Picture, masks: Picture, status: NDArray[np.uint8], scale: int) -> Picture:
    """An enlarged frame (H scale, W scale, 3) with the outline of each (object, H, W) mask."""
    height, width = frame.shape[:2]
    size = (width * scale, height * scale)
    resample = Image.Resampling.BILINEAR
    shown = np.array(Image.fromarray(frame).resize(size, resample) if scale > 1 else frame)
    width_px = max(2 if scale > 1 else 1, max(size) // THIN)
    for index, (mask, code) in enumerate(zip(masks, status, strict=True)):
        colour = colour_of(index, int(code), len(masks))
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if colour is None or rows.size == 0:
            continue
        top, bottom = max(0, rows[0] - 2), min(height, rows[-1] + 3)
        left, right = max(0, columns[0] - 2), min(width, columns[-1] + 3)
        edge = outline(mask[top:bottom, left:right], scale, width_px)
        part = shown[top * scale : bottom * scale, left * scale : right * scale]
        part[edge] = colour
    return shown


def colour_of(index: int, status: int, objects: int) -> tuple[int, int, int] | None:
    """The colour of an object's outline; None where it was not seen.

    A single object's tells the status; of several, each that may be believed has a colour of its
    own, since one that touches the picture's edge is nothing unusual there.
    """
    if objects > 1 and status in (0, 3):
        return OBJECTS[index % len(OBJECTS)]
    return OUTLINE.get(status)


def outline(mask: Picture, scale: int, width_px: int | None = None) -> NDArray[np.bool_]:
    """The rim of a (H, W) mask enlarged smoothly; 2 pixels wide, or 1 where nothing is enlarged."""
    if width_px is None:
        width_px = 2 if scale > 1 else 1
    if scale > 1:
        size = (mask.shape[1] * scale, mask.shape[0] * scale)
        soft = Image.fromarray(mask * np.uint8(255)).resize(size, Image.Resampling.BICUBIC)
        inside = np.asarray(soft) > 127
    else:
        inside = mask > 0
    shrunk = inside
    for _ in range(width_px):
        padded, shrunk = np.pad(shrunk, 1), shrunk.copy()
        for dy, dx in ((0, 1), (2, 1), (1, 0), (1, 2)):
            shrunk &= padded[dy : dy + inside.shape[0], dx : dx + inside.shape[1]]
    rim: NDArray[np.bool_] = inside & ~shrunk
    return rim


class CurvePanel:
    """The area curve of each object, drawn once; `at` adds the cursor of one frame."""

    def __init__(self, segmentation: xr.Dataset, layout: Layout) -> None:
        name, self._unit = ("area_cm2", "cm") if "area_cm2" in segmentation else ("area_px", "px")
        self._area = np.asarray(segmentation[name].values, float)  # (object, frame)
        self._status = np.asarray(segmentation["status"].values)
        self._time_s = np.asarray(segmentation["frame_time"].values, float)
        self._width, self._height = layout.width, layout.height - layout.frame_height
        self._font = ImageFont.load_default(size=13)
        self._small = ImageFont.load_default(size=11)
        self._tiny = ImageFont.load_default(size=9)
        self._box = (58, 24, self._width - 14, self._height - 46)  # left, top, right, bottom
        shown = self._area[np.isfinite(self._area) & (self._area > 0)]
        self._top = 1.1 * float(shown.max()) if shown.size else 1.0
        names = segmentation.attrs["object_names"]
        self._names = ["LV" if n == "left_ventricle" else n.replace("_", " ") for n in names]
        self._still = self._draw(segmentation.attrs)

    def _x(self, time_s: float) -> float:
        left, _, right, _ = self._box
        span = max(float(self._time_s[-1] - self._time_s[0]), 1e-9)
        return left + (time_s - float(self._time_s[0])) / span * (right - left)

    def _y(self, area: float) -> float:
        _, top, _, bottom = self._box
        return bottom - area / self._top * (bottom - top)

    def _draw(self, attributes: dict[str, Any]) -> Image.Image:
        image = Image.new("RGB", (self._width, self._height), BACKGROUND)
        draw = ImageDraw.Draw(image)
        left, top, right, bottom = self._box
        draw.line([(left, top), (left, bottom), (right, bottom)], fill=AXIS)
        for value in _ticks(0.0, self._top, 3):
            y = self._y(value)
            draw.line([(left - 4, y), (left, y)], fill=AXIS)
            draw.text((left - 7, y), f"{value:g}", fill=AXIS, font=self._small, anchor="rm")
        for value in _ticks(float(self._time_s[0]), float(self._time_s[-1]), 6):
            x = self._x(value)
            draw.line([(x, bottom), (x, bottom + 4)], fill=AXIS)
            draw.text((x, bottom + 6), f"{value:g}", fill=AXIS, font=self._small, anchor="mt")
        draw.text((right, bottom + 6), "s", fill=AXIS, font=self._small, anchor="rt")
        alone = len(self._names) == 1
        words = f"{self._names[0]} area, {self._unit}" if alone else f"area, {self._unit}"
        draw.text((left, 4), words, fill=AXIS, font=self._font)
        # The built-in font has no superscript two, so the exponent is a small raised figure.
        raised = left + draw.textlength(words, font=self._font) + 1
        draw.text((raised, 1), "2", fill=AXIS, font=self._tiny)
        x = raised + 22
        for index, name in enumerate([] if alone else self._names):
            draw.text((x, 4), name, fill=OBJECTS[index % len(OBJECTS)], font=self._font)
            x += draw.textlength(name, font=self._font) + 14
        for index in range(len(self._names)):
            self._draw_curve(draw, index)
        self._draw_note(draw, attributes)
        return image

    def _draw_curve(self, draw: ImageDraw.ImageDraw, index: int) -> None:
        area, status = self._area[index], self._status[index]
        colour = CURVE if len(self._names) == 1 else OBJECTS[index % len(OBJECTS)]
        present = np.isin(status, (0, 3, 4)) & np.isfinite(area)
        points = [(self._x(t), self._y(a)) for t, a in zip(self._time_s, area, strict=True)]
        for i in range(1, len(points)):
            if present[i - 1] and present[i]:
                usable = status[i] != 4 and status[i - 1] != 4
                draw.line([points[i - 1], points[i]], fill=colour if usable else GREY, width=2)

    def _draw_note(self, draw: ImageDraw.ImageDraw, attributes: dict[str, Any]) -> None:
        note, colour = attributes["model"]["intended_use"], GREY
        qualities = [attributes["quality"][name] for name in attributes["object_names"]]
        wrong = [(i, q) for i, q in enumerate(qualities) if not q["measurable"]]
        if attributes["model"]["training_data"] == RANDOM:
            colour = AMBER
        elif wrong:
            index, quality = wrong[0]
            which = "" if len(qualities) == 1 else f"{self._names[index]} "
            more = f" (and {len(wrong) - 1} more objects)" if len(wrong) > 1 else ""
            note = f"{which}not measurable: {quality['reasons'][0]['message']}{more}"
            colour = AMBER
        lines = _wrapped(draw, note, font=self._small, width=self._width - 16)
        draw.text(
            (8, self._height - 4),
            "\n".join(lines[:2]),
            fill=colour,
            font=self._small,
            anchor="ld",
            spacing=2,
        )

    def at(self, frame: int) -> Picture:
        """The panel (height, width, 3) with the cursor at a frame."""
        image = self._still.copy()
        draw = ImageDraw.Draw(image)
        _, top, right, bottom = self._box
        time_s = float(self._time_s[frame])
        x = self._x(time_s)
        draw.line([(x, top), (x, bottom)], fill=CURSOR)
        said = []
        for area, status in zip(self._area[:, frame], self._status[:, frame], strict=True):
            if status in (0, 3, 4) and np.isfinite(area):
                y = self._y(float(area))
                draw.ellipse([x - 3, y - 3, x + 3, y + 3], fill=CURSOR)
                said.append(f"{area:.1f}" if self._unit == "cm" else f"{area:.0f}")
            else:
                said.append("not decoded" if status == 2 else "not seen")
        words = f"{time_s:.2f} s" + (f"   {said[0]}" if len(said) == 1 else "")
        draw.text((right, 4), words, fill=CURSOR, font=self._font, anchor="ra")
        return np.asarray(image)


def _wrapped(
    draw: ImageDraw.ImageDraw,
    words: str,
    *,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    width: float,
) -> list[str]:
    """Break words into lines that fit a width in pixels."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and draw.textlength(longer, font=font) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers from low to high, roughly `about` of them."""
    span = high - low
    if span <= 0:
        return [low]
    rough = span / about
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= rough * 0.8)
    first = np.ceil(low / step - 1e-9) * step
    return [float(round(v, 10)) + 0.0 for v in np.arange(first, high + step * 1e-6, step)]
