"""Simulated echocardiography with known truth: apical views, rhythms, scanners and their faults."""
