"""Binding: checked values of the language to the specs of plugins and of the core."""
