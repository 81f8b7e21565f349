"""Blocks that the core itself reads: hardware structure, scenarios, runtimes, calibrations, studies."""
