"""Simulated echocardiography with known truth: apical views, rhythms, scanners and their faults."""

from __future__ import annotations

from medseg.simulate.folder import simulate_folder

__all__ = ["simulate_folder"]
