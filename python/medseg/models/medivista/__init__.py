"""MediViSTA: SAM's image encoder, taught clips by adapters, a frequency branch and a decoder."""

from __future__ import annotations

from medseg.models.medivista.network import MediViSTA, MediViSTAShape, parameter_counts
from medseg.models.medivista.sam_weights import SamReport, load_sam_encoder
from medseg.models.medivista.segmenter import PREPARATION, load_medivista
from medseg.models.medivista.vit import VIT_B, VIT_H, VIT_L, EncoderShape, ImageEncoder

__all__ = [
    "PREPARATION",
    "VIT_B",
    "VIT_H",
    "VIT_L",
    "EncoderShape",
    "ImageEncoder",
    "MediViSTA",
    "MediViSTAShape",
    "SamReport",
    "load_medivista",
    "load_sam_encoder",
    "parameter_counts",
]
