"""Where the files lie that tests read."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The repository."""
DOCS = ROOT / "docs"
EXAMPLES = ROOT / "examples"
STD = ROOT / "plugins" / "library" / "std"
"""The library that ships."""
MAIN_JOB = str(EXAMPLES / "llama3_70b_on_dgx_h100.accel")
MEASURED = ROOT / "tests" / "validation" / "measured"
"""Rows of published measurements."""


def prepend_python_path(*folders: Path | str) -> str:
    """Return a PYTHONPATH for a process that a test starts: some folders, and what this process has."""
    return os.pathsep.join((*map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])))
