"""The study's table over modalities: pictures, volumes and videos, by method and model size."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from medseg.data.intensity import to_grey
from medseg.data.volumes import Volume, boxes_of, read_volume
from medseg.errors import InputError, MedsegError, OutputError
from medseg.files import append_record, read_records, write_whole
from medseg.volumes.methods import key_box, segment_slices, shifted_boxes
from medseg.volumes.predictors import Follower, Predictor
from medseg.volumes.score import TOLERANCE_MM, LabelScore, score_labels

# What a model runs on: the same scan's slices one by one, or the scan as a whole.
METHODS = {"2-D": "slices", "hand-over": "handover", "memory": "memory"}


@dataclass(frozen=True)
class Published:
    """A checkpoint as it is published, and what it is of."""

    file: str
    family: str  # sam2, sam or medsam
    size: str
    image_size: int
    where: str


_SAM2 = "github.com/facebookresearch/sam2"
_SAM = "github.com/facebookresearch/segment-anything"
PUBLISHED = {
    "sam2.1-tiny": Published("sam2.1_hiera_tiny.pt", "sam2", "tiny", 1024, _SAM2),
    "sam2.1-small": Published("sam2.1_hiera_small.pt", "sam2", "small", 1024, _SAM2),
    "sam2.1-base-plus": Published("sam2.1_hiera_base_plus.pt", "sam2", "base-plus", 1024, _SAM2),
    "sam2.1-large": Published("sam2.1_hiera_large.pt", "sam2", "large", 1024, _SAM2),
    "medsam2": Published(
        "MedSAM2_latest.pt", "sam2", "tiny", 512, "huggingface.co/wanglab/MedSAM2"
    ),
    "sam-vit-b": Published("sam_vit_b_01ec64.pth", "sam", "vit-b", 1024, _SAM),
    "sam-vit-l": Published("sam_vit_l_0b3195.pth", "sam", "vit-l", 1024, _SAM),
    "sam-vit-h": Published("sam_vit_h_4b8939.pth", "sam", "vit-h", 1024, _SAM),
    "medsam": Published(
        "medsam_vit_b.pth", "medsam", "vit-b", 1024, "github.com/bowang-lab/MedSAM"
    ),
}
SHIFT_PX = 5  # by which a side of a box may lie off, as a person's would
RECORDS = "scores.jsonl"
SCORES = ("model", "method", "modality", "kind", "case", "label", "dsc", "nsd", "tolerance",
          "unit", "truth_voxels", "voxels")  # fmt: skip
SUMMARY = ("modality", "kind", "method", "model", "cases", "objects", "dsc", "nsd")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Case:
    """One file of the benchmark."""

    modality: str  # its folder's name
    path: Path
    truth: Path | None  # of NIfTI

    @property
    def name(self) -> str:
        """Unique in the benchmark."""
        return f"{self.modality}/{self.path.name}"


@dataclass(eq=False)
class Benchmark:
    """Every score, and what could not be run with the reason."""

    out: Path
    records: dict[tuple[str, str, str], dict[str, Any]]  # by model, method, case
    missing: dict[str, str]
    problems: list[str] = field(default_factory=list)


def find_cases(root: str | Path) -> list[Case]:
    """Cases of ROOT/<modality>/*.npz and ROOT/<modality>/images/*.nii.gz with labels/ beside.

    A root that holds images/ and labels/ itself is one modality, named ct if nothing else is known.
    Raises InputError without any.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root}: there is no such folder: check the path")
    folders = [
        p for p in sorted(root.iterdir()) if p.is_dir() and p.name not in ("images", "labels")
    ]
    cases = []
    for folder in [*folders, *([root] if (root / "images").is_dir() else [])]:
        cases += [Case(folder.name, path, None) for path in sorted(folder.glob("*.npz"))]
        for path in sorted((folder / "images").glob("*.nii*")):
            cases.append(Case(folder.name, path, folder / "labels" / path.name))
    if not cases:
        raise InputError(
            f"{root}: holds no cases: give ROOT/<modality>/*.npz (imgs, gts, spacing), or "
            "ROOT/<modality>/images/*.nii.gz with labels/ of the same names"
        )
    return cases


def modality_of(folder: str) -> str:
    """How a folder's scans become grey: ct, mr or pet by how its name begins, else grey already."""
    name = folder.lower()
    return next((known for known in ("ct", "mr", "pet") if name.startswith(known)), "grey")


def run_benchmark(
    cases: Sequence[Case],
    loaders: Mapping[str, Callable[[], Predictor]],
    out: str | Path,
    *,
    methods: Sequence[str] = tuple(METHODS),
    window: str = "abdomen",
    tolerance_mm: float = TOLERANCE_MM,
    shift_px: int = SHIFT_PX,
    seed: int = 1,
    missing: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Benchmark:
    """Run every model by every method over every case and write the tables.

    Each finished (model, method, case) is one line of scores.jsonl, flushed: the same call goes on
    where a killed one stopped. Models are loaded only if something is left for them. Boxes come
    from the truth, each side moved outwards by 0 to `shift_px` pixels, by a seed of the case's own.
    """
    out = Path(out)
    unknown = [m for m in methods if m not in METHODS]
    if unknown:
        raise InputError(f"method {unknown[0]!r}: choose of {', '.join(METHODS)}")
    settings = {"window": window, "tolerance_mm": tolerance_mm, "shift_px": shift_px, "seed": seed}
    done = Benchmark(out, _read_records(out, settings), dict(missing or {}))
    total = len(cases) * len(loaders) * len(methods)
    count = 0
    for model, load in loaders.items():
        predictor: Predictor | None = None
        for case in cases:
            for method in methods:
                count += 1
                key = (model, method, case.name)
                if key not in done.records:
                    if predictor is None:
                        try:
                            predictor = load()
                        except MedsegError as error:
                            done.missing[model] = str(error)
                            break
                    try:
                        record = _run_one(predictor, model, method, case, settings)
                    except InputError as error:
                        done.problems.append(f"{model}, {method}: {error}")
                        continue
                    append_record(out / RECORDS, record)
                    done.records[key] = record
                if progress is not None:
                    progress(count, total)
            if model in done.missing:
                break
    _write_tables(done)
    return done


def _run_one(
    predictor: Predictor, model: str, method: str, case: Case, settings: Mapping[str, Any]
) -> dict[str, Any]:
    volume = read_volume(case.path, truth=case.truth)
    if volume.truth is None:
        raise InputError(f"{case.path}: has no truth (gts), so it cannot be scored")
    kind = kind_of(volume)
    record = {"model": model, "method": method, "modality": case.modality, "kind": kind,
              "case": case.name, "scores": []}  # fmt: skip
    if not _applies(predictor, method, kind):
        return record
    modality = "grey" if volume.values.dtype == np.uint8 else modality_of(case.modality)
    grey = to_grey(volume.values, modality, window=settings["window"], name=case.name)
    boxes = boxes_of(volume.truth)
    if not boxes:
        raise InputError(f"{case.path}: its truth is empty, so there is nothing to prompt with")
    digits = f"{settings['seed']}{case.name}".encode()
    seed = int.from_bytes(digits[-8:], "big") % 2**32
    if method != "2-D":
        boxes = tuple(key_box(volume.truth, box) for box in boxes)
    shifted = shifted_boxes(boxes, grey.shape, shift_px=settings["shift_px"], seed=seed)
    labels = segment_slices(
        predictor, grey, shifted, method=METHODS[method], truth=volume.truth,
        shift_px=settings["shift_px"], seed=seed,
    )  # fmt: skip
    scores = score_labels(
        labels, volume.truth, spacing_mm=volume.spacing_mm,
        tolerance_mm=settings["tolerance_mm"], by_slice=kind != "volume" or method == "2-D",
    )  # fmt: skip
    return record | {"scores": [asdict(score) for score in scores]}


def kind_of(volume: Volume) -> str:
    """`picture`, `volume` or `video`."""
    return "picture" if volume.flat else "video" if volume.values.ndim == 4 else "volume"


def _applies(predictor: Predictor, method: str, kind: str) -> bool:
    """Whether a method makes sense: a single picture has no neighbours, a baseline no memory."""
    if kind == "picture":
        return method == "2-D"
    return method != "memory" or isinstance(predictor, Follower)


def summarise(done: Benchmark) -> list[tuple[Any, ...]]:
    """One row a modality, kind, method and model: means over objects, in SUMMARY's order."""
    groups: dict[tuple[str, str, str, str], list[tuple[str, dict[str, Any]]]] = {}
    for record in done.records.values():
        key = (record["modality"], record["kind"], record["method"], record["model"])
        groups.setdefault(key, []).extend((record["case"], score) for score in record["scores"])
    rows = []
    for (modality, kind, method, model), scores in sorted(groups.items()):
        if scores:
            dsc = mean(score["dsc"] for _, score in scores)
            nsd = mean(score["nsd"] for _, score in scores)
            cases = len({case for case, _ in scores})
            rows.append((modality, kind, method, model, cases, len(scores), dsc, nsd))
    return rows


def published_loaders(
    weights_folder: Path, *, device: str, image_size: int | None, models: Sequence[str]
) -> tuple[dict[str, Callable[[], Predictor]], dict[str, str]]:
    """Loaders of the models whose checkpoints lie in a folder, and what the others miss."""
    loaders: dict[str, Callable[[], Predictor]] = {}
    missing = {}
    for model in models:
        if model not in PUBLISHED:
            raise InputError(f"model {model!r}: choose of {', '.join(PUBLISHED)}")
        published = PUBLISHED[model]
        path = weights_folder / published.file
        if not path.is_file():
            missing[model] = f"{path} is not there; published at {published.where}"
            continue
        loaders[model] = _loader(published, path, image_size or published.image_size, device)
    return loaders, missing


def _loader(
    published: Published, path: Path, image_size: int, device: str
) -> Callable[[], Predictor]:
    def load() -> Predictor:
        from medseg.models.sam import load_sam
        from medseg.models.sam2 import load_sam2
        from medseg.volumes.predictors import Sam2Predictor, SamPredictor

        size, family = published.size, published.family
        if family == "sam2":
            network = load_sam2(size, weights=path, image_size=image_size, device=device)
            return Sam2Predictor(network)
        sam = load_sam(size, kind=family, weights=path, image_size=image_size, device=device)
        return SamPredictor(sam)

    return load


def _read_records(
    out: Path, settings: Mapping[str, Any]
) -> dict[tuple[str, str, str], dict[str, Any]]:
    """What an earlier run finished; raises OutputError where its settings were others."""
    records = {}
    try:
        known = out / "settings.json"
        if known.exists() and json.loads(known.read_text("utf-8")) != dict(settings):
            raise OutputError(f"{out}: holds a benchmark with other settings; choose another --out")
        write_whole(known, json.dumps(dict(settings)) + "\n")
        for record in read_records(out / RECORDS):
            records[record["model"], record["method"], record["case"]] = record
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(
            f"{out}: cannot be read ({error.strerror}); choose another --out"
        ) from error
    return records


def _write_tables(done: Benchmark) -> None:
    objects = [
        (r["model"], r["method"], r["modality"], r["kind"], r["case"], s["label"], s["dsc"],
         s["nsd"], s["tolerance"], s["unit"], s["truth_voxels"], s["voxels"])
        for r in done.records.values()
        for s in r["scores"]
    ]  # fmt: skip
    tables = {"scores.csv": (SCORES, objects), "summary.csv": (SUMMARY, summarise(done))}
    for name, (header, rows) in tables.items():
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([f"{v:.6g}" if isinstance(v, float) else v for v in row] for row in rows)
        write_whole(done.out / name, text.getvalue())


__all__ = ["METHODS", "PUBLISHED", "Benchmark", "Case", "LabelScore", "find_cases",
           "published_loaders", "run_benchmark", "summarise"]  # fmt: skip
