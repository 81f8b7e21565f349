"""Deployment search: the best deployments of a model on the systems of the library."""
