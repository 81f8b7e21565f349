"""Calibration: physical parameters of kernels fitted to measurements, judged on what was not fitted, written as text."""
