from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from medseg.errors import InputError, MedsegError, WeightsError
from medseg.models.weights import available_device, compare_keys, fit, read_checkpoint


def small_network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))


class TouchOnLoad:
    """A pickle of this makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def one_line(error: pytest.ExceptionInfo[MedsegError]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("layout", ["safetensors", "zip", "legacy"])
def test_the_same_tensors_come_back_from_each_file_format(tmp_path, layout):
    wanted = small_network().state_dict()
    path = tmp_path / "weights"
    if layout == "safetensors":
        save_file(wanted, path, metadata={"mean": "0.5"})
    else:
        torch.save(wanted, path, _use_new_zipfile_serialization=layout == "zip")
    checkpoint = read_checkpoint(path)
    assert checkpoint.tensors.keys() == wanted.keys()
    assert all(torch.equal(checkpoint.tensors[key], wanted[key]) for key in wanted)
    assert checkpoint.metadata == ({"mean": "0.5"} if layout == "safetensors" else {})


def test_sha256_is_that_of_the_whole_file(tmp_path):
    path = tmp_path / "weights.pt"
    torch.save(small_network().state_dict(), path)
    assert read_checkpoint(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("zipped", [True, False])
def test_pickled_code_is_refused_and_never_run(tmp_path, zipped):
    trap = tmp_path / "written-by-the-pickle"
    path = tmp_path / "weights.pt"
    content = {"state_dict": small_network().state_dict(), "extra": TouchOnLoad(trap)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match="pickled code") as error:
        read_checkpoint(path)
    assert "never runs" in one_line(error)
    assert not trap.exists()
    torch.load(path, weights_only=False)
    assert trap.exists()  # the trap works where code is run


def test_a_bare_pickle_is_refused_and_never_run(tmp_path):
    trap = tmp_path / "written-by-the-pickle"
    path = tmp_path / "weights.pt"
    path.write_bytes(pickle.dumps(TouchOnLoad(trap)))
    with pytest.raises(WeightsError) as error:
        read_checkpoint(path)
    one_line(error)
    assert not trap.exists()


@pytest.mark.parametrize("layout", ["safetensors", "zip", "legacy"])
@pytest.mark.parametrize("kept", [0, 1, 9, 0.5, 0.99])
def test_a_truncated_file_is_refused_in_one_line(tmp_path, layout, kept):
    path = tmp_path / "weights"
    if layout == "safetensors":
        save_file(small_network().state_dict(), path)
    else:
        torch.save(
            small_network().state_dict(), path, _use_new_zipfile_serialization=layout == "zip"
        )
    whole = path.read_bytes()
    path.write_bytes(whole[: kept if isinstance(kept, int) else int(len(whole) * kept)])
    with pytest.raises(WeightsError) as error:
        read_checkpoint(path)
    assert str(path) in one_line(error)


@pytest.mark.parametrize(
    "content", [b"not weights at all\n" * 20, bytes(range(256)) * 8, b"PK\x03\x04" + bytes(100)]
)
def test_other_files_are_refused_in_one_line(tmp_path, content):
    path = tmp_path / "weights.pt"
    path.write_bytes(content)
    with pytest.raises(WeightsError) as error:
        read_checkpoint(path)
    one_line(error)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(WeightsError, match="no weights file there"):
        read_checkpoint(tmp_path / "nowhere.pt")
    with pytest.raises(WeightsError, match="cannot be read"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize("content", [{}, [1.0], {"epoch": 3}, {"state_dict": {"a": 1.5}}, {1: 2}])
def test_files_without_tensors_are_refused(tmp_path, content):
    path = tmp_path / "weights.pt"
    torch.save(content, path)
    with pytest.raises(WeightsError):
        read_checkpoint(path)


def test_the_report_names_missing_unexpected_and_reshaped_keys():
    tensors = small_network().state_dict()
    del tensors["0.bias"]
    tensors["0.weight"] = torch.zeros(2, 3, 3, 3)
    tensors["head.weight"] = torch.zeros(1)
    report = compare_keys(small_network(), tensors)
    assert report.missing == ("0.bias",)
    assert report.unexpected == ("head.weight",)
    assert report.reshaped == ("0.weight ((2, 3, 3, 3) instead of (2, 1, 3, 3))",)
    assert not report.fits
    assert compare_keys(small_network(), small_network().state_dict()).fits


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"1.bias": None}, r"1 missing: 1\.bias"),
        ({"extra": torch.zeros(1)}, "1 unexpected: extra"),
        ({"1.bias": torch.zeros(3)}, r"1 of another shape: 1\.bias \(\(3,\) instead of \(2,\)\)"),
    ],
)
def test_weights_that_do_not_fit_leave_the_network_as_it_was(tmp_path, change, said):
    network, path = small_network(), tmp_path / "weights.pt"
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    tensors = small_network().state_dict() | change
    torch.save({key: tensor for key, tensor in tensors.items() if tensor is not None}, path)
    with pytest.raises(WeightsError, match=said) as error:
        fit(network, read_checkpoint(path), architecture="the small network")
    assert "the small network" in one_line(error)
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.state_dict().items())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers_are_refused(tmp_path, value):
    network, path = small_network(), tmp_path / "weights.pt"
    tensors = small_network().state_dict()
    tensors["1.weight"][0] = value
    torch.save(tensors, path)
    with pytest.raises(WeightsError, match=r"1\.weight"):
        fit(network, read_checkpoint(path), architecture="the small network")


def test_only_devices_of_this_machine_are_given():
    assert available_device("cpu") == torch.device("cpu")
    with pytest.raises(InputError, match="--device cpu"):
        available_device("abacus")
    with pytest.raises(InputError, match="--device cpu"):
        available_device(f"cuda:{torch.cuda.device_count()}")


def test_an_old_torch_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "weights.pt"
    torch.save(small_network().state_dict(), path)
    monkeypatch.setattr(torch, "__version__", torch.torch_version.TorchVersion("2.5.1"))
    with pytest.raises(WeightsError, match=r"install torch 2\.6 or newer"):
        read_checkpoint(path)
