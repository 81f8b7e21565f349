"""The canonical layout of `.accel` text."""
