from __future__ import annotations

import json
from pathlib import Path

import pytest

from medseg.store import layout

SCHEMA = Path(__file__).parents[3] / "shared_data_spec" / "schema"


@pytest.mark.parametrize(
    ("frames", "height", "width", "expected"),
    [
        (200, 112, 112, 200),  # 2.5 MB: one chunk
        (6000, 480, 640, 13),  # 13 x 307,200 = 3,993,600 <= 4,194,304
        (10, 4096, 4096, 1),  # one frame is more than 4 MiB
        (1, 6, 5, 1),
    ],
)
def test_frames_per_chunk(frames, height, width, expected):
    assert layout.frames_per_chunk(frames, height, width) == expected


def test_chunk_keys_are_in_c_order():
    keys = list(layout.chunk_keys("mask", (2, 7, 6, 5), (1, 3, 6, 5)))
    assert keys[:4] == ["mask/0.0.0.0", "mask/0.1.0.0", "mask/0.2.0.0", "mask/1.0.0.0"]
    assert len(keys) == 6 == layout.chunk_count((2, 7, 6, 5), (1, 3, 6, 5))


@pytest.mark.parametrize("version", ["1.0", "1.9", "1.10"])
def test_supported_versions(version):
    assert layout.supported(version)


@pytest.mark.parametrize("version", ["2.0", "0.9", "1", "1.", "1.00", "1.0\n", "1.0-beta", 1.0])
def test_unsupported_versions(version):
    assert not layout.supported(version)


def test_the_schemas_speak_of_the_same_arrays_and_attributes():
    arrays = json.loads((SCHEMA / "array-metadata.schema.json").read_text("utf-8"))["properties"]
    assert {key.split("/")[0] for key in arrays if "/" in key} == set(layout.ARRAYS)
    for name, spec in layout.ARRAYS.items():
        declared = arrays[f"{name}/.zarray"]["properties"]
        assert declared["dtype"]["const"] == spec.dtype
        assert declared["fill_value"]["const"] == spec.fill_value
        limits = [axis["maximum"] for axis in declared["shape"]["prefixItems"]]
        assert limits == [layout.AXIS_LIMITS[axis] for axis in spec.dims]
        said = arrays[f"{name}/.zattrs"]["properties"]
        assert said["_ARRAY_DIMENSIONS"]["const"] == list(spec.dims)
        assert said["units"]["const"] == spec.units
    root = json.loads((SCHEMA / "root-attributes.schema.json").read_text("utf-8"))
    assert tuple(root["properties"]) == layout.ROOT_ATTRIBUTES
    assert root["required"] == list(layout.ROOT_ATTRIBUTES)


def test_units_of_centimetre_arrays():
    units = {name: layout.ARRAYS[name].units for name in layout.CALIBRATED}
    assert units == {"area_cm2": "cm2", "long_axis_cm": "cm", "disk_diameter_cm": "cm"}
