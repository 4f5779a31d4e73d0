"""Folders of simulated clips: what a seed fixes."""

from pathlib import Path

from medseg.simulate import simulate_folder

SHORT = 148  # a seed whose two clips are short


def _bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_seed_makes_the_same_folder_however_many_processes_make_it(tmp_path):
    alone = _bytes_of(simulate_folder(tmp_path / "alone", n=2, seed=SHORT, workers=1))
    shared = _bytes_of(simulate_folder(tmp_path / "shared", n=2, seed=SHORT, workers=2))
    assert len(alone) > 4
    assert alone == shared
