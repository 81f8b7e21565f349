"""Arrays with dimensions: terms, axes, curves, the array backend of the language, and error bars."""
