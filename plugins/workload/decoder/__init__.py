"""Decoder-only and encoder-decoder transformers: spec, shapes, parameters and operations of a pass."""
