"""The FHIR reports that R writes, held to the JSON schema of FHIR R4 and to its own constraints."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import jsonschema
import pytest

pytestmark = pytest.mark.timeout(600)
HERE = Path(__file__).parent
SPEC = HERE.parents[1] / "shared_data_spec"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"


def validator(definition: str) -> jsonschema.Draft6Validator:
    schema = json.loads((HERE / "fhir_r4_subset.schema.json").read_text("utf-8"))
    jsonschema.Draft6Validator.check_schema(schema)
    return jsonschema.Draft6Validator({**schema, "$ref": f"#/definitions/{definition}"})


@pytest.fixture(scope="module")
def reports(ask_r):
    """Of every valid conformance store, of a patient's clip, and of two studies."""
    stores = [str(path) for path in sorted((SPEC / "conformance" / "valid").glob("*.zarr"))]
    return ask_r("fhir.R", stores)


def test_every_report_and_every_observation_follows_the_schema_of_r4(reports):
    report, observation = validator("DiagnosticReport"), validator("Observation")
    assert len(reports) > 10
    for one in reports:
        assert [e.message for e in report.iter_errors(one)] == []
        for contained in one["contained"]:
            assert [e.message for e in observation.iter_errors(contained)] == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda r: r.update(status=3),
        lambda r: r.update(unknown="x"),
        lambda r: r.pop("code"),
        lambda r: r["contained"][0].update(valueQuantity={"value": "57"}),
        lambda r: r["contained"][0].update(id="has space"),
    ],
)
def test_the_schema_refuses_what_is_wrong(reports, spoil):
    wrong = copy.deepcopy(reports[-1])
    spoil(wrong)
    report, observation = validator("DiagnosticReport"), validator("Observation")
    errors = [*report.iter_errors(wrong), *observation.iter_errors(wrong["contained"][0])]
    assert errors


def test_nothing_is_final_and_what_is_missing_says_why(reports):
    missing = 0
    for one in reports:
        assert one["status"] == "preliminary"
        for contained in one["contained"]:
            assert contained["status"] == "preliminary"
            # obs-6: a reason for absence only where there is no value
            assert ("valueQuantity" in contained) != ("dataAbsentReason" in contained)
            if "dataAbsentReason" in contained:
                missing += 1
                assert contained["dataAbsentReason"]["coding"][0]["system"] == ABSENT
                assert contained["dataAbsentReason"]["text"]
    assert missing > 0


def test_references_to_contained_observations_resolve(reports):
    for one in reports:
        held = [f"#{contained['id']}" for contained in one["contained"]]
        assert [result["reference"] for result in one["result"]] == held
        assert len(set(held)) == len(held)


def test_a_patient_is_named_only_where_the_caller_did(reports):
    assert all("subject" not in one for one in reports[:-3])
    assert reports[-3]["subject"]["identifier"]["value"] == "p-1"
    assert "subject" not in reports[-2]
