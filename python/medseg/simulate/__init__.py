"""Simulated clips with known truth: echocardiography, operations, and CT scans."""

from __future__ import annotations

from medseg.simulate.folder import simulate_folder
from medseg.simulate.scan import simulate_scans
from medseg.simulate.surgery_folder import simulate_surgery, simulate_surgisr4k

__all__ = ["simulate_folder", "simulate_scans", "simulate_surgery", "simulate_surgisr4k"]
