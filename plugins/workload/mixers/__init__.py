"""Sequence mixers other than attention: state-space models, linear attention, convolutions."""
