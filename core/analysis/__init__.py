"""Analyses on top of evaluation: comparison, sensitivity, validation, calibration, deployment search, studies."""
