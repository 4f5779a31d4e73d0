"""medseg train from the command line."""

import pytest
from safetensors.torch import load_file

from medseg.cli import main
from medseg.train import read_config


def test_a_recipe_with_flags_trains_on_the_cpu_and_is_resumed_by_its_folder(
    folder, tmp_path, capsys
):
    out = tmp_path / "run"
    written = tmp_path / "small.toml"
    flags = ["--data", str(folder), "--width", "0.0625", "--steps", "2", "--batch", "2",
             "--learning-rate", "0.001", "--labels", "0.5", "--workers", "0",
             "--device", "cpu"]  # fmt: skip
    assert main(["train", "--recipe", "unet", *flags, "--write-config", str(written)]) == 0
    written.write_text(written.read_text().replace("size = 112", "size = 32"))
    assert main(["train", str(written), "--out", str(out), "--seed", "3"]) == 0
    shown = capsys.readouterr()
    assert f"{out}/weights.safetensors" in shown.out
    assert "best" in shown.out or "loss" in shown.out
    config = read_config(out / "config.toml")
    assert (config.seed, config.run.steps, config.data.labels) == (3, 2, 0.5)
    assert config.network.shape.widths == (4, 8, 16, 32)
    before = load_file(out / "last.safetensors")
    assert main(["train", "--resume", "--out", str(out)]) == 0  # nothing is left to do
    assert before.keys() == load_file(out / "last.safetensors").keys()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["weights.safetensors"], "medseg train --recipe default --out weights.safetensors"),
        ([], "name what to train"),
        (["--recipe", "nnunet", "--out", "r"], "choose default, echonet"),
        (["--recipe", "unet", "--out", "r"], "give --data DIR"),
        (["--recipe", "unet", "--data", "d"], "give --out RUN"),
        (["--recipe", "unet", "--data", "nowhere", "--out", "r"], "nowhere"),
        (
            ["--recipe", "unet", "--width", "2", "--data", "d", "--out", "r"],
            "share of the channels",
        ),
        (["--recipe", "unet", "--frames", "16", "--data", "d", "--out", "r"], "by itself"),
        (["--recipe", "unet", "--bursts", "9", "--out", "r"], "--bursts belongs to"),
        (["--recipe", "default", "--out", "r"], "name it .safetensors"),
        (["--recipe", "default", "--data", "d", "--out", "w.safetensors"], "leave out --data"),
        (["--resume", "--out", "r"], "no run to resume"),
        (["no.toml", "--out", "r"], "no.toml: cannot be read"),
    ],
)
def test_bad_calls_are_one_line_and_code_2(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_device_that_is_not_there_is_one_line(folder, tmp_path, capsys):
    out = tmp_path / "run"
    call = ["train", "--recipe", "unet", "--data", str(folder), "--out", str(out)]
    assert main([*call, "--device", "cuda:7"]) == 2
    assert "no device 'cuda:7' on this machine; choose --device cpu" in capsys.readouterr().err
    assert main([*call, "--precision", "16-mixed"]) == 2
    assert "16-mixed needs a GPU" in capsys.readouterr().err
    assert not out.exists()
