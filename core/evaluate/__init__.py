"""Evaluation: what a design costs, from the operations of a pass to step times of each phase. Pure."""
