"""Design-space search: the Pareto front of a space that is too large to enumerate."""
