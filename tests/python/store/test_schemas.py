from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from medseg.store import schemas

NAMES = ("root-attributes", "array-metadata", "manifest")
SCHEMA = Path(__file__).parents[3] / "shared_data_spec" / "schema"


@pytest.mark.parametrize("name", NAMES)
def test_the_schemas_are_schemas(name):
    schema = json.loads((SCHEMA / f"{name}.schema.json").read_text("utf-8"))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


def test_an_installed_package_brings_its_schemas(tmp_path, monkeypatch):
    packaged = Path(shutil.copytree(SCHEMA, tmp_path / "schema"))
    monkeypatch.setattr(schemas, "_PACKAGED", packaged)
    assert schemas.schema_folder() == packaged


def test_breaches_name_what_is_missing_and_unknown():
    manifest = {"schema": "medseg-segmentation", "files": {"a": {"bytes": 1, "md5": "x", "b": 2}}}
    breaches = list(schemas.schema_breaches("manifest", manifest))
    assert {(b.path, b.missing, b.unknown) for b in breaches} == {
        ((), ("schema_version",), ()),
        (("files", "a"), (), ("b",)),
        (("files", "a", "md5"), (), ()),
    }
