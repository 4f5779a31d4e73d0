"""The one door: what is there is opened by its bytes, what is not is refused in one line."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import examples

from medseg.decode import describe_clip, describe_rows, open_clip
from medseg.decode.signature import file_kind
from medseg.errors import ClipNotFound, ClipUnreadable, InputError


def refusal(path: Path, kind: type[Exception] = ClipUnreadable) -> str:
    with pytest.raises(kind) as refused:
        open_clip(path)
    message = str(refused.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


def test_missing_file(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.avi", ClipNotFound)
    with pytest.raises(FileNotFoundError):
        open_clip(tmp_path / "none.avi")


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.dcm"
    path.touch()
    assert "0 bytes" in refusal(path)


@pytest.mark.parametrize("name", ["noise.avi", "noise.mp4", "noise.dcm", "noise"])
@pytest.mark.parametrize("size", [1, 10, 131, 5000])
def test_random_bytes(tmp_path: Path, name: str, size: int) -> None:
    path = tmp_path / name
    path.write_bytes(np.random.default_rng(size).bytes(size))
    refusal(path)


@pytest.mark.parametrize(
    "text", ["hello\n" * 200, "#EXTM3U\nhttp://example.org/a.ts\n", "ffconcat"]
)
def test_text_named_avi(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.avi"
    path.write_text(text)
    assert "AVI, MP4 or DICOM" in refusal(path)


def test_unreadable_device_is_no_ordinary_file() -> None:
    assert "ordinary" in refusal(Path("/dev/null"))


@pytest.mark.parametrize("options", [{"frame_rate_hz": -1.0}, {"view": "A5C"}])
def test_arguments_are_checked_before_the_file_is(tmp_path: Path, options: dict) -> None:
    with pytest.raises(InputError) as refused:
        open_clip(tmp_path / "none.avi", **options)
    assert not isinstance(refused.value, ClipNotFound)


def test_a_file_is_known_by_its_bytes_and_not_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    path.write_bytes(Path(examples.get_path("ybr_color")).read_bytes())
    clip = open_clip(path)
    assert (clip.kind, clip.name) == ("dicom", "clip")
    assert clip.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_kinds_by_signature() -> None:
    assert file_kind(b"RIFF\x10\0\0\0AVI LIST") == "avi"
    assert file_kind(b"RIFF\x10\0\0\0WAVEfmt ") is None
    assert file_kind(b"\0\0\0\x18ftypisom") == "mp4"
    assert file_kind(b"\x08\0\x05\0CS\x0a\0ISO_IR 100") == "dicom"
    assert file_kind(b"\0" * 128 + b"DICM") == "dicom"
    assert file_kind(b"plain words and nothing else") is None


def test_one_picture_is_a_clip_of_one_frame(tmp_path: Path) -> None:
    path = tmp_path / "frame.png"
    Image.fromarray(np.full((4, 5, 3), 9, np.uint8)).save(path)
    clip = open_clip(path)
    assert (clip.kind, clip.frame_count, clip.frame_time_source) == ("images", 1, "single frame")


def test_description_says_what_is_known_and_why_the_rest_is_not() -> None:
    clip = open_clip(examples.get_path("ybr_color"))
    facts = json.loads(json.dumps(describe_clip(clip), allow_nan=False))
    assert facts["frame_count"] == 30
    assert facts["frame_rate_hz"] == pytest.approx(30.0003)
    assert facts["duration_s"] == pytest.approx(29 * 0.033333)
    assert facts["frame_interval_varies"] is False
    assert facts["spacing_cm"] is None
    rows = dict(describe_rows(clip))
    assert rows["size"].startswith("320 x 240")
    assert "30 Hz" in rows["frame rate"] and "FrameTime" in rows["frame rate"]
    assert rows["calibration"] == f"none: {clip.spacing_reason}"


def test_description_of_unknown_times_gives_the_cure(tmp_path: Path) -> None:
    for number in range(3):
        Image.fromarray(np.full((4, 5, 3), number, np.uint8)).save(tmp_path / f"{number}.png")
    rows = dict(describe_rows(open_clip(tmp_path)))
    assert "--fps" in rows["frame rate"]
    assert describe_clip(open_clip(tmp_path))["frame_rate_hz"] is None
