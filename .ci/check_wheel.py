"""Assert that a wheel has one top-level name and everything that a user needs."""

from __future__ import annotations

import sys
import zipfile

NEEDED = (
    "accelscope/__init__.py",
    "accelscope/__main__.py",
    "accelscope/py.typed",
    "accelscope/core/cli/main.py",
    "accelscope/dsl/syntax/grammar.lark",
    "accelscope/dsl/check/program.py",
    "accelscope/core/pipeline.py",
    "accelscope/plugins/memory/__init__.py",
    "accelscope/plugins/library/std/nvidia.accel",
    "accelscope/plugins/library/std/models.accel",
)


def problems(path: str) -> list[str]:
    """Return what is wrong with a wheel."""
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
    tops = {name.split("/")[0] for name in names}
    found = [
        f"top-level name `{top}`"
        for top in sorted(tops)
        if top != "accelscope" and not top.endswith(".dist-info")
    ]
    found += [f"lacks `{name}`" for name in NEEDED if name not in names]
    return found + [
        f"carries `{name}`" for name in sorted(names) if "__pycache__" in name or name.endswith(".pyc")
    ]


if __name__ == "__main__":
    wrong = problems(sys.argv[1])
    for line in wrong:
        sys.stderr.write(f"{sys.argv[1]}: {line}\n")
    sys.exit(bool(wrong))
