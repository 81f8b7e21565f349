"""Processes that evaluate the chunks of a sweep: on this machine, or on a Dask cluster."""
