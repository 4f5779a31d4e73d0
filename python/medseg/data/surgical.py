"""Which pictures of a surgical or endoscopic folder are read, in what order, and which are not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medseg.clip import Clip
from medseg.data.dataset import Excluded
from medseg.decode import open_clip
from medseg.decode.images import DAMAGED, PICTURE_SUFFIXES, natural_order, read_picture
from medseg.errors import ClipNotFound, InputError

RESOLUTION = re.compile(r"(\d+)x(\d+)p")
VIDEO = re.compile(r"vid_(\d{3})_(\d+x\d+p)_(\d+)tool")
PICTURE = re.compile(r"vid_(\d{3})_(\d+x\d+p)_(\d+)tool_(\d+)\.png")


@dataclass(frozen=True)
class SurgicalFrame:
    """One picture; what its name and folder do not say is None."""

    name: str  # relative to the root, or clip:frame; unique, with / between folders
    path: Path
    height: int
    width: int
    group: str  # its video, or its folder (a view, a patient, a procedure)
    resolution: str  # 960x540p, from the pixels
    tools: int | None  # instruments in view, as SurgiSR4K counts them
    number: int | None  # in its video: SurgiSR4K's from 1, a clip's from 0
    truth: Path | None = None  # labels beside simulated pictures


@dataclass(frozen=True, eq=False)
class SurgicalSet:
    """Pictures in order, and what is not one of them with the reason."""

    root: Path
    kind: str  # surgisr4k, folder, image or clip
    frames: tuple[SurgicalFrame, ...]
    excluded: tuple[Excluded, ...]
    clip: Clip | None = None

    def read(self, frame: SurgicalFrame) -> NDArray[np.uint8]:
        """One picture as RGB (H, W, 3); raises InputError naming it where it is damaged."""
        if self.clip is not None and frame.number is not None:
            return self.clip.read(frame.number, frame.number + 1)[0]
        return read_picture(frame.path)


def read_surgical(path: str | Path) -> SurgicalSet:
    """List a SurgiSR4K folder, a folder of endoscopic pictures, one picture, or a clip's frames.

    SurgiSR4K is known by its folders, data/images/<resolution>/vid_<id>_<resolution>_<n>tool, any
    part of which may be given. In other folders every sub-folder with pictures is a group of its
    own. Pictures are ordered by number, so that 2 comes before 10.

    Raises ClipNotFound where there is nothing, InputError without pictures or where the pictures of
    one group have several sizes.
    """
    path = Path(path)
    if not path.exists():
        raise ClipNotFound(f"{path}: there is no such file or folder: check the path")
    if path.is_file():
        return _one_file(path)
    videos = sorted(_video_folders(path))
    frames, excluded = _surgisr4k(path, videos) if videos else _folders(path)
    if not frames:
        raise InputError(
            f"{path}: no picture can be used ({len(excluded)} files left out"
            + (f", the first: {excluded[0].name}: {excluded[0].reason}" if excluded else "")
            + "); give a folder of PNG or JPEG frames"
        )
    _refuse_mixed(path, frames)
    return SurgicalSet(path, "surgisr4k" if videos else "folder", tuple(frames), tuple(excluded))


def _one_file(path: Path) -> SurgicalSet:
    if path.suffix.lower() in PICTURE_SUFFIXES:
        size = _size(path)
        if size is None:
            raise InputError(f"{path}: is no picture that can be read: export it again")
        frame = _frame(path.name, path, size, group=path.parent.name or ".", root=None)
        return SurgicalSet(path.parent, "image", (frame,), ())
    clip = open_clip(path)
    label = f"{clip.width}x{clip.height}p"
    frames = tuple(
        SurgicalFrame(
            name=f"{clip.name}:{number}", path=path, height=clip.height, width=clip.width,
            group=clip.name, resolution=label, tools=None, number=number,
            truth=_existing(path.parent / "masks" / clip.name / f"{number + 1}.png"),
        )
        for number in range(clip.frame_count)
    )  # fmt: skip
    return SurgicalSet(path.parent, "clip", frames, (), clip)


def _video_folders(root: Path) -> Iterator[Path]:
    """Folders that are named as SurgiSR4K's videos, at the root or up to three levels below."""
    if VIDEO.fullmatch(root.name):
        yield root
        return
    for start in (root, root / "images", root / "data" / "images"):
        if not start.is_dir():
            continue
        for folder in start.iterdir():
            if folder.is_dir() and VIDEO.fullmatch(folder.name):
                yield folder
            elif folder.is_dir() and RESOLUTION.fullmatch(folder.name):
                yield from (f for f in folder.iterdir() if f.is_dir() and VIDEO.fullmatch(f.name))


def _surgisr4k(root: Path, videos: list[Path]) -> tuple[list[SurgicalFrame], list[Excluded]]:
    frames: list[SurgicalFrame] = []
    excluded: list[Excluded] = []
    for folder in videos:
        for path in sorted(folder.iterdir(), key=natural_order):
            name = path.relative_to(root).as_posix()
            match = PICTURE.fullmatch(path.name)
            if match is None:
                excluded.append(Excluded(name, "is not named vid_<id>_<size>_<n>tool_<frame>.png",
                                         "name"))  # fmt: skip
                continue
            if not path.name.startswith(folder.name + "_"):
                excluded.append(Excluded(name, f"belongs to another video than {folder.name}",
                                         "wrong-folder"))  # fmt: skip
                continue
            size = _size(path)
            if size is None:
                excluded.append(Excluded(name, "is no picture that can be read", "damaged"))
                continue
            wanted = f"{size[1]}x{size[0]}p"
            if wanted != match[2]:
                reason = f"is {wanted[:-1]} pixels, not {match[2][:-1]} as its name says"
                excluded.append(Excluded(name, reason, "size"))
                continue
            frames.append(
                _frame(
                    name,
                    path,
                    size,
                    group=f"vid_{match[1]}",
                    root=root,
                    tools=int(match[3]),
                    number=int(match[4]),
                )
            )
    return frames, excluded


def _folders(root: Path) -> tuple[list[SurgicalFrame], list[Excluded]]:
    frames: list[SurgicalFrame] = []
    excluded: list[Excluded] = []
    files = (p for p in root.rglob("*") if p.is_file())
    for path in sorted(files, key=lambda p: (p.parent.as_posix(), natural_order(p))):
        name = path.relative_to(root).as_posix()
        if any(part.startswith(".") for part in Path(name).parts):
            excluded.append(Excluded(name, "is hidden", "hidden"))
        elif path.suffix.lower() not in PICTURE_SUFFIXES:
            excluded.append(Excluded(name, "is no PNG or JPEG", "kind"))
        elif (size := _size(path)) is None:
            excluded.append(Excluded(name, "is no picture that can be read", "damaged"))
        else:
            group = path.parent.relative_to(root).as_posix()
            frames.append(_frame(name, path, size, group=group, root=root))
    return frames, excluded


def _frame(
    name: str,
    path: Path,
    size: tuple[int, int],
    *,
    group: str,
    root: Path | None,
    tools: int | None = None,
    number: int | None = None,
) -> SurgicalFrame:
    height, width = size
    return SurgicalFrame(
        name=name, path=path, height=height, width=width, group=group,
        resolution=f"{width}x{height}p", tools=tools, number=number, truth=_truth_beside(path),
    )  # fmt: skip


def _truth_beside(path: Path) -> Path | None:
    """The labels of a simulated picture: the same path with images changed to masks."""
    parts = list(path.absolute().parts)
    if "images" not in parts:
        return None
    at = len(parts) - 1 - parts[::-1].index("images")
    return _existing(Path(*parts[:at], "masks", *parts[at + 1 :]).with_suffix(".png"))


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def _size(path: Path) -> tuple[int, int] | None:
    """(height, width) from the header; None where it cannot be read."""
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as image:
            return image.height, image.width
    except DAMAGED:
        return None


def _refuse_mixed(root: Path, frames: list[SurgicalFrame]) -> None:
    """Raise InputError where pictures of one folder have several sizes."""
    first: dict[Path, SurgicalFrame] = {}
    for frame in frames:
        known = first.setdefault(frame.path.parent, frame)
        if (known.height, known.width) != (frame.height, frame.width):
            raise InputError(
                f"{frame.path.parent}: {known.path.name} is {known.width} x {known.height} and "
                f"{frame.path.name} is {frame.width} x {frame.height}: put each size in a folder "
                "of its own, or bring them to one with medseg preprocess --height"
            )
