"""Run the command line with `python -m accelscope`."""

from __future__ import annotations

from accelscope.core.cli.main import main

if __name__ == "__main__":
    main()
