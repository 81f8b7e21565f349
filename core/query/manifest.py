"""What a result was made from: versions, plugins, files and overrides. Same inputs give the same manifest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import accelscope
from accelscope.dsl.check.program import Program

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry


def build_manifest(program: Program, registry: Registry, sets: tuple[str, ...]) -> dict[str, Any]:
    """Return the manifest of an evaluation: every text that was read is there with its SHA-256."""
    files = {
        name: hashlib.sha256(text.encode()).hexdigest() for name, text in program.interpreter.modules.parsed
    }
    return {
        "accelscope": accelscope.__version__,
        "plugins": registry.manifest(),
        "files": dict(sorted(files.items())),
        "overrides": list(sets),
    }
