"""A comparison from names to rows: split by split, then the text of the question, then its scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from accelscope.core.analysis.compare.rows import ComparisonRow, build_comparison_row, describe_scenario
from accelscope.core.analysis.compare.scenario_text import (
    ComparisonCase,
    ComparisonLoad,
    format_comparison_text,
)
from accelscope.core.analysis.compare.splits import (
    SplitChoice,
    choose_split,
    format_split_overrides,
    list_split_degrees,
)
from accelscope.core.analysis.jobs.candidates import COMPARABLE_KINDS, ComparedModel, ComparedSystem
from accelscope.core.errors import DescriptionError, UsageError
from accelscope.core.query.selection import select_definitions
from accelscope.core.sweep.run_query import run_query
from accelscope.dsl.check.program import Program, load_program
from accelscope.dsl.diagnostics.diagnostics import SourceText, has_errors

if TYPE_CHECKING:
    from accelscope.core.workspace import Workspace

_NAME = "comparison.accel"
_NO_PRODUCT = "no engine multiplies matrices"


@frozen(kw_only=True)
class ComparisonRequest:
    """Model, systems and loads of a comparison.

    Attributes:
        dtype: of weights and products, where a system computes in it.
    """

    subject: ComparedModel
    systems: tuple[ComparedSystem, ...]
    loads: tuple[ComparisonLoad, ...]
    dtype: str

    @property
    def title(self) -> str:
        """What is compared, in one line."""
        batches = ", ".join(f"{load.batch}" for load in self.loads)
        return f"{self.subject.used.name} in {self.dtype} at batch {batches}"


def build_comparison_cases(session: Workspace, question: ComparisonRequest) -> tuple[ComparisonCase, ...]:
    """Return the scenarios of a comparison, each with a split that holds the model or why there is none.

    A system that is also given with the split that is found for it takes part once.
    """
    found = (
        _case(session, question, entrant, load) for load in question.loads for entrant in question.systems
    )
    return tuple({(case.system, case.name): case for case in found}.values())


def evaluate_comparison(
    session: Workspace, question: ComparisonRequest, cases: Sequence[ComparisonCase]
) -> list[ComparisonRow]:
    """Return a row for each case; those that cannot work are not evaluated."""
    program = _program(session, format_comparison_text(question.title, question.subject.used, cases))
    found = program.check()
    if has_errors(found):
        raise DescriptionError(found)
    return [_row(session, program, case) for case in cases]


def compare_files(session: Workspace, files: Sequence[str], names: Sequence[str]) -> list[ComparisonRow]:
    """Return a row for each scenario of some files, or for those of some names.

    Raises:
        DescriptionError: a file has errors.
        UsageError: no file holds a scenario of a name, a file holds systems only, or a scenario sweeps.
    """
    rows = []
    missing = dict.fromkeys(names)
    for file in files:
        program = session.checked(file)
        _refuse_hardware(file, program)
        here = [name.partition(" ")[2] for name in select_definitions(program, "scenario", None)]
        for name in here if not names else [one for one in names if one in here]:
            missing.pop(name, None)
            rows.append(_evaluated(session, program, name))
    if missing:
        raise UsageError(f"no scenario is called `{next(iter(missing))}` in {', '.join(files)}")
    return rows


def _refuse_hardware(file: str, program: Program) -> None:
    """Refuse a file that holds systems and no scenario, and say how they are asked for."""
    kinds = {component.kind for component in program.definitions()}
    systems = [component.name for component in program.definitions() if component.kind in COMPARABLE_KINDS]
    if "scenario" not in kinds and systems:
        raise UsageError(f"`{file}` holds no scenario; ask for its systems, as `{file}:{systems[-1]}`")


def _program(session: Workspace, text: str) -> Program:
    source = SourceText(_NAME, text)
    session.library.adopt(source, Path())
    return load_program(source, session.language())


def _case(
    session: Workspace, question: ComparisonRequest, entrant: ComparedSystem, load: ComparisonLoad
) -> ComparisonCase:
    weights, products = entrant.precision(question.dtype)

    def case(choice: SplitChoice) -> ComparisonCase:
        return ComparisonCase(
            system=entrant.used,
            split=choice.split,
            weights=weights,
            products=products,
            load=load,
            why=choice.why,
        )

    if entrant.facts is None or entrant.facts.dtype is None:
        return case(SplitChoice(split=(("tp", 1),), why=_NO_PRODUCT))
    if entrant.split:
        return case(SplitChoice(split=entrant.split))
    start = case(SplitChoice(split=(("tp", 1), ("pp", 1))))
    return case(_choice(session, question, entrant, start))


def _choice(
    session: Workspace, question: ComparisonRequest, entrant: ComparedSystem, start: ComparisonCase
) -> SplitChoice:
    """Return the split of a case: every legal one is evaluated, as one grid."""
    program = _program(session, format_comparison_text(question.title, question.subject.used, (start,)))
    nearest = entrant.facts.nearest if entrant.facts is not None else 1
    sets = format_split_overrides(*list_split_degrees(entrant, question.subject))
    try:
        result = run_query(program, session.registry, f"scenario {start.name}", sets, bars=False)
    except DescriptionError as error:
        return SplitChoice(split=start.split, why=error.diagnostics[0].message)
    return choose_split(result, nearest)


def _row(session: Workspace, program: Program, case: ComparisonCase) -> ComparisonRow:
    if not case.why:
        try:
            return evolve(_evaluated(session, program, case.name), generated=True)
        except DescriptionError as error:
            why = error.diagnostics[0].message
    else:
        why = case.why
    scenario = program.lookup(f"scenario {case.name}")
    assert scenario is not None  # the text holds a scenario for each case
    return ComparisonRow(
        **describe_scenario(scenario), devices=0, available=0, metrics={}, why=why, generated=True
    )


def _evaluated(session: Workspace, program: Program, name: str) -> ComparisonRow:
    result = run_query(program, session.registry, f"scenario {name}")
    if result.axes:
        axes = ", ".join(axis.name for axis in result.axes)
        raise UsageError(f"scenario `{name}` sweeps {axes}; `accelscope sweep` shows its points")
    scenario = program.lookup(f"scenario {name}")
    assert scenario is not None  # it has just been evaluated
    return build_comparison_row(scenario, result.point())
