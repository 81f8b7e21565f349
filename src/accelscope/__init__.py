"""accelscope: how will this AI accelerator serve this model, and why?"""

from __future__ import annotations

__version__ = "0.1.0"
