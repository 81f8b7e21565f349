"""Which scenario or study of a program is meant."""

from __future__ import annotations

from accelscope.core.errors import DescriptionError, UsageError
from accelscope.dsl.check.program import Program
from accelscope.dsl.diagnostics.diagnostics import Diagnostic
from accelscope.dsl.diagnostics.suggest import did_you_mean


def select_definitions(program: Program, kind: str, name: str | None) -> tuple[str, ...]:
    """Return `kind name` of one definition of a program, or of all of a kind.

    Raises:
        UsageError: there is none of this name.
        DescriptionError: there is none at all.
    """
    found = [item.name for item in program.definitions(kind)]
    if name is not None and name not in found:
        hint = did_you_mean(name, found) or f"there are {', '.join(found) or 'none'}"
        raise UsageError(f"no {kind} is called `{name}`; {hint}")
    if not found:
        raise DescriptionError((_no_scenario(program, kind),))
    return tuple(f"{kind} {item}" for item in found if name in (None, item))


def select_study(program: Program, name: str | None) -> str:
    """Return `study NAME`, or `scenario NAME` of a file without studies, for the one that is meant.

    Raises:
        UsageError: there is none of this name, or several and none is named.
    """
    kind = "study" if program.definitions("study") else "scenario"
    found = select_definitions(program, kind, name)
    if len(found) > 1:
        raise UsageError(f"the file holds {', '.join(found)}; choose a study with --study")
    return found[0]


def _no_scenario(program: Program, kind: str) -> Diagnostic:
    return Diagnostic(
        code="A304",
        message=f"`{program.module.source.name}` holds no {kind}, so there is nothing to evaluate",
        help="add `scenario s { deployment = ..., workload = ... }`",
    )
