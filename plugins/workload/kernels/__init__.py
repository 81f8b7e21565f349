"""Single kernels as workloads, for measurements of operations."""
