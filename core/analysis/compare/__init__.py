"""Comparison of systems that serve one model: candidates, their parallelism, and rows of results."""
