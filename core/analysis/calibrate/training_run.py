"""From tables of training to a file of runtimes that train with fitted paces, and the errors on what was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from accelscope.core.analysis.calibrate.regression import estimate_error_spread
from accelscope.core.analysis.calibrate.report import HoldoutError, summarize_residuals
from accelscope.core.analysis.calibrate.training_fit import (
    TrainingFactor,
    TrainingRowGroup,
    collect_training_groups,
    compute_training_errors,
    cross_validate_training,
    fit_training,
    rewrite_training_runtimes,
)
from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.run import read_filtered_tables
from accelscope.core.analysis.validate.table import MeasurementTable, join_tables
from accelscope.core.errors import UsageError
from accelscope.core.numeric.term import Array

if TYPE_CHECKING:
    from accelscope.core.workspace import Workspace

_TIER = "T"
TRAINING_HOLDOUTS = ("configuration", "model", "device")
"""What is left out of a fit, in turn, to know its error."""
_FOLDS = 5


def calibrate_training(
    session: Workspace,
    files: Sequence[str],
    path: str,
    *,
    where: Sequence[str] = (),
    judge: Sequence[str] = TRAINING_HOLDOUTS,
    progress: Callable[[str], None] = print,
) -> tuple[str, list[HoldoutError]]:
    """Return the text of a file of runtimes with paces fitted to steps of training, and the errors on rows left out.

    Args:
        session: session whose library describes the devices and models.
        files: tables of measurements.
        path: the file whose runtimes are fitted: that of the library, whose present values say what rows do not.
        where: texts `column=value` that a row has to meet.
        judge: what to leave out in turn: `configuration`, `model`, `device`.
        progress: called with a line of text at each step.

    Raises:
        UsageError: a file or a condition is wrong, or no row is a step of training of score 1.
    """
    tables = [table for table in read_filtered_tables(files, where=where) if table.layout.kind == "e2e"]
    whole = join_tables(tables) if tables else None
    if whole is not None:
        whole = whole.take((whole.text("tier") == _TIER) & (whole.number("score") == 1))
    if whole is None or not len(whole):
        raise UsageError("no row of score 1 is a step of training")
    names = LibraryNames(session)
    steps = collect_training_groups(whole, names)
    progress("fitting all rows")
    fit = fit_training(steps, names, lambda item: np.ones(len(item.rows)))
    found: list[HoldoutError] = []
    spreads: dict[str, float] = {}
    for kind in judge:
        progress(f"leaving out each {kind}")

        def labels(
            item: TrainingRowGroup, kind: str = kind, table: MeasurementTable = whole
        ) -> Sequence[str]:
            return label_training_folds(table, item, kind)

        rows = list(cross_validate_training(steps, names, labels, _FOLDS, fit))
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
    return rewrite_training_runtimes(Path(path).read_text(encoding="utf-8"), fit, spreads), found


def label_training_folds(rows: MeasurementTable, item: TrainingRowGroup, kind: str) -> list[str]:
    """Return what each row of an evaluation is left out with."""
    if kind != "configuration":
        return [item.key.hw if kind == "device" else item.key.model] * len(item.rows)
    part = rows.take(item.rows)
    columns = [part.number(name) for name in ("n_devices", "tp", "pp", "ep", "isl", "batch_or_concurrency")]
    own = f"{item.key.hw} {item.key.model} {item.key.dtype}"
    return [f"{own} {' '.join(map(str, sizes))}" for sizes in zip(*columns, strict=True)]


def _in_sample(item: TrainingRowGroup, names: LibraryNames, values: Mapping[TrainingFactor, float]) -> Array:
    logs = np.array([values[place] for place in item.places.values()])
    return np.asarray(compute_training_errors(item, names, logs)[0])


def _spreads(errors: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Return the deviation of the errors of each runtime."""
    found: dict[str, list[float]] = {}
    for runtime, error in errors:
        found.setdefault(runtime, []).append(error)
    return {name: estimate_error_spread(np.array(values), least=0.0) for name, values in found.items()}


def _errors(kind: str, errors: Sequence[tuple[str, float]]) -> Iterator[HoldoutError]:
    groups: dict[str, list[float]] = {"all": [error for _, error in errors]}
    for runtime, error in errors:
        groups.setdefault(runtime, []).append(error)
    for name, values in groups.items():
        yield summarize_residuals(name, kind, np.array(values), rates=True)
