"""From tables of training to a file of runtimes that train with fitted paces, and the errors on what was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from accelscope.core.analysis.calibrate.regression import spread_of
from accelscope.core.analysis.calibrate.report import Error, error_of
from accelscope.core.analysis.calibrate.training_fit import (
    Place,
    Steps,
    errors_of,
    fitted,
    left_out,
    rewritten,
    steps_of,
)
from accelscope.core.analysis.validate.library_names import Names
from accelscope.core.analysis.validate.run import tables_of
from accelscope.core.analysis.validate.table import Table, joined
from accelscope.core.errors import UsageError
from accelscope.core.numeric.term import Array

if TYPE_CHECKING:
    from accelscope.core.session import Session

TIER = "T"
KINDS = ("configuration", "model", "device")
"""What is left out of a fit, in turn, to know its error."""
FOLDS = 5


def trainers_of(
    session: Session,
    files: Sequence[str],
    path: str,
    *,
    where: Sequence[str] = (),
    judge: Sequence[str] = KINDS,
    progress: Callable[[str], None] = print,
) -> tuple[str, list[Error]]:
    """Return the text of a file of runtimes with paces fitted to steps of training, and the errors on rows left out.

    Args:
        path: the file whose runtimes are fitted: that of the library, whose present values say what rows do not.
        judge: what to leave out in turn: `configuration`, `model`, `device`.

    Raises:
        UsageError: a file or a condition is wrong, or no row is a step of training of score 1.
    """
    tables = [table for table in tables_of(files, where=where) if table.layout.kind == "e2e"]
    whole = joined(tables) if tables else None
    if whole is not None:
        whole = whole.take((whole.text("tier") == TIER) & (whole.number("score") == 1))
    if whole is None or not len(whole):
        raise UsageError("no row of score 1 is a step of training")
    names = Names(session)
    steps = steps_of(whole, names)
    progress("fitting all rows")
    fit = fitted(steps, names, lambda item: np.ones(len(item.rows)))
    found: list[Error] = []
    spreads: dict[str, float] = {}
    for kind in judge:
        progress(f"leaving out each {kind}")

        def labels(item: Steps, kind: str = kind, table: Table = whole) -> Sequence[str]:
            return labels_of(table, item, kind)

        rows = list(left_out(steps, names, labels, FOLDS, fit))
        if kind == "configuration":
            spreads = _spreads([(runtime, error) for _, error, runtime in rows])
        found.extend(_errors(kind, [(runtime, error) for _, error, runtime in rows]))
    if not judge:
        own = [
            (item.design.runtime.name, error)
            for item in steps
            for error in _in_sample(item, names, fit.values)
        ]
        found.extend(_errors("nothing", own))
    return rewritten(Path(path).read_text(encoding="utf-8"), fit, spreads), found


def labels_of(rows: Table, item: Steps, kind: str) -> list[str]:
    """Return what each row of an evaluation is left out with."""
    if kind != "configuration":
        return [item.key.hw if kind == "device" else item.key.model] * len(item.rows)
    part = rows.take(item.rows)
    columns = [part.number(name) for name in ("n_devices", "tp", "pp", "ep", "isl", "batch_or_concurrency")]
    own = f"{item.key.hw} {item.key.model} {item.key.dtype}"
    return [f"{own} {' '.join(map(str, sizes))}" for sizes in zip(*columns, strict=True)]


def _in_sample(item: Steps, names: Names, values: Mapping[Place, float]) -> Array:
    logs = np.array([values[place] for place in item.places.values()])
    return np.asarray(errors_of(item, names, logs)[0])


def _spreads(errors: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Return the deviation of the errors of each runtime."""
    found: dict[str, list[float]] = {}
    for runtime, error in errors:
        found.setdefault(runtime, []).append(error)
    return {name: spread_of(np.array(values), least=0.0) for name, values in found.items()}


def _errors(kind: str, errors: Sequence[tuple[str, float]]) -> Iterator[Error]:
    groups: dict[str, list[float]] = {"all": [error for _, error in errors]}
    for runtime, error in errors:
        groups.setdefault(runtime, []).append(error)
    for name, values in groups.items():
        yield error_of(name, kind, np.array(values), rates=True)
