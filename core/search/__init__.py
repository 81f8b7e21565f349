"""Search: points of a space that nobody could enumerate, and the best deployments of a model on the library's systems."""
