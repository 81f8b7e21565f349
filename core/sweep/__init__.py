"""Sweeps: a study as a plan of chunks, each evaluated on its own, with `tune` optimised away at each point."""
