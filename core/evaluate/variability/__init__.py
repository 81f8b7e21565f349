"""Latency as a distribution: what is random in a step, how its parts add up, and percentiles of them."""
