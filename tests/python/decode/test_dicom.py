"""DICOM files as clips: what is understood, and what is refused in one clear line."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import examples
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)

from medseg.decode import open_clip
from medseg.errors import ClipHasNoFrames, ClipUnreadable

GREY = np.arange(4 * 10 * 12, dtype=np.int64).reshape(4, 10, 12).astype(np.uint8)


def refusal(path: Path | str, kind: type[Exception]) -> str:
    with pytest.raises(kind) as refused:
        open_clip(path)
    message = str(refused.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


def test_real_clip() -> None:
    clip = open_clip(examples.get_path("ybr_color"))
    assert (clip.kind, clip.name) == ("dicom", "examples_ybr_color")
    assert (clip.frame_count, clip.height, clip.width) == (30, 240, 320)
    assert clip.frame_time_s is not None
    np.testing.assert_allclose(clip.frame_time_s, np.arange(30) * 0.033333)
    assert clip.frame_time_source == "FrameTime"
    assert clip.spacing_cm is None and clip.spacing_reason
    assert (clip.view, clip.view_source) == ("unknown", None)


def test_view_of_the_file_and_the_given_one_before_it(write_dicom) -> None:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = "399214001", "SCT"
    path = write_dicom(GREY, ViewCodeSequence=[item])
    clip = open_clip(path)
    assert (clip.view, clip.view_source) == ("A4C", "file")
    clip = open_clip(path, view="A2C")
    assert (clip.view, clip.view_source) == ("A2C", "given")


def test_given_rate_goes_before_the_files_and_says_so(write_dicom) -> None:
    clip = open_clip(write_dicom(GREY, FrameTime="40"), frame_rate_hz=50)
    assert clip.frame_time_source == "given"
    assert clip.frame_rate_hz == pytest.approx(50)
    assert any("25" in note for note in clip.warnings)


def test_no_patient_identity_is_in_the_clip(write_dicom) -> None:
    clip = open_clip(write_dicom(GREY, name="anon.dcm"))
    assert clip.name == "anon"
    assert "Doe" not in repr(clip) and "MRN12345" not in repr(clip)


def test_single_frame_without_number_of_frames(write_dicom) -> None:
    path = write_dicom(GREY[:1])
    ds = pydicom.dcmread(path)
    del ds.NumberOfFrames
    ds.save_as(path)
    clip = open_clip(path)
    assert (clip.frame_count, clip.frame_time_source) == (1, "single frame")


@pytest.mark.parametrize("value", [b"1A", b"0", b"-3"])
def test_number_of_frames_that_is_none_is_counted(write_dicom, value: bytes) -> None:
    path = write_dicom(GREY)
    written = path.read_bytes()
    tag = struct.pack("<HH", 0x0028, 0x0008) + b"IS" + struct.pack("<H", 2)
    assert tag + b"4 " in written
    path.write_bytes(written.replace(tag + b"4 ", tag + value.ljust(2)))
    clip = open_clip(path)
    assert clip.frame_count == 4
    assert any("counted" in note for note in clip.warnings)


def test_more_frames_said_than_there_are_is_refused_before_room_is_made(write_dicom) -> None:
    path = write_dicom(GREY, NumberOfFrames=2_000_000_000)
    assert "4 of the 2000000000 frames" in refusal(path, ClipUnreadable)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEGBaseline8Bit])
def test_file_cut_in_half_names_both_counts(write_dicom, syntax: str) -> None:
    if syntax == JPEGBaseline8Bit:
        import io

        from PIL import Image

        streams = []
        for frame in GREY:
            buffer = io.BytesIO()
            Image.fromarray(frame).save(buffer, "JPEG")
            streams.append(buffer.getvalue())
        path = write_dicom(GREY, syntax=syntax, pixels=streams)
        keep = len(path.read_bytes()) - 2 * len(streams[0])
    else:
        path = write_dicom(GREY)
        keep = len(path.read_bytes()) - GREY[0].size * 3 // 2
    path.write_bytes(path.read_bytes()[:keep])
    assert "2 of the 4 frames" in refusal(path, ClipUnreadable)


def test_huge_frames_are_refused_before_room_is_made(write_dicom) -> None:
    path = write_dicom(GREY, syntax=JPEGBaseline8Bit, pixels=[b"\xff\xd8"] * 4, Rows=65535)
    ds = pydicom.dcmread(path)
    ds.Columns = 65535
    ds.save_as(path)
    assert "65535" in refusal(path, ClipUnreadable)


def test_frames_that_run_length_code_cannot_hold_are_refused_at_once(write_dicom) -> None:
    path = write_dicom(
        GREY, syntax=RLELossless, pixels=[b"\1" + bytes(100)] * 4, Rows=8000, Columns=8000
    )
    assert "run-length" in refusal(path, ClipUnreadable)


@pytest.mark.filterwarnings("ignore:Invalid value")
def test_words_of_the_file_cannot_break_the_line_or_the_terminal(write_dicom) -> None:
    path = write_dicom(GREY)
    written = path.read_bytes()
    assert b"MONOCHROME2 " in written
    path.write_bytes(written.replace(b"MONOCHROME2 ", b"MONO\n\x1b[2J___"))
    message = refusal(path, ClipUnreadable)
    assert message.isprintable()


def test_reports_directories_and_plans_have_no_frames() -> None:
    assert "SR" in refusal(get_testdata_file("test-SR.dcm", download=False), ClipHasNoFrames)
    refusal(get_testdata_file("rtplan.dcm", download=False), ClipHasNoFrames)
    folder = Path(get_testdata_file("DICOMDIR", download=False))
    assert "table of contents" in refusal(folder, ClipHasNoFrames)


def test_picture_without_pixels_has_no_frames(write_dicom) -> None:
    path = write_dicom(GREY)
    ds = pydicom.dcmread(path)
    del ds.PixelData
    ds.save_as(path)
    assert "pixels" in refusal(path, ClipHasNoFrames)


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"PhotometricInterpretation": "HSV"}, "HSV"),
        ({"SamplesPerPixel": 3}, "samples"),
        ({"BitsAllocated": 12}, "bits"),
        ({"BitsStored": 0}, "bits"),
        ({"Rows": 0}, "pixels"),
    ],
)
def test_header_that_contradicts_itself_is_refused(write_dicom, tags: dict, words: str) -> None:
    path = write_dicom(GREY, **tags)
    assert words in refusal(path, ClipUnreadable)


def test_video_stream_inside_dicom_is_named_with_the_cure(write_dicom) -> None:
    mpeg4 = "1.2.840.10008.1.2.4.102"
    path = write_dicom(GREY, syntax=mpeg4, pixels=[b"\0" * 64])
    message = refusal(path, ClipUnreadable)
    assert "MPEG-4" in message and "MP4" in message


def test_deflated_file_is_read(write_dicom) -> None:
    path = write_dicom(GREY)
    ds = pydicom.dcmread(path)
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    ds.save_as(path)
    assert (open_clip(path).read(0, 4) == GREY[..., None]).all()


def test_file_without_preamble_is_read(write_dicom) -> None:
    path = write_dicom(GREY)
    path.write_bytes(path.read_bytes()[132:])
    assert (open_clip(path).read(0, 4) == GREY[..., None]).all()


def test_garbled_files_end_in_a_typed_error_and_nothing_else(write_dicom) -> None:
    whole = write_dicom(GREY, FrameTime="40").read_bytes()
    path = write_dicom(GREY, name="garbled.dcm")
    draw = random.Random(7)
    for _ in range(150):
        garbled = bytearray(whole[: draw.choice([len(whole), draw.randrange(133, len(whole))])])
        for _ in range(draw.choice([1, 3, 30])):
            garbled[draw.randrange(132, len(garbled))] = draw.randrange(256)
        path.write_bytes(garbled)
        try:
            clip = open_clip(path)
            clip.read(0, min(clip.frame_count, 4))
        except (ClipUnreadable, ClipHasNoFrames) as error:
            assert "\n" not in str(error)


def test_deeply_nested_sequences_are_refused_in_one_line(tmp_path: Path) -> None:
    head = b"\0" * 128 + b"DICM"
    meta = b"\x02\0\x10\0UI\x12\x001.2.840.10008.1.2\0"
    length = b"\x02\0\0\0UL\x04\0" + struct.pack("<L", len(meta))
    nested = b"\x08\0\x15\x11\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * 5000
    path = tmp_path / "nested.dcm"
    path.write_bytes(head + length + meta + nested)
    refusal(path, ClipUnreadable)
