"""How the prediction of one row comes about, as the tree that `accelscope explain` prints."""

from __future__ import annotations

from pathlib import Path

from accelscope.core.analysis.validate.kernels import cost_row_group, exchange_time, group_kernel_rows
from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.predict import Prediction
from accelscope.core.analysis.validate.scenario_text import format_row_scenario
from accelscope.core.analysis.validate.table import MeasurementTable
from accelscope.core.errors import DescriptionError, UsageError
from accelscope.core.numeric.term import Term, TraceNode, total
from accelscope.core.query.explain import explain
from accelscope.core.query.explain import trace_metric as explained_text
from accelscope.dsl.check.program import load_program
from accelscope.dsl.diagnostics.diagnostics import SourceText, has_errors


def explain_row(row: MeasurementTable, names: LibraryNames, depth: int) -> str:
    """Return the lines of the tree of a single row.

    Args:
        row: a table of one row.
        names: with `trace`.
        depth: levels of the tree to show.

    Raises:
        UsageError: nothing explains such a row, or it is not predicted.
    """
    found = Prediction.empty(1)
    if row.layout.kind == "ops":
        node = _kernel(row, names, found)
        reason = str(found.reasons[0])
    else:
        node = _served(row, names)
        reason = f"rows of tier {row.text('tier')[0]} such as this one are not explained"
    if node is None:
        raise UsageError(f"{row.places[0]}: {reason}")
    return "\n".join(str(line) for line in explain(node, depth)) + "\n"


def _kernel(row: MeasurementTable, names: LibraryNames, found: Prediction) -> TraceNode | None:
    op = str(row.text("op")[0])
    times: list[Term] = []
    for group in group_kernel_rows(row, names, found):
        if group.exchange is not None:
            times.append(exchange_time(group, names.registry))
        else:
            times.append(total(cost.seconds for cost in cost_row_group(group, names.registry)))
    return times[0].named(op).node if times else None


def _served(row: MeasurementTable, names: LibraryNames) -> TraceNode | None:
    found = format_row_scenario(row, 0, names)
    if found is None:
        return None
    metric, text = found
    session = names.session
    source = SourceText(str(row.text("id")[0]), text)
    session.library.adopt(source, Path())
    program = load_program(source, session.language())
    problems = program.check()
    if has_errors(problems):
        raise DescriptionError(problems)
    return explained_text(program, session.registry, "row", metric)
