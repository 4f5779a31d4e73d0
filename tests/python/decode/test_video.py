"""Video files: counts and times from the container, right frames, refusals in one line."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
import pytest

from medseg.decode import open_clip, video_frames
from medseg.errors import ClipHasNoFrames, ClipUnreadable, FrameNotDecoded

HEIGHT, WIDTH, COUNT = 48, 64, 20
Writer = Callable[..., Path]


def level(number: int) -> int:
    """Give the grey level that frame ``number`` is filled with."""
    return (10 + 11 * number) % 256


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    """Give ``write(name, codec, ...)``: frame n is filled with ``level(n)``, or with noise."""

    def write_video(
        name: str,
        codec: str = "mjpeg",
        rate: Fraction = Fraction(50),
        count: int = COUNT,
        ticks: list[int] | None = None,
        options: dict[str, str] | None = None,
        size: tuple[int, int] = (HEIGHT, WIDTH),
        noise: bool = False,
    ) -> Path:
        path = tmp_path / name
        random = np.random.default_rng(0)
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=rate, options=options or {})
            stream.height, stream.width = size
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            if ticks is not None:
                stream.codec_context.time_base = Fraction(1, 1000)
            for number in range(count):
                rgb = np.full((*size, 3), level(number), dtype=np.uint8)
                if noise:
                    rgb = random.integers(0, 256, rgb.shape, dtype=np.uint8)
                frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
                if ticks is not None:
                    frame.pts, frame.time_base = ticks[number], Fraction(1, 1000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return write_video


def numbers_of(frames: np.ndarray) -> list[int]:
    """Give the frame numbers that grey levels stand for."""
    middle = frames[:, HEIGHT // 2, WIDTH // 2].mean(axis=1)
    return [round((float(value) - 10) / 11) for value in middle]


def refusal(path: Path, kind: type[Exception]) -> str:
    with pytest.raises(kind) as refused:
        open_clip(path)
    message = str(refused.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


B_FRAMES = {"bf": "2", "g": "7", "sc_threshold": "0"}


@pytest.mark.parametrize("small", [True, False], ids=["decord", "pyav"])
@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [("clip.avi", "mjpeg", {}), ("clip.mp4", "libx264", B_FRAMES), ("x.mkv", "libx264", B_FRAMES)],
)
def test_every_frame_by_number_in_any_order(
    write, monkeypatch, small, name, codec, options
) -> None:
    if not small:
        monkeypatch.setattr(video_frames, "DECORD_MAX_CLIP_BYTES", 0)
    clip = open_clip(write(name, codec, options=options))
    assert (clip.frame_count, clip.height, clip.width) == (COUNT, HEIGHT, WIDTH)
    assert clip.kind == name.rpartition(".")[2]
    assert numbers_of(clip.read(0, COUNT)) == list(range(COUNT))
    for start, stop in [(17, 20), (3, 5), (5, 9), (19, 20), (0, 1), (12, 12), (8, 15)]:
        assert numbers_of(clip.read(start, stop)) == list(range(start, stop))
    pieces = [numbers_of(frames) for _, frames in clip.windows(7)]
    assert list(chain(*pieces)) == list(range(COUNT))


def test_decoders_agree_to_the_pixel(write, monkeypatch) -> None:
    path = write("clip.mp4", "libx264", options=B_FRAMES)
    by_decord = open_clip(path).read(0, COUNT)
    monkeypatch.setattr(video_frames, "DECORD_MAX_CLIP_BYTES", 0)
    assert (open_clip(path).read(0, COUNT) == by_decord).all()


@pytest.mark.parametrize("rate", [Fraction(50), Fraction(30000, 1001), Fraction(25, 2)])
@pytest.mark.parametrize("name", ["clip.avi", "clip.mp4"])
def test_times_are_the_containers(write, name: str, rate: Fraction) -> None:
    clip = open_clip(write(name, "mjpeg" if name.endswith("avi") else "libx264", rate))
    assert clip.frame_time_source == "container"
    assert clip.frame_time_s is not None
    expected = np.arange(COUNT) * float(1 / rate)
    np.testing.assert_allclose(clip.frame_time_s, expected, atol=1e-4)
    assert clip.frame_time_s[0] == 0
    assert clip.frame_rate_hz == pytest.approx(float(rate), rel=1e-3)


def test_uneven_times_are_kept_and_begin_at_zero(write) -> None:
    ticks = [500 + 20 * n + (15 if n > 9 else 0) for n in range(COUNT)]  # a pause, a late start
    clip = open_clip(write("clip.mp4", "libx264", ticks=ticks, options=B_FRAMES))
    assert clip.frame_time_s is not None
    np.testing.assert_allclose(clip.frame_time_s, (np.array(ticks) - 500) / 1000, atol=1e-4)
    assert clip.frame_rate_hz == pytest.approx(50, rel=1e-3)
    assert numbers_of(clip.read(9, 12)) == [9, 10, 11]


def test_single_frame(write) -> None:
    clip = open_clip(write("clip.avi", count=1))
    assert (clip.frame_count, clip.frame_time_source) == (1, "single frame")
    assert clip.frame_rate_hz is None


def test_avi_cut_in_half_names_both_counts(write) -> None:
    path = write("clip.avi")
    whole = path.read_bytes()
    # By frames, not bytes: an encoder's frames are smaller on one processor than on two.
    middle = [found.start() for found in re.finditer(b"00dc", whole)][COUNT // 2]
    path.write_bytes(whole[:middle])
    message = refusal(path, ClipUnreadable)
    assert f"of the {COUNT} frames" in message
    assert "cut short" in message


def test_fast_start_mp4_cut_in_half_names_both_counts(write, tmp_path) -> None:
    path = write("clip.mp4", "libx264")
    fast = tmp_path / "fast.mp4"
    with (
        av.open(str(path)) as source,
        av.open(str(fast), "w", options={"movflags": "faststart"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    whole = fast.read_bytes()
    fast.write_bytes(whole[: whole.index(b"mdat") + (len(whole) - whole.index(b"mdat")) // 2])
    assert f"of the {COUNT} frames" in refusal(fast, ClipUnreadable)


def test_mp4_without_its_index_is_refused(write) -> None:
    path = write("clip.mp4", "libx264")
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"moov") - 4])
    assert "never finished" in refusal(path, ClipUnreadable)


def test_broken_frame_is_named_never_replaced_by_its_neighbour(write) -> None:
    path = write("clip.avi")
    whole = bytearray(path.read_bytes())
    starts = [i for i in range(len(whole) - 1) if whole[i : i + 3] == b"\xff\xd8\xff"]
    assert len(starts) == COUNT
    whole[starts[5] : starts[6] - 8] = bytes(starts[6] - 8 - starts[5])
    path.write_bytes(whole)
    clip = open_clip(path)
    assert clip.frame_count == COUNT
    with pytest.raises(FrameNotDecoded, match="frame 5 of 20"):
        clip.read(3, 8)
    assert numbers_of(clip.read(6, 9)) == [6, 7, 8]
    assert numbers_of(clip.read(0, 5)) == [0, 1, 2, 3, 4]


def test_sound_without_pictures_has_no_frames(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        stream.layout = "mono"
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        sound.sample_rate = 44100
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    assert "no picture stream" in refusal(path, ClipHasNoFrames)


def test_nothing_is_printed_by_the_decoders(write, tmp_path: Path) -> None:
    cut = write("cut.avi")
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    junk = tmp_path / "junk.avi"
    junk.write_bytes(b"RIFF\0\0\0\0AVI " + np.random.default_rng(1).bytes(4000))
    script = (
        "import sys, medseg\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        clip = medseg.open_clip(path); clip.read(0, clip.frame_count)\n"
        "    except medseg.MedsegError: pass\n"
    )
    paths = [str(path) for path in (write("good.mp4", "libx264"), write("good.avi"), cut, junk)]
    ran = subprocess.run(
        [sys.executable, "-c", script, *paths], capture_output=True, text=True, check=True
    )
    assert (ran.stdout, ran.stderr) == ("", "")


def test_a_damaged_clip_never_hangs_whoever_listens_to_ffmpeg(write) -> None:
    path = write("clip.mp4", "libx264", size=(480, 640), noise=True)
    content = bytearray(path.read_bytes())
    for at in np.random.default_rng(1).integers(len(content) // 20, len(content) // 2, 400):
        content[at] ^= 0x55
    path.write_bytes(content)
    script = (
        "import sys, av.logging, medseg\n"
        "for _ in range(15):\n"
        "    av.logging.set_level(av.logging.ERROR)\n"  # as torchvision 0.21 does on import
        "    try:\n"
        "        medseg.open_clip(sys.argv[1])\n"
        "    except medseg.MedsegError: pass\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True, timeout=120)


def test_turned_phone_video_is_shown_upright(write, tmp_path: Path) -> None:
    path = write("clip.mp4", "libx264")
    turned = tmp_path / "turned.mp4"
    with av.open(str(path)) as source, av.open(str(turned), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(90)
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    clip = open_clip(turned)
    assert (clip.height, clip.width) == (WIDTH, HEIGHT)
    assert clip.read(0, 2).shape == (2, WIDTH, HEIGHT, 3)


@pytest.mark.parametrize("name", ["clip.avi", "clip.mp4"])
def test_memory_does_not_grow_with_the_clip(write, name: str) -> None:
    codec = "mjpeg" if name.endswith("avi") else "libx264"
    script = (
        "import resource, sys, medseg\n"
        "from medseg.decode import video_frames\n"
        "video_frames.DECORD_MAX_CLIP_BYTES = 0\n"  # as for a clip of full size
        "clip = medseg.open_clip(sys.argv[1])\n"
        "for _ in clip.windows(32): pass\n"
        "print(clip.frame_count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    peaks = []
    for count in (50, 1000):
        path = write(f"{count}-{name}", codec, count=count, size=(120, 160))
        ran = subprocess.run(
            [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
        )
        frame_count, peak = ran.stdout.split()
        assert int(frame_count) == count
        peaks.append(int(peak))
    # 1,000 frames of 160 x 120 in RGB are 58 MB, half of what the libraries take
    assert peaks[1] < 1.05 * peaks[0]
