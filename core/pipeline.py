"""The way of one evaluation, from the text of a file to its results: every stage is called here, in order.

    text -> syntax -> values -> query -> design -> operations -> plan -> cost -> metrics -> result

The stages from operations to metrics see all points of a chunk at once; `core/evaluate/evaluate.py` composes them.
`accelscope eval --timings` prints the time of each.
"""

from __future__ import annotations

from collections.abc import Sequence

from accelscope.core.errors import DescriptionError
from accelscope.core.io.timings import stage
from accelscope.core.query.result import Result
from accelscope.core.query.selection import select_definitions
from accelscope.core.sweep.planner import plan_evaluation
from accelscope.core.sweep.run_query import evaluate_plan
from accelscope.core.workspace import Workspace
from accelscope.dsl.diagnostics.diagnostics import has_errors


def evaluate_file(
    workspace: Workspace,
    path: str,
    scenario: str | None = None,
    sets: Sequence[str] = (),
    *,
    bars: bool = True,
) -> tuple[Result, ...]:
    """Return the results of the scenarios of a file.

    Args:
        workspace: the plugins and the files that may be read.
        path: the file, or "-" for standard input.
        scenario: name of one, or None for all.
        sets: texts `path = value`, or `path = low .. high step n` for an axis.
        bars: whether to compute error bars.

    Raises:
        DescriptionError: the file or an override has errors, or lacks something.
        UsageError: there is no such scenario.
    """
    with stage("syntax"):  # text to a syntax tree; library modules are parsed when first read
        program, problems = workspace.load(path)
    with stage("values"):  # the tree to values, each against the schemas of the plugins
        problems = problems if program is None else program.check()
        if program is None or has_errors(problems):
            raise DescriptionError(problems)
    results = []
    for name in select_definitions(program, "scenario", scenario):
        with stage("query"):  # overrides, axes and the uncertain values that matter
            plan = plan_evaluation(program, workspace.registry, name, sets, error_bars=bars)
        results.append(evaluate_plan(plan, printed=bars))  # designs to operations, plans, costs, metrics
    return tuple(results)
