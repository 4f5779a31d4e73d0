from __future__ import annotations

import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import medseg

TOP = Path(__file__).parents[2]
PACKAGE = TOP / "python" / "medseg"
SETTINGS = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
FLOORS = [floor.split(" | ") for floor in SETTINGS["contracts"][0]["layers"]]
BELOW_TORCH = [module for floor in FLOORS[-3:] for module in floor]
SOURCES = sorted(
    path
    for folder in ("python", "tests", "r/R", "r/tests", "shared_data_spec", "ci")
    for path in (TOP / folder).rglob("*")
    if path.suffix in {".py", ".R", ".r"} or path.parent == TOP / "ci"
)

# Changing a public name breaks other people's programs: it belongs in the changelog, and here.
PUBLIC = [
    "Clip",
    "MedsegError",
    "__version__",
    "clip_from_array",
    "open_clip",
    "open_segmentation",
    "save_segmentation",
    "segment",
    "validate_segmentation",
]
PARAMETERS = {
    "clip_from_array": ["frames", "name", "frame_rate_hz", "spacing_cm", "view"],
    "open_clip": ["path", "frame_rate_hz", "view"],
    "open_segmentation": ["path"],
    "save_segmentation": ["ds", "path", "overwrite"],
    "segment": [
        "clip",
        "model",
        "weights",
        "device",
        "subject_key",
        "view",
        "window",
        "whole_frame",
        "progress",
    ],
    "validate_segmentation": ["path"],
}


def modules_after(statement: str) -> set[str]:
    """The modules that are loaded once ``statement`` has run in a Python of its own."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_public_names_are_frozen():
    assert sorted(medseg.__all__) == PUBLIC
    for name in PUBLIC:
        assert getattr(medseg, name) is not None
    modules_after("import medseg.cli, medseg; assert callable(medseg.segment)")
    assert set(PUBLIC) <= set(dir(medseg))


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'opne_clip'"):
        _ = medseg.opne_clip


def test_importing_medseg_is_light():
    heavy = {"torch", "torchvision", "kornia", "xarray", "zarr", "pandas", "pydicom", "matplotlib"}
    assert not heavy & modules_after("import medseg")


def test_nothing_below_the_parts_loads_torch():
    statement = "\n".join(f"import medseg.{module}" for module in BELOW_TORCH)
    assert not {"torch", "torchvision", "kornia"} & modules_after(statement)


def test_the_command_line_starts_without_torch():
    assert "torch" not in modules_after("import medseg.cli")


def test_what_opens_videos_leaves_what_reads_dicom_alone():
    assert not {"pydicom", "gdcm"} & modules_after("import medseg.decode, medseg.decode.video")


def test_every_module_lives_on_a_floor_and_every_floor_is_built():
    there = {
        path.stem
        for path in PACKAGE.iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").exists()
    }
    assert there == {module for floor in FLOORS for module in floor}


def test_imports_only_go_down():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"],
        cwd=TOP,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_no_file_is_past_400_lines():
    assert SOURCES
    long = {
        str(path.relative_to(TOP)): lines
        for path in SOURCES
        if (lines := len(path.read_text("utf-8").splitlines())) > 400
    }
    assert not long


def test_names_say_what_a_file_is_about():
    forbidden = {"util", "utils", "helper", "helpers", "common", "misc", "core"}
    vague = [
        str(path.relative_to(TOP))
        for path in SOURCES
        if forbidden & {part.lower() for part in (*path.relative_to(TOP).parent.parts, path.stem)}
    ]
    assert not vague


def test_both_packages_and_the_changelog_tell_the_same_version():
    link = TOP / "DESCRIPTION"
    assert link.resolve() == TOP / "r" / "DESCRIPTION"
    assert f"\nVersion: {medseg.__version__}\n" in link.read_text("utf-8")
    assert f"\n## {medseg.__version__} " in (TOP / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("script", ["ci/setup", "ci/demo", "ci/test", "ci/check", ".ci/run"])
def test_scripts_are_whole_and_can_be_run(script):
    path = TOP / script
    assert path.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", path], check=True)


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_parameters_of_public_functions_are_frozen(name):
    assert list(inspect.signature(getattr(medseg, name)).parameters) == PARAMETERS[name]
