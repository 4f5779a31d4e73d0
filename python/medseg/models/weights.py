"""Weights files are read as plain tensors, never as code, and fitted to a network key by key."""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from medseg.errors import InputError, WeightsError

# Before this release, weights_only=True could be made to run code (CVE-2025-32434).
SAFE_TORCH = (2, 6)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The tensors of one weights file, on the CPU, and where they came from."""

    path: Path
    sha256: str
    tensors: dict[str, Tensor]
    metadata: dict[str, str]  # safetensors' own text metadata; empty for torch's format


@dataclass(frozen=True)
class KeyReport:
    """How a file's tensors differ from an architecture's."""

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    reshaped: tuple[str, ...]  # "key (shape in the file instead of the architecture's)"

    @property
    def fits(self) -> bool:
        """Whether every tensor has its place and every place its tensor."""
        return not (self.missing or self.unexpected or self.reshaped)

    def __str__(self) -> str:
        kinds = (
            (self.missing, "missing"),
            (self.unexpected, "unexpected"),
            (self.reshaped, "of another shape"),
        )
        return "; ".join(f"{len(keys)} {kind}: {_first(keys)}" for keys, kind in kinds if keys)


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a weights file: safetensors, or torch's format holding only tensors and plain values.

    A training checkpoint gives its ``state_dict``; the ``module.`` that DataParallel puts before
    every key is taken off.

    Raises:
        WeightsError: no such file, empty, truncated, holding pickled code, or without tensors.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(9)
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise WeightsError(f"{path}: no weights file there; check the path") from None
    except OSError as error:
        raise WeightsError(
            f"{path}: cannot be read ({error.strerror}); give a weights file"
        ) from None
    if not start:
        raise WeightsError(f"{path}: the file is empty; download the weights again")
    if start[8:] == b"{" and not start.startswith(b"PK"):  # a header's length, then its JSON
        tensors, metadata = _read_safetensors(path)
    else:
        tensors, metadata = _state_dict(read_torch(path), path), {}
    return Checkpoint(path, sha256, _without_module_prefix(tensors), metadata)


def read_given(path: Path | None, model: str, *, cure: str) -> Checkpoint:
    """Read the weights file that was given for a model which ships none.

    Raises:
        WeightsError: none was given, or it cannot be read.
    """
    if path is None:
        raise WeightsError(
            f"model {model}: medseg ships no weights of it; {cure}, and give them with --weights"
        )
    return read_checkpoint(path)


def compare_keys(model: nn.Module, tensors: Mapping[str, Tensor]) -> KeyReport:
    """Report the keys and shapes in which ``tensors`` differ from what ``model`` needs."""
    own = model.state_dict()
    return KeyReport(
        missing=tuple(key for key in own if key not in tensors),
        unexpected=tuple(key for key in tensors if key not in own),
        reshaped=tuple(
            f"{key} ({tuple(tensors[key].shape)} instead of {tuple(own[key].shape)})"
            for key in own
            if key in tensors and tensors[key].shape != own[key].shape
        ),
    )


def fit(model: nn.Module, checkpoint: Checkpoint, *, architecture: str) -> None:
    """Load a checkpoint into ``model``, all of it or nothing.

    Raises:
        WeightsError: keys or shapes differ, or a weight is not a finite number.
    """
    report = compare_keys(model, checkpoint.tensors)
    if not report.fits:
        raise WeightsError(
            f"{checkpoint.path}: these are not weights of {architecture} ({report}); "
            "give weights of that architecture, or choose another with --model"
        )
    for key, tensor in checkpoint.tensors.items():
        if not torch.isfinite(tensor).all():
            raise WeightsError(
                f"{checkpoint.path}: {key} holds values that are not numbers; "
                "take an earlier checkpoint or download the weights again"
            )
    model.load_state_dict(checkpoint.tensors)


def without_prefix(checkpoint: Checkpoint, prefix: str) -> Checkpoint:
    """Take `prefix` off every key, where every key has it."""
    if not all(key.startswith(prefix) for key in checkpoint.tensors):
        return checkpoint
    tensors = {key.removeprefix(prefix): tensor for key, tensor in checkpoint.tensors.items()}
    return replace(checkpoint, tensors=tensors)


def available_device(name: str | torch.device) -> torch.device:
    """Parse a device's name and make sure that this machine has it.

    Raises:
        InputError: not a device, or none such here.
    """
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise InputError(
            f"no device {str(name)!r} on this machine; choose --device cpu, "
            "or install a torch that was built for it"
        ) from None
    return device


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return tensors, dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(_damaged(path, error)) from None


def read_torch(path: Path) -> Any:
    """Read torch's format, holding tensors and plain values only; raises WeightsError."""
    if torch.__version__ < SAFE_TORCH:
        raise WeightsError(
            f"{path}: torch {torch.__version__} cannot read this safely; install torch 2.6 or newer"
        )
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        code = re.search(r"GLOBAL (\S+)", str(error))
        if code:
            raise WeightsError(
                f"{path}: holds pickled code ({code[1]}), which medseg never runs; "
                "ask for the weights as safetensors, or as tensors alone"
            ) from None
        raise WeightsError(_damaged(path, error)) from None
    except Exception as error:  # whatever random bytes make of an unpickler or a zip reader
        raise WeightsError(_damaged(path, error)) from None


def _state_dict(content: Any, path: Path) -> dict[str, Tensor]:
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise WeightsError(f"{path}: holds no weights; give a checkpoint with a state_dict")
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise WeightsError(
                f"{path}: {key!r} is not a tensor; give a state_dict, or a checkpoint that has one"
            )
    return dict(content)


def _without_module_prefix(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    if all(key.startswith("module.") for key in tensors):
        return {key.removeprefix("module."): tensor for key, tensor in tensors.items()}
    return tensors


def _damaged(path: Path, error: Exception) -> str:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
    return f"{path}: not a whole weights file ({reason}); download or copy it again"


def _first(keys: tuple[str, ...], shown: int = 3) -> str:
    return ", ".join(keys[:shown]) + (", …" if len(keys) > shown else "")
