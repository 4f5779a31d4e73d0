"""Training: the default model on simulated bursts, and the published systems by their recipes."""

from __future__ import annotations

from medseg.train.config import Config, read_config, write_config
from medseg.train.default import DefaultRecipe, make_bursts, train_default
from medseg.train.loop import train
from medseg.train.recipes import RECIPES

__all__ = [
    "RECIPES",
    "Config",
    "DefaultRecipe",
    "make_bursts",
    "read_config",
    "train",
    "train_default",
    "write_config",
]
