"""The neutral vocabulary between models: hardware, operations, plans, traffic, usage and limits. Nothing here computes."""
