"""Predicts the ejection fraction of many clips without masks, into one table.

EchoNet-Dynamic's sampling, as published: 32 frames, every second one, from every start, and the
mean over starts. It counts frames and not seconds: 63 frames are 1.26 s at 50 Hz, where the network
was trained, but 2.1 s at 30 Hz, so a clip of another frame rate is seen faster or slower than the
training clips. That is kept, so that published figures can be reproduced; `Predicted.warnings` says
where a clip's rate is far from 50 Hz. A clip shorter than frames x period is padded by reflection
in time, and `warnings` says so too; EchoNet pads with mean grey.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from medseg.clip import Clip
from medseg.data import EF_COLUMNS, ef_rows
from medseg.errors import MedsegError, OutputError
from medseg.models.echonet_ef import (
    EchoNetEF,
    EFPrediction,
    clip_starts,
    predict_from_starts,
    prepared,
    spread_starts,
)
from medseg.sector import find_sector

TRAINED_AT_HZ = 50.0  # of most EchoNet-Dynamic videos
FAR_RATE = 1.5  # times faster or slower
SECTOR_FRAMES = 64
WINDOW_PIXELS = 8 * 1024 * 1024  # of the clip's own pixels, read at a time

Progress = Callable[[int, int], None]
Source = tuple[str, Callable[[], Clip]]  # a clip's name in the table, and how to open it


@dataclass
class Predicted:
    """What became of the clips of one call."""

    path: Path
    done: int = 0
    kept: int = 0  # of them from a run that was stopped
    failed: list[str] = field(default_factory=list)  # one line each
    warnings: list[str] = field(default_factory=list)


def predict_clip_ef(model: EchoNetEF, clip: Clip, *, clips: int | None = None) -> EFPrediction:
    """Predict a clip's ejection fraction from every start, or from `clips` of them.

    Memory grows with the frames that the network sees (150 kB each), not with the clip's own
    size. Raises FrameNotDecoded and InputError.
    """
    step = max(1, min(clip.frame_count, WINDOW_PIXELS // (clip.height * clip.width)))
    first = clip.read(0, min(SECTOR_FRAMES, clip.frame_count))
    sector = find_sector(first, region=clip.region)
    ready = torch.cat(
        [
            prepared(model, clip.read(start, min(start + step, clip.frame_count)), sector)
            for start in range(0, clip.frame_count, step)
        ]
    )
    starts = spread_starts(clip_starts(clip.frame_count, model.preparation), clips)
    return predict_from_starts(model, ready, starts)


def predict_ef_table(
    model: EchoNetEF,
    sources: Iterable[Source],
    out: Path,
    *,
    clips: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Predicted:
    """Predict clips one after another into `out`, a CSV of EF_COLUMNS.

    The table has its name only when it is complete. Until then the clips that are done stay in a
    hidden file beside it, named after the weights: the same call after a stop goes on from there.
    A clip that fails is a line in `failed`, and the others are kept.

    Raises OutputError where the table exists already, cannot be written, or no clip could be done.
    """
    if out.exists() and not overwrite:
        raise OutputError(f"{out}: exists already; pass --overwrite or another --out")
    sources = list(sources)
    stage = out.with_name(f".{out.name}.partial-{_weights_key(model)}-{clips or 'all'}")
    result = Predicted(out)
    try:
        finished = _resume(stage)
        names = set[str]()
        with stage.open("a", encoding="utf-8", newline="") as handle:
            for number, (name, open_it) in enumerate(sources, start=1):
                try:
                    if name in names:
                        raise OutputError(f"{name}: another clip of this run has that name")
                    names.add(name)
                    if name in finished:
                        result.kept += 1
                    else:
                        _predict_one(model, name, open_it(), clips, handle.write, result)
                        handle.flush()
                    result.done += 1
                except (MedsegError, MemoryError) as error:
                    result.failed.append(" ".join(str(error).split()) or type(error).__name__)
                if progress is not None:
                    progress(number, len(sources))
            os.fsync(handle.fileno())
        if result.done == 0:
            stage.unlink(missing_ok=True)
            return result
        stage.replace(out)
    except OSError as error:
        if isinstance(error, MedsegError):
            raise
        raise OutputError(
            f"{out}: cannot be written ({error.strerror}); choose another --out"
        ) from None
    return result


def _predict_one(
    model: EchoNetEF,
    name: str,
    clip: Clip,
    clips: int | None,
    write: Callable[[str], int],
    result: Predicted,
) -> None:
    found = predict_clip_ef(model, clip, clips=clips)
    write(ef_rows(name, found.start.tolist(), found.ef_percent.tolist()))
    wanted = model.preparation.frames * model.preparation.period
    if clip.frame_count < wanted:
        result.warnings.append(
            f"{name}: has {clip.frame_count} frames, fewer than {wanted}; padded by reflection"
        )
    rate = clip.frame_rate_hz
    if rate is not None and not TRAINED_AT_HZ / FAR_RATE < rate < TRAINED_AT_HZ * FAR_RATE:
        result.warnings.append(
            f"{name}: {rate:.0f} frames a second; the published sampling counts frames and was "
            f"made for {TRAINED_AT_HZ:.0f}"
        )


def _resume(stage: Path) -> set[str]:
    """Names that a stopped run finished; its last clip, which may be cut short, is done again."""
    lines = [",".join(EF_COLUMNS) + "\n"]
    with contextlib.suppress(FileNotFoundError):
        found = stage.read_text("utf-8").splitlines(keepends=True)[1:]
        last = _name_of(found[-1]) if found else None
        lines += [line for line in found if _name_of(line) != last]
    stage.write_text("".join(lines), "utf-8")
    return {_name_of(line) for line in lines[1:]}


def _name_of(line: str) -> str:
    """A row's name, which the writer may have quoted."""
    return line.rsplit(",", 2)[0].strip('"').replace('""', '"')


def _weights_key(model: EchoNetEF) -> str:
    """Which weights a stopped run had: their hash, or one of the tensors themselves."""
    sha256 = model.card.get("weights_sha256")
    if sha256 is None:
        digest = hashlib.sha256()
        for tensor in model.network.state_dict().values():
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        sha256 = digest.hexdigest()
    return str(sha256)[:12]
