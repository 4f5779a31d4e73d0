"""How a file appears under its name only when it is whole, and a checkpoint likewise."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from medseg.errors import OutputError


def write_whole(path: Path, content: bytes) -> None:
    """Write beside, flush to the disk, then rename; raises OutputError and leaves nothing."""
    stage = path.with_name(f".{path.name}.partial-{secrets.token_hex(4)}")
    try:
        with stage.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        stage.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            stage.unlink(missing_ok=True)
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); choose another --out"
        ) from None


def write_weights(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file whole; raises OutputError."""
    plain = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
    write_whole(path, save(plain, metadata=metadata))


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values in torch's format, whole; raises OutputError."""
    content = io.BytesIO()
    torch.save(state, content)
    write_whole(path, content.getvalue())
