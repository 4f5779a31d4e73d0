"""The one place that needs `medseg[train]`: Lightning Fabric and TensorBoard are started here."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch

from medseg.errors import InputError, MissingExtra
from medseg.models.weights import available_device
from medseg.train.config import Run


def start_fabric(run: Run) -> Any:
    """Start Lightning Fabric on the devices that a run names; under torchrun join the others.

    Raises:
        InputError: no such device, or a precision that it does not have.
        MissingExtra: Lightning Fabric is not installed.
    """
    try:
        from lightning_fabric import Fabric
    except ImportError:
        raise MissingExtra(
            "training needs Lightning Fabric; install it with: pip install 'medseg[train]'"
        ) from None
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    device = available_device(run.device)
    if device.type == "cpu" and run.precision == "16-mixed":
        raise InputError("run.precision 16-mixed needs a GPU; choose bf16-mixed or 32-true")
    devices: int | list[int] = run.devices
    if device.index is not None and device.type != "cpu":
        if run.devices > 1:
            raise InputError(f"--device {run.device} is one device; for several say --device cuda")
        devices = [device.index]
    fabric = Fabric(
        accelerator=device.type,
        devices=devices,
        num_nodes=run.nodes,
        precision=run.precision,  # type: ignore[arg-type]
        strategy="ddp" if run.devices * run.nodes > 1 else "auto",
    )
    fabric.launch()
    if fabric.world_size != run.devices * run.nodes:
        raise InputError(
            f"{fabric.world_size} processes were started for {run.devices} devices on {run.nodes} "
            "machines; give --devices and --nodes as many as torchrun starts"
        )
    return fabric


def for_devices(network: torch.nn.Module, fabric: Any) -> torch.nn.Module:
    """The network with batch normalisation over all GPUs together, where there are several."""
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        return torch.nn.SyncBatchNorm.convert_sync_batchnorm(network)
    return network


def open_tensorboard(folder: Path, *, first_step: int) -> Any:
    """A TensorBoard writer whose events from `first_step` on replace those of a run cut short.

    Raises MissingExtra where TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MissingExtra(
            "TensorBoard logs need tensorboard; install it with: pip install 'medseg[train]', or "
            "set tensorboard = false under [run]"
        ) from None
    return SummaryWriter(str(folder), purge_step=first_step)
