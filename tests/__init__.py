"""Tests of accelscope; the folders mirror the packages, and `tests.support` is what they share."""
