"""Pixels of every photometric interpretation and transfer syntax against values known before."""

from __future__ import annotations

import importlib.util
import pickle
import struct
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pydicom
import pytest
from pydicom import examples
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from medseg.decode import open_clip
from medseg.decode.jpeg_stream import holds_ycbcr, read_jpeg_header
from medseg.errors import ClipUnreadable, FrameNotDecoded


def _files() -> ModuleType:
    path = Path(__file__).with_name("conftest.py")
    spec = importlib.util.spec_from_file_location("dicom_files", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


files = _files()
RGB = files.smooth_frames()
GREY = RGB[..., 0]
YBR = files.rgb_to_ybr(RGB)


def pixels_of(path: Path) -> np.ndarray:
    clip = open_clip(path)
    frames = clip.read(0, clip.frame_count)
    assert frames.shape == (clip.frame_count, clip.height, clip.width, 3)
    for number in range(clip.frame_count):  # alone and in a window: the same
        assert (clip.read(number, number + 1)[0] == frames[number]).all()
    return frames


def furthest(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.abs(a.astype(int) - b.astype(int)).max())


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, files.BIG_ENDIAN]
)
class TestUncompressed:
    def test_monochrome2(self, write_dicom, syntax) -> None:
        assert (pixels_of(write_dicom(GREY, "MONOCHROME2", syntax)) == GREY[..., None]).all()

    def test_monochrome1_is_turned_round(self, write_dicom, syntax) -> None:
        frames = pixels_of(write_dicom(GREY, "MONOCHROME1", syntax))
        assert (frames == 255 - GREY[..., None]).all()

    def test_rgb(self, write_dicom, syntax) -> None:
        assert (pixels_of(write_dicom(RGB, "RGB", syntax)) == RGB).all()

    def test_rgb_plane_by_plane(self, write_dicom, syntax) -> None:
        planes = RGB.transpose(0, 3, 1, 2).tobytes()
        path = write_dicom(RGB, "RGB", syntax, pixels=planes, PlanarConfiguration=1)
        assert (pixels_of(path) == RGB).all()

    def test_ybr_full(self, write_dicom, syntax) -> None:
        assert furthest(pixels_of(write_dicom(YBR, "YBR_FULL", syntax)), RGB) <= 2

    def test_ybr_full_422_in_every_frame(self, write_dicom, syntax) -> None:
        chroma = YBR[:, :, 0::2, 1:]  # one pair for two pixels
        packed = np.stack(
            [YBR[:, :, 0::2, 0], YBR[:, :, 1::2, 0], chroma[..., 0], chroma[..., 1]], axis=-1
        )
        path = write_dicom(YBR, "YBR_FULL_422", syntax, pixels=packed.tobytes())
        assert furthest(pixels_of(path), RGB) <= 10

    def test_label_422_on_samples_that_are_not_subsampled(self, write_dicom, syntax) -> None:
        assert furthest(pixels_of(write_dicom(YBR, "YBR_FULL_422", syntax)), RGB) <= 2

    def test_palette(self, write_dicom, syntax) -> None:
        order = "<" if pydicom.uid.UID(syntax).is_little_endian else ">"
        ramps = [np.arange(256), 255 - np.arange(256), (np.arange(256) * 7) % 256]
        tags = {}
        for colour, ramp in zip(("Red", "Green", "Blue"), ramps, strict=True):
            tags[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
            tags[f"{colour}PaletteColorLookupTableData"] = (
                (ramp * 257).astype(f"{order}u2").tobytes()
            )
        path = write_dicom(GREY, "PALETTE COLOR", syntax, **tags)
        assert (pixels_of(path) == np.stack([ramp[GREY] for ramp in ramps], axis=-1)).all()

    def test_sixteen_bits_by_the_range_of_bits_stored(self, write_dicom, syntax) -> None:
        deep = GREY.astype(np.uint16) * 16  # 12 bits
        path = write_dicom(deep, "MONOCHROME2", syntax, BitsStored=12, HighBit=11)
        assert furthest(pixels_of(path), GREY[..., None]) <= 1
        assert any("12-bit" in note and "stored range" in note for note in open_clip(path).warnings)

    def test_sixteen_bits_signed(self, write_dicom, syntax) -> None:
        deep = (GREY.astype(np.int32) * 257 - 32768).astype(np.int16)
        assert furthest(pixels_of(write_dicom(deep, "MONOCHROME2", syntax)), GREY[..., None]) <= 1

    def test_window_of_the_file(self, write_dicom, syntax) -> None:
        deep = GREY.astype(np.uint16) * 10 + 1000
        path = write_dicom(
            deep, "MONOCHROME2", syntax, WindowCenter="2275.5", WindowWidth="2551", BitsStored=16
        )
        # 1000 is the window's lower end and 3550 its upper one (PS3.3 C.11.2.1.2)
        assert furthest(pixels_of(path), GREY[..., None]) <= 1
        assert any("window" in note for note in open_clip(path).warnings)


@pytest.mark.parametrize("packing", files.LOSSLESS)
class TestLossless:
    def test_grey_of_8_and_16_bits(self, write_dicom, packing) -> None:
        path = write_dicom(GREY, "MONOCHROME2")
        packed = files.recompress(path, files.LOSSLESS[packing])
        assert (pixels_of(packed) == GREY[..., None]).all()
        path = write_dicom(GREY.astype(np.uint16) * 257, "MONOCHROME2")
        packed = files.recompress(path, files.LOSSLESS[packing])
        assert (pixels_of(packed) == GREY[..., None]).all()

    def test_rgb(self, write_dicom, packing) -> None:
        packed = files.recompress(write_dicom(RGB, "RGB"), files.LOSSLESS[packing])
        assert (pixels_of(packed) == RGB).all()


# JPEG 2000 has transforms of its own, YBR_RCT and YBR_ICT: below
@pytest.mark.parametrize("packing", ["rle", "jpeg-lossless", "jpeg-ls"])
def test_ybr_full_packed_without_loss(write_dicom, packing) -> None:
    packed = files.recompress(write_dicom(YBR, "YBR_FULL"), files.LOSSLESS[packing])
    assert furthest(pixels_of(packed), RGB) <= 2


class TestJpegBaseline:
    def test_grey(self, write_dicom) -> None:
        stream = [files.jpeg(frame, quality=95) for frame in GREY]
        path = write_dicom(GREY, "MONOCHROME2", files.BASELINE, pixels=stream)
        assert furthest(pixels_of(path), GREY[..., None]) <= 6

    @pytest.mark.parametrize("label", ["YBR_FULL_422", "YBR_FULL", "RGB"])
    def test_jfif_is_ycbcr_whatever_the_label(self, write_dicom, label) -> None:
        stream = [files.jpeg(frame, quality=98, subsampling=0) for frame in RGB]
        path = write_dicom(RGB, label, files.BASELINE, pixels=stream)
        assert furthest(pixels_of(path), RGB) <= 8

    @pytest.mark.parametrize("label", ["YBR_FULL_422", "RGB"])
    def test_adobe_segment_is_obeyed_once(self, write_dicom, label) -> None:
        adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x01"  # transform 1: YCbCr
        stream = []
        for frame in RGB:
            plain = files.jpeg(frame, quality=98, subsampling=0)
            length = struct.unpack(">H", plain[4:6])[0]  # the JFIF segment comes first
            stream.append(plain[:2] + adobe + plain[4 + length :])
        path = write_dicom(RGB, label, files.BASELINE, pixels=stream)
        assert furthest(pixels_of(path), RGB) <= 8

    @pytest.mark.parametrize("label", ["YBR_FULL_422", "RGB"])
    def test_components_named_rgb_are_not_converted(self, write_dicom, label) -> None:
        stream = [files.jpeg(frame, quality=98, keep_rgb=True, subsampling=0) for frame in RGB]
        path = write_dicom(RGB, label, files.BASELINE, pixels=stream)
        assert furthest(pixels_of(path), RGB) <= 8

    def test_label_decides_where_the_stream_is_silent(self, write_dicom) -> None:
        stream = []
        for frame in YBR:  # YBR samples stored as they are, and no segment that says so
            plain = files.jpeg(frame, quality=98, keep_rgb=True, subsampling=0)
            start = plain.index(b"Adobe") - 4
            silent = plain[:start] + plain[start + 16 :]
            named = silent.replace(b"R\x11\0G\x11\0B\x11\0", b"\1\x11\0\2\x11\0\3\x11\0")
            stream.append(named.replace(b"\3R\0G\0B\0", b"\3\1\0\2\0\3\0"))  # in the scan
        silent = read_jpeg_header(stream[0])
        assert silent is not None and not silent.adobe and not silent.jfif
        assert holds_ycbcr(silent, label="YBR_FULL")
        assert not holds_ycbcr(silent, label="RGB")
        path = write_dicom(RGB, "YBR_FULL", files.BASELINE, pixels=stream)
        assert furthest(pixels_of(path), RGB) <= 8

    def test_real_clip_is_what_pydicom_shows_and_converted_once(self) -> None:
        path = examples.get_path("ybr_color")
        shown = pydicom.dcmread(path).pixel_array
        assert furthest(open_clip(path).read(0, 30), shown) <= 2


class TestJpeg2000:
    def test_ybr_rct_and_rgb_without_loss(self, write_dicom) -> None:
        for label, transform in (("YBR_RCT", 1), ("RGB", 0)):
            stream = [
                files.jpeg(frame, format="JPEG2000", no_jp2=True, irreversible=False, mct=transform)
                for frame in RGB
            ]
            path = write_dicom(RGB, label, files.LOSSLESS["j2k-lossless"], pixels=stream)
            assert (pixels_of(path) == RGB).all()

    def test_ybr_ict_with_loss(self, write_dicom) -> None:
        stream = [
            files.jpeg(frame, format="JPEG2000", no_jp2=True, irreversible=True, mct=1)
            for frame in RGB
        ]
        path = write_dicom(RGB, "YBR_ICT", files.J2K, pixels=stream)
        assert furthest(pixels_of(path), RGB) <= 8


@pytest.mark.parametrize(
    "name",
    [
        "SC_rgb_small_odd_big_endian.dcm",
        "SC_rgb_rle_2frame.dcm",
        "SC_ybr_full_422_uncompressed.dcm",
        "SC_rgb_dcmtk_+eb+cr.dcm",
        "SC_rgb_dcmtk_+eb+cy+s4.dcm",
        "SC_rgb_gdcm_KY.dcm",
        "SC_rgb_jpeg.dcm",  # says explicit VR and is written in implicit VR
        "examples_jpeg2k.dcm",
        "examples_rgb_color.dcm",
        "ExplVR_BigEnd.dcm",
    ],
)
def test_files_of_the_pydicom_wheel_look_as_pydicom_shows_them(name) -> None:
    path = get_testdata_file(name, download=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shown = pydicom.dcmread(path).pixel_array
    frames = pixels_of(Path(path))
    assert furthest(frames, shown.reshape(frames.shape)) <= 1


def test_one_broken_frame_is_named_and_the_others_can_be_read(write_dicom) -> None:
    stream = [files.jpeg(frame, quality=95) for frame in RGB]
    stream[1] = stream[1][: len(stream[1]) // 2]
    clip = open_clip(write_dicom(RGB, "YBR_FULL_422", files.BASELINE, pixels=stream))
    with pytest.raises(FrameNotDecoded, match="frame 1 of 3"):
        clip.read(0, 3)
    assert furthest(clip.read(2, 3), RGB[2:]) < 30


def test_frames_in_several_fragments_are_put_together(write_dicom) -> None:
    path = write_dicom(RGB, "RGB")
    packed = files.recompress(path, files.LOSSLESS["jpeg-ls"])
    ds = pydicom.dcmread(packed)
    streams = list(pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=3))
    for has_bot in (True, False):
        ds.PixelData = pydicom.encaps.encapsulate(streams, fragments_per_frame=3, has_bot=has_bot)
        ds["PixelData"].is_undefined_length = True
        ds.save_as(packed)
        assert (pixels_of(packed) == RGB).all()


def test_a_decoder_prints_nothing_and_the_error_is_one_line(write_dicom, capfd) -> None:
    rng = np.random.default_rng(5)
    for syntax in (*files.LOSSLESS.values(), files.BASELINE, files.J2K):
        good = files.jpeg(RGB[0], format="JPEG2000", no_jp2=True)
        for junk in (rng.bytes(400), good[:60] + rng.bytes(300), b"\xff\xd8" + rng.bytes(200)):
            path = write_dicom(RGB, "RGB", syntax, pixels=[junk] * 3)
            with pytest.raises(ClipUnreadable) as refused:
                open_clip(path)
            assert "\n" not in str(refused.value)
    assert capfd.readouterr() == ("", "")


def test_a_clip_can_go_to_another_process(write_dicom) -> None:
    clip = open_clip(write_dicom(RGB, "RGB"))
    read = pickle.loads(pickle.dumps(clip.read))
    assert (read(0, 3) == RGB).all()
