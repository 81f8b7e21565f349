"""Queries: a scenario of a program evaluated over its axes, as columns, limits, requirements and explanations."""
