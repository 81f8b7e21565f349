"""Building blocks of workloads: a pass in plain numbers, and the operations that layers are made of."""
