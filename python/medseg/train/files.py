"""How a file appears under its name only when it is whole, and a checkpoint likewise."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from medseg.files import write_whole


def write_weights(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file whole; raises OutputError."""
    plain = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
    write_whole(path, save(plain, metadata=metadata))


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values in torch's format, whole; raises OutputError."""
    content = io.BytesIO()
    torch.save(state, content)
    write_whole(path, content.getvalue())
