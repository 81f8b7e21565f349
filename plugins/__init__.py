"""Every built-in model, registered through the same entry points as a stranger's."""
