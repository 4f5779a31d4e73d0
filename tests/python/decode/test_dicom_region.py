"""Calibration and regions: believed only within the frame and in centimetres."""

from __future__ import annotations

import pydicom
import pytest
from pydicom import examples
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from medseg.decode.dicom_region import dicom_regions, dicom_view

HEIGHT, WIDTH = 480, 640


def region(**changes: object) -> Dataset:
    item = Dataset()
    values = {
        "RegionSpatialFormat": 1,
        "RegionDataType": 1,
        "RegionLocationMinX0": 100,
        "RegionLocationMinY0": 20,
        "RegionLocationMaxX1": 539,
        "RegionLocationMaxY1": 459,
        "PhysicalUnitsXDirection": 3,
        "PhysicalUnitsYDirection": 3,
        "PhysicalDeltaX": 0.03,
        "PhysicalDeltaY": 0.04,
    }
    for keyword, value in (values | changes).items():
        if value is not None:
            setattr(item, keyword, value)
    return item


def regions(*items: Dataset, **tags: object):
    ds = Dataset()
    ds.SequenceOfUltrasoundRegions = list(items)
    for keyword, value in tags.items():
        setattr(ds, keyword, value)
    return dicom_regions(ds, HEIGHT, WIDTH)


def test_tissue_region_in_centimetres_gives_row_and_column_spacing() -> None:
    found = regions(region())
    assert found.spacing_cm == (0.04, 0.03)
    assert found.spacing_reason is None
    assert found.tissue == (20, 100, 460, 540)  # the file's maxima are inclusive
    assert found.colour_flow is False
    assert found.warnings == ()


def test_rows_that_count_upwards_are_as_large() -> None:
    assert regions(region(PhysicalDeltaY=-0.04)).spacing_cm == (0.04, 0.03)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"RegionLocationMaxX1": 641}, "outside"),
        ({"RegionLocationMaxY1": 500}, "outside"),
        ({"RegionLocationMaxX1": 100}, "empty"),
        ({"RegionLocationMinX0": None}, "no place"),
        ({"PhysicalUnitsXDirection": 0}, "centimetres"),
        ({"PhysicalUnitsYDirection": 4}, "centimetres"),
        ({"PhysicalDeltaX": 0.0}, "no ultrasound picture"),
        ({"PhysicalDeltaX": 3.0}, "no ultrasound picture"),
        ({"PhysicalDeltaX": float("nan")}, "how large"),
        ({"PhysicalDeltaY": None}, "how large"),
        ({"RegionSpatialFormat": 2}, "no 2-D tissue region"),
        ({"RegionDataType": 10}, "no 2-D tissue region"),
    ],
)
def test_what_cannot_be_trusted_gives_no_spacing_and_the_reason(changes: dict, words: str) -> None:
    found = regions(region(**changes))
    assert found.spacing_cm is None
    assert words in str(found.spacing_reason)


def test_maximum_one_past_the_last_pixel_is_a_habit_and_let_pass() -> None:
    found = regions(region(RegionLocationMaxX1=WIDTH, RegionLocationMaxY1=HEIGHT))
    assert found.spacing_cm == (0.04, 0.03)
    assert found.tissue == (20, 100, HEIGHT, WIDTH)


def test_real_clip_was_made_smaller_and_its_calibration_is_refused() -> None:
    ds = pydicom.dcmread(examples.get_path("ybr_color"), stop_before_pixels=True)
    found = dicom_regions(ds, 240, 320)
    assert (found.spacing_cm, found.tissue) == (None, None)
    assert "columns 84 to 595" in str(found.spacing_reason)
    assert "320 x 240" in str(found.spacing_reason)


def test_colour_flow_region_is_told() -> None:
    assert regions(region(), region(RegionDataType=2)).colour_flow is True


def test_colour_attribute_is_believed_only_when_it_says_no() -> None:
    ds = Dataset()
    assert dicom_regions(ds, HEIGHT, WIDTH).colour_flow is None
    ds.UltrasoundColorDataPresent = 1
    assert dicom_regions(ds, HEIGHT, WIDTH).colour_flow is None
    ds.UltrasoundColorDataPresent = 0
    assert dicom_regions(ds, HEIGHT, WIDTH).colour_flow is False


def test_two_pictures_side_by_side_are_a_split_screen_without_region() -> None:
    found = regions(
        region(RegionLocationMaxX1=300), region(RegionLocationMinX0=320, RegionDataType=2)
    )
    assert any("split screen" in note for note in found.warnings)
    assert found.tissue is None
    assert found.colour_flow is True


def test_colour_box_within_the_tissue_is_no_split_screen() -> None:
    found = regions(region(), region(RegionDataType=2, RegionLocationMinX0=200))
    assert found.warnings == ()
    assert found.tissue is not None


def test_tissue_regions_of_different_scale_give_no_spacing() -> None:
    found = regions(region(), region(PhysicalDeltaX=0.02))
    assert found.spacing_cm is None
    assert "different" in str(found.spacing_reason)


def test_trace_beside_the_picture_is_told() -> None:
    found = regions(region(), region(RegionSpatialFormat=3, RegionDataType=3))
    assert any("Doppler" in note for note in found.warnings)
    assert found.spacing_cm == (0.04, 0.03)


def test_no_regions_no_spacing() -> None:
    found = dicom_regions(Dataset(), HEIGHT, WIDTH)
    assert found.spacing_cm is None
    assert "no ultrasound regions" in str(found.spacing_reason)


@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("ApicalFourChamber", "A4C"),
        ("ApicalTwoChamber", "A2C"),
        ("ParasternalLongAxis", "PLAX"),
        ("ParasternalShortAxis", "PSAX"),
        ("ParasternalShortAxisAtTheAorticValveLevel", "PSAX"),
        ("ParasternalShortAxisAtTheMitralValveLevel", "PSAX"),
        ("ParasternalShortAxisAtThePapillaryMuscleLevel", "PSAX"),
        ("ApicalLongAxis", "unknown"),
        ("SubcostalLongAxis", "unknown"),
    ],
)
def test_view_codes_of_cid_12226(name: str, view: str) -> None:
    item = Dataset()
    item.CodeValue = getattr(codes.cid12226, name).value
    ds = Dataset()
    ds.ViewCodeSequence = [item]
    assert dicom_view(ds) == view


def test_no_view_code_is_unknown() -> None:
    assert dicom_view(Dataset()) == "unknown"
