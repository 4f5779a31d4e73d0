"""How runs are named and found, and what a training run's record tells."""

from __future__ import annotations

import json

import pytest

from medseg.compare import find_runs, read_record
from medseg.errors import InputError


def test_a_run_is_named_or_has_its_folder_s_name(make_run, tmp_path):
    folder = make_run("first", clips=(2,))
    named, plain = find_runs([f"mine={folder}", str(folder)], out=tmp_path)
    assert (named.name, plain.name) == ("mine", "first")
    assert named.predictions == folder
    assert (named.model, named.makes, named.ef_only) == (None, False, False)
    (folder / "ef.csv").write_text("FileName,start_frame,ef\nclip2,0,50\n")
    (table,) = find_runs([str(folder / "ef.csv")], out=tmp_path)
    assert (table.name, table.ef_only) == ("first", True)


def test_a_training_run_s_predictions_are_beside_its_weights(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text(json.dumps({"model": "unet", "training_seconds": 90}))
    (run / "weights.safetensors").write_bytes(b"")
    (found,) = find_runs([str(run)], out=tmp_path / "o")
    assert (found.model, found.makes) == ("unet", True)
    assert found.weights == run / "weights.safetensors"
    assert found.predictions == run / "predictions"
    (run / "run.json").write_text(json.dumps({"model": "echonet-ef"}))
    (found,) = find_runs([str(run)], out=tmp_path / "o")
    assert found.predictions == run / "predictions" / "ef.csv"


def test_a_model_alone_is_predicted_into_the_comparison(tmp_path):
    (found,) = find_runs(
        [], out=tmp_path, models={"ours": "default"}, weights={}, zero_shot=["ours"]
    )
    assert found.predictions == tmp_path / "predictions" / "ours"
    assert (found.model, found.makes, found.zero_shot) == ("default", True, True)


def test_what_is_no_run_is_one_line(make_run, tmp_path):
    folder = make_run("first", clips=(2,))
    empty = tmp_path / "empty"
    empty.mkdir()
    for arguments, options, words in (
        ([], {}, "no run to compare"),
        ([f"a={folder}", f"a={folder}"], {}, "two runs are named a"),
        ([f"a={empty}"], {}, "no store, no ef.csv and no run.json"),
        ([f"a={tmp_path / 'none'}"], {}, "nothing there for the run a"),
        (["=x"], {}, "write NAME=FOLDER"),
        ([], {"models": {"a/b": "unet"}}, "a name without /"),
        ([f"a={folder}"], {"weights": {"b": folder}}, "--weights b: no run has that name"),
        ([f"a={folder}"], {"zero_shot": ["b"]}, "--zero-shot b: no run has that name"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            find_runs(arguments, out=tmp_path, **options)
        assert "\n" not in str(caught.value)


def test_a_record_tells_what_it_says_and_nothing_else(tmp_path):
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"recipe": "unet", "annotated_frames": 40, "strange": [1]}))
    record = read_record(path)
    assert (record.recipe, record.annotated_frames, record.training_seconds) == ("unet", 40, None)
    for text, words in (
        ("{", "cannot be read"),
        ("[1]", "no run's record"),
        ('{"training_seconds": "long"}', "training_seconds is 'long', no number"),
        ('{"training_seconds": NaN}', "no number"),
        ('{"annotated_clips": -1}', "less than nothing"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=words):
            read_record(path)
