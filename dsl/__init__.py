"""The `.accel` language: text to checked values. Knows no device, no model, no numpy and no pluggy."""
