"""JPEG headers by what the standard says, and damaged ones."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from medseg.decode.jpeg_stream import ended, holds_ycbcr, read_jpeg_header


def jpeg(frame: np.ndarray, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def test_sizes_and_segments_of_a_jfif_stream() -> None:
    header = read_jpeg_header(jpeg(np.zeros((24, 32, 3), np.uint8)))
    assert header is not None
    assert (header.precision, header.height, header.width) == (8, 24, 32)
    assert header.component_ids == b"\1\2\3"
    assert (header.jfif, header.adobe) == (True, False)
    assert holds_ycbcr(header, label="RGB")


def test_components_named_rgb() -> None:
    header = read_jpeg_header(jpeg(np.zeros((8, 8, 3), np.uint8), keep_rgb=True))
    assert header is not None
    assert header.component_ids == b"RGB"


def test_grey_holds_no_chroma() -> None:
    header = read_jpeg_header(jpeg(np.zeros((8, 8), np.uint8)))
    assert header is not None
    assert not holds_ycbcr(header, label="YBR_FULL")


@pytest.mark.parametrize("cut", [0, 1, 2, 20, 200])
def test_a_header_that_is_cut_is_none(cut: int) -> None:
    assert read_jpeg_header(jpeg(np.zeros((8, 8, 3), np.uint8))[:cut]) is None


def test_other_bytes_are_none() -> None:
    assert read_jpeg_header(b"\0" * 100) is None
    assert read_jpeg_header(b"\xff\xd8" + b"\0" * 100) is None


def test_a_missing_end_is_put_there_once() -> None:
    whole = jpeg(np.zeros((8, 8), np.uint8))
    assert ended(whole) == whole
    assert ended(whole + b"\0") == whole + b"\0"
    assert ended(whole[:-2]) == whole
