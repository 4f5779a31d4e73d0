from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from medseg.errors import InputError
from medseg.models.sam2.prompts import Prompt, check_prompts, point_inputs
from medseg.models.sam2.prompts_file import read_prompts

BAD = {
    "points at no object": [],
    r"point \(101, 5\) lies outside the frame of 100 x 50": [
        Prompt("a", points=((101, 5),), labels=(1,))
    ],
    r"box corner \(20, 60\) lies outside": [Prompt("a", box=(10, 10, 20, 60))],
    r"box \(30, 10, 20, 20\) is empty": [Prompt("a", box=(30, 10, 20, 20))],
    "the clip has frames 0 to 9": [Prompt("a", frame=10, box=(1, 1, 5, 5))],
    "neither points nor a box nor a mask": [Prompt("a")],
    "2 points and 1 labels": [Prompt("a", points=((1, 1), (2, 2)), labels=(1,))],
    "neither 1": [Prompt("a", points=((1, 1),), labels=(2,))],
    "every point is on the background": [Prompt("a", points=((1, 1),), labels=(0,))],
    "pointed at twice": [Prompt("a", box=(1, 1, 5, 5)), Prompt("a", box=(2, 2, 5, 5))],
    "small letters": [Prompt("The Organ", box=(1, 1, 5, 5))],
    "a mask stands alone": [Prompt("a", box=(1, 1, 5, 5), mask=np.ones((50, 100), bool))],
    r"shape \(100, 50\), the frames \(50, 100\)": [Prompt("a", mask=np.ones((100, 50), bool))],
    "the mask is empty": [Prompt("a", mask=np.zeros((50, 100), bool))],
    "nothing was tracked yet": [Prompt("a", box=(1, 1, 5, 5), correct=True)],
    "17 objects": [Prompt(f"o{i}", box=(1, 1, 5, 5)) for i in range(17)],
    r"point \(nan, 5\) lies outside": [Prompt("a", points=((float("nan"), 5),), labels=(1,))],
}


@pytest.mark.parametrize("said", BAD)
def test_a_prompt_that_does_not_fit_is_one_clear_line(said):
    with pytest.raises(InputError, match=said) as caught:
        check_prompts(BAD[said], frame_count=10, height=50, width=100, where="clip")
    assert "\n" not in str(caught.value)


def test_prompts_that_fit_pass():
    prompts = [
        Prompt("a", points=((0, 0), (100, 50)), labels=(1, 0), box=(0, 0, 100, 50)),
        Prompt("a", frame=9, points=((5, 5),), labels=(0,), correct=True),
        Prompt("b", frame=3, mask=np.ones((50, 100), bool)),
    ]
    check_prompts(prompts, frame_count=10, height=50, width=100, where="clip")


def test_a_box_is_two_points_before_the_others_in_the_networks_pixels():
    prompt = Prompt("a", points=((50, 25),), labels=(0,), box=(10, 5, 100, 50))
    found = point_inputs(prompt, height=50, width=100, side=256, device=torch.device("cpu"))
    assert found["point_labels"].tolist() == [[2, 3, 0]]
    expected = [[[25.6, 25.6], [256.0, 256.0], [128.0, 128.0]]]
    torch.testing.assert_close(found["point_coords"], torch.tensor(expected))


def write(path, objects, **more):
    path.write_text(
        json.dumps({"schema": "medseg-prompts", "version": 1, "objects": objects} | more)
    )
    return path


def test_a_file_gives_its_prompts(tmp_path):
    Image.fromarray(np.eye(4, dtype=np.uint8) * 255).save(tmp_path / "m.png")
    objects = [
        {"name": "liver", "prompts": [{"frame": 2, "points": [[1, 2], [3, 4]], "labels": [1, 0]}]},
        {
            "name": "tool",
            "prompts": [{"frame": 0, "box": [1, 2, 3, 4]}, {"frame": 5, "mask": "m.png"}],
        },
        {"name": "duct", "prompts": [{"frame": 1, "points": [[5, 6]]}]},
    ]
    liver, box, mask, duct = read_prompts(write(tmp_path / "p.json", objects))
    assert (liver.object, liver.frame, liver.points, liver.labels) == (
        "liver",
        2,
        ((1.0, 2.0), (3.0, 4.0)),
        (1, 0),
    )
    assert box.box == (1.0, 2.0, 3.0, 4.0)
    np.testing.assert_array_equal(mask.mask, np.eye(4, dtype=bool))
    assert duct.labels == (1,)  # a point is on the object unless it says otherwise


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ([], "points at no object"),
        ([{"name": "a", "prompts": []}], "object a has no prompt"),
        ([{"name": "a", "prompts": [{"points": [[1, 2]]}]}], "'frame' is a required"),
        ([{"name": "a", "prompts": [{"frame": -1, "box": [1, 2, 3, 4]}]}], "-1 is less"),
        ([{"name": "A b", "prompts": []}], "does not match"),
        ([{"name": "a", "prompts": [{"frame": 0, "bx": [1]}]}], "'bx' was unexpected"),
        ([{"name": "a", "prompts": [{"frame": 0, "mask": "none.png"}]}], "no mask there"),
        ([{"name": "a", "prompts": [{"frame": 0}]}] * 2, "listed twice"),
    ],
)
def test_a_file_against_the_schema_is_one_clear_line(tmp_path, objects, said):
    with pytest.raises(InputError, match=said) as caught:
        read_prompts(write(tmp_path / "p.json", objects))
    assert "\n" not in str(caught.value)
    assert "p.json" in str(caught.value) or "none.png" in str(caught.value)


def test_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(InputError, match="no prompts file there"):
        read_prompts(tmp_path / "none.json")
    (tmp_path / "text.json").write_text("frame 0, the dark thing")
    with pytest.raises(InputError, match="is not JSON"):
        read_prompts(tmp_path / "text.json")
    with pytest.raises(InputError, match="1 was expected"):
        read_prompts(write(tmp_path / "p.json", [], version=2))
