from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from medseg.data.surgical import read_surgical
from medseg.errors import ClipNotFound, InputError


def picture(path, size=(27, 48), value=90):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*size, 3), value, np.uint8)).save(path)
    return path


@pytest.fixture
def surgisr4k(tmp_path):
    for resolution, size in (("480x270p", (270, 480)), ("960x540p", (540, 960))):
        video = f"vid_003_{resolution}_2tool"
        for number in (2, 30, 10):
            picture(
                tmp_path / "data" / "images" / resolution / video / f"{video}_{number}.png", size
            )
    return tmp_path


def test_surgisr4k_is_read_in_numeric_order_with_its_tools_and_resolutions(surgisr4k):
    found = read_surgical(surgisr4k)
    assert found.kind == "surgisr4k"
    assert [(f.resolution, f.number) for f in found.frames] == [
        ("480x270p", 2), ("480x270p", 10), ("480x270p", 30),
        ("960x540p", 2), ("960x540p", 10), ("960x540p", 30),
    ]  # fmt: skip
    assert {(f.group, f.tools) for f in found.frames} == {("vid_003", 2)}
    read = found.read(found.frames[3])
    assert read.shape == (540, 960, 3)
    assert read.flags.writeable  # torch warns of every array that is not


@pytest.mark.parametrize("below", ["data", "data/images", "data/images/480x270p"])
def test_a_part_of_surgisr4k_can_be_given(surgisr4k, below):
    found = read_surgical(surgisr4k / below)
    assert found.kind == "surgisr4k"
    assert [f.number for f in found.frames][:3] == [2, 10, 30]


def test_what_does_not_belong_is_left_out_with_the_reason(surgisr4k):
    video = surgisr4k / "data/images/480x270p/vid_003_480x270p_2tool"
    (video / "notes.txt").write_text("x")
    picture(video / "vid_004_480x270p_2tool_1.png", (270, 480))
    picture(video / "vid_003_480x270p_2tool_7.png", (27, 48))
    (video / "vid_003_480x270p_2tool_8.png").write_bytes(b"")
    found = read_surgical(surgisr4k)
    codes = {e.name.rsplit("/", 1)[1]: e.code for e in found.excluded}
    assert codes == {
        "notes.txt": "name",
        "vid_004_480x270p_2tool_1.png": "wrong-folder",
        "vid_003_480x270p_2tool_7.png": "size",
        "vid_003_480x270p_2tool_8.png": "damaged",
    }
    assert len(found.frames) == 6


def test_simulated_labels_are_found_beside_the_pictures(surgisr4k):
    video = "480x270p/vid_003_480x270p_2tool/vid_003_480x270p_2tool_10.png"
    truth = picture(surgisr4k / "data/masks" / video)
    by_number = {f.number: f.truth for f in read_surgical(surgisr4k).frames[:3]}
    assert by_number == {2: None, 10: truth, 30: None}


def test_endoscopy_folders_are_groups_in_natural_order(tmp_path):
    for name in ("colon/f2.png", "colon/f10.png", "colon/f1.jpg", "stomach/a.png", "b.png"):
        picture(tmp_path / name)
    (tmp_path / "colon" / "video.mp4").write_bytes(b"x")
    found = read_surgical(tmp_path)
    assert [(f.group, f.name) for f in found.frames] == [
        (".", "b.png"), ("colon", "colon/f1.jpg"), ("colon", "colon/f2.png"),
        ("colon", "colon/f10.png"), ("stomach", "stomach/a.png"),
    ]  # fmt: skip
    assert [(e.name, e.code) for e in found.excluded] == [("colon/video.mp4", "kind")]


def test_several_sizes_in_one_folder_are_refused_by_name(tmp_path):
    picture(tmp_path / "v" / "a.png", (20, 30))
    picture(tmp_path / "v" / "b.png", (20, 31))
    with pytest.raises(InputError, match=r"a\.png is 30 x 20 and b\.png is 31 x 20: .*--height"):
        read_surgical(tmp_path)


def test_several_sizes_in_several_folders_are_fine(tmp_path):
    picture(tmp_path / "v" / "a.png", (20, 30))
    picture(tmp_path / "w" / "b.png", (20, 31))
    assert [f.resolution for f in read_surgical(tmp_path).frames] == ["30x20p", "31x20p"]


def test_one_picture_can_be_given(tmp_path):
    found = read_surgical(picture(tmp_path / "one.png"))
    assert (found.kind, len(found.frames)) == ("image", 1)


def test_a_16_bit_picture_is_as_bright_as_it_is_and_a_cut_one_is_named(tmp_path):
    grey = np.full((27, 48), 0x5A00, np.uint16)  # 0x5A of 8 bits
    Image.fromarray(grey).save(tmp_path / "grey.png")
    (frame,) = (found := read_surgical(tmp_path / "grey.png")).frames
    assert (found.read(frame) == 0x5A).all()
    whole = frame.path.read_bytes()
    frame.path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"grey\.png"):
        found.read(frame)


def test_nothing_there_and_nothing_usable_are_told_apart(tmp_path):
    with pytest.raises(ClipNotFound, match="no such file"):
        read_surgical(tmp_path / "x")
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.txt").write_text("a")
    with pytest.raises(InputError, match=r"1 files left out.*a\.txt: is no PNG or JPEG"):
        read_surgical(tmp_path / "x")
