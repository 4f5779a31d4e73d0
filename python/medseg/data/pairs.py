"""Reads a folder of clips with their masks, in a layout that is easy to make.

clips/NAME.avi      or .mp4, .dcm ..., or a folder clips/NAME of PNG or JPEG frames
masks/NAME.npz      array "mask" (n, H, W), and "frame" (n,) where not frames 0 to n - 1; or
masks/NAME.nii.gz   (x, y, frame), a mask for every frame; or
masks/NAME/7.png    one picture a traced frame, whose name ends in the frame's number, from 0
cases.csv           may be there: name, and any of split, patient, view, ef_percent, edv_ml,
                    esv_ml, frame_rate_hz, frame_count

The cavity is the one value of a mask that is not 0. Without a column patient, the patient is what
comes before a double underscore in NAME (P017__clip3), else not known.
"""

from __future__ import annotations

from pathlib import Path

from medseg.clip import check_view
from medseg.data.clip_files import bare_name, find_clips
from medseg.data.dataset import Case, Dataset, Excluded
from medseg.data.mask_files import MaskOnFile, find_masks, masks_in
from medseg.data.tables import Row, number, read_rows, whole
from medseg.errors import ClipNotFound, InputError

TABLE = "cases.csv"


def read_pairs(path: Path) -> Dataset:
    """Pair clips and masks by name; what has no partner is excluded, or a case without masks.

    Raises ClipNotFound without clips and masks, and InputError for a cases.csv that cannot be read.
    """
    if not (path / "clips").is_dir() or not (path / "masks").is_dir():
        raise ClipNotFound(f"{path}: needs the folders clips and masks")
    clips, masks = find_clips(path / "clips"), find_masks(path / "masks")
    table, excluded = path / TABLE, []
    rows: dict[str, Row] = {}
    if table.is_file():
        for line, row in read_rows(table, ["name"]):
            name = bare_name(row["name"])
            if name in rows:
                reason = f"listed again in line {line} of cases.csv; the first row counts"
                excluded.append(Excluded(name, reason, "duplicate-name"))
            else:
                rows[name] = row
    for kind, found in (("clips", clips), ("masks", masks)):
        for name, paths in found.items():
            if len(paths) > 1:
                files = " and ".join(p.name for p in paths)
                reason = f"{kind} holds {files}; the first is used"
                excluded.append(Excluded(name, reason, "duplicate-name"))
    cases: dict[str, Case] = {}
    for name in [*rows, *sorted(clips.keys() - rows.keys())]:
        if name not in clips:
            reason = "listed in cases.csv, no file in clips"
            excluded.append(Excluded(name, reason, "missing-video"))
            continue
        traced: tuple[MaskOnFile, ...] = ()
        if name in masks:
            try:
                traced = masks_in(masks[name][0])
            except InputError as error:
                excluded.append(Excluded(name, str(error), "unreadable-mask"))
                continue
        cases[name] = _case(table, rows.get(name, {}), name, clips[name][0], traced)
    for name in sorted(masks.keys() - clips.keys()):
        reason = f"masks/{masks[name][0].name} has no clip"
        excluded.append(Excluded(name, reason, "tracing-without-video"))
    return Dataset(path, "pairs", cases, tuple(excluded))


def _case(table: Path, row: Row, name: str, clip: Path, traced: tuple[MaskOnFile, ...]) -> Case:
    def cell(column: str) -> float | None:
        return number(table, row, column, of=name)

    prefix, found, _ = name.partition("__")
    return Case(
        name=name,
        path=clip,
        patient=row.get("patient") or (prefix if found and prefix else None),
        split=row.get("split", "").upper(),
        view=check_view(row.get("view") or "unknown", name=f"{table}: {name}") or "unknown",
        ef_percent=cell("ef_percent"),
        edv_ml=cell("edv_ml"),
        esv_ml=cell("esv_ml"),
        frame_rate_hz=cell("frame_rate_hz"),
        frame_count=whole(cell("frame_count")),
        size=None,
        traced=traced,
    )
