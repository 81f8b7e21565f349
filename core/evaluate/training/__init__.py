"""Training: one optimiser step as passes forward and backward, collectives of gradients and the update."""
