"""From tables of static batches to a file of runtimes with fitted paces, and the errors on what was left out."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from accelscope.core.analysis.calibrate.regression import estimate_error_spread
from accelscope.core.analysis.calibrate.report import HoldoutError, summarize_residuals
from accelscope.core.analysis.calibrate.runtime_fit import (
    PROFILE_FIELD_PRIORS,
    ProfileFit,
    compute_profile_errors,
    fit_profiles,
)
from accelscope.core.analysis.calibrate.runtime_groups import (
    CLOSED_LOOP_TIER,
    RuntimeRowGroup,
    find_home_vendors,
    group_runtime_rows,
)
from accelscope.core.analysis.calibrate.runtime_text import rewrite_runtimes
from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.run import read_filtered_tables
from accelscope.core.analysis.validate.table import MeasurementTable, join_tables
from accelscope.core.errors import UsageError
from accelscope.core.numeric.term import Array

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry
    from accelscope.core.workspace import Workspace

_TIERS = ("A", CLOSED_LOOP_TIER)
"""Static batches and closed loops."""
RUNTIME_HOLDOUTS = ("configuration", "model", "device")
"""What is left out of a fit, in turn, to know its error."""
_FOLDS = 5
_NAMES = {"configuration": ("hw", "model", "engine"), "model": ("model",), "device": ("hw",)}
_LEAST_SPREAD = 0.05
"""Least deviation of the errors of a runtime that is told."""
_CITED_SOURCE = "fitted"
"""Source that the fitted values cite; the file declares it."""


def calibrate_runtimes(
    session: Workspace,
    files: Sequence[str],
    path: str,
    *,
    where: Sequence[str] = (),
    judge: Sequence[str] = RUNTIME_HOLDOUTS,
    progress: Callable[[str], None] = print,
) -> tuple[str, list[HoldoutError]]:
    """Return the text of a file of runtimes with paces fitted to static batches and closed loops, and the errors on rows left out.

    Args:
        session: session whose library describes the devices and models.
        files: tables of measurements.
        path: the file whose runtimes are fitted; it declares the source `fitted`.
        where: texts `column=value` that a row has to meet.
        judge: what to leave out in turn: `configuration` (a device, model, runtime and number of devices), `model`,
            `device`.
        progress: called with a line of text at each step.

    Raises:
        UsageError: a file or a condition is wrong, or no row is a static batch or a closed loop of score 1.
    """
    rows = _rows(files, where)
    names = LibraryNames(session)
    found = group_runtime_rows(rows, names)
    if not found:
        raise UsageError("no row of score 1 is a static batch that the library can describe")
    progress("fitting all rows")
    fit = fit_profiles(found, session.registry)
    errors = {
        kind: cross_validate_runtimes(rows, kind, names, find_home_vendors(found), progress) for kind in judge
    }
    spreads = _spreads(found, errors.get("configuration"))
    text = rewrite_runtimes(Path(path).read_text(encoding="utf-8"), fit, found, spreads, _CITED_SOURCE)
    return text, [error for kind in errors for error in _judged(rows, kind, errors[kind])]


def _rows(files: Sequence[str], where: Sequence[str]) -> MeasurementTable:
    tables = [table for table in read_filtered_tables(files, where=where) if table.layout.kind == "e2e"]
    if not tables:
        raise UsageError("no file has end-to-end rows")
    whole = join_tables(tables)
    return whole.take(np.isin(whole.text("tier").astype(str), _TIERS) & (whole.number("score") == 1))


def cross_validate_runtimes(
    rows: MeasurementTable,
    kind: str,
    names: LibraryNames,
    homes: Mapping[str, str],
    progress: Callable[[str], None],
) -> Array:
    """Return logarithms of predicted over measured times, each by a fit that had not seen the row's configuration, model
    or device; NaN where a row is not predicted."""
    labels = label_runtime_folds(rows, kind)
    errors = np.full(len(rows), np.nan)
    for label in np.unique(labels):
        progress(f"leaving out {kind} {label}")
        out = np.flatnonzero(labels == label)
        fit = fit_profiles(group_runtime_rows(rows.take(labels != label), names, homes), names.registry)
        for group in group_runtime_rows(rows.take(out), names, homes):
            errors[out[group.rows]] = _errors(group, fit, names.registry)
    return errors


def _errors(group: RuntimeRowGroup, fit: ProfileFit, registry: Registry) -> Array:
    logs = np.log([fit.of(group.runtime, group.names, name) for name in PROFILE_FIELD_PRIORS])
    found: Array = compute_profile_errors(group, logs, registry)[0]
    return found


def label_runtime_folds(rows: MeasurementTable, kind: str) -> Array:
    """Return in which fold each row is: whole devices, whole models, or whole configurations fall into one."""
    devices = np.nan_to_num(rows.number("n_devices"), nan=1.0)
    columns = [rows.text(name) for name in _NAMES[kind]]
    keys = zip(*columns, *((devices,) if kind == "configuration" else ()), strict=True)
    texts = ("/".join(map(str, key)) for key in keys)
    return np.array([f"fold {zlib.crc32(text.encode()) % _FOLDS + 1} of {_FOLDS}" for text in texts])


def _spreads(found: Sequence[RuntimeRowGroup], errors: Array | None) -> dict[str, float]:
    """Return the deviation of the errors of each runtime."""
    parts: dict[str, list[Array]] = {}
    for group in found:
        if errors is not None:
            parts.setdefault(group.runtime, []).append(errors[group.rows])
    return {
        name: estimate_error_spread(np.concatenate(values), _LEAST_SPREAD) for name, values in parts.items()
    }


def _judged(rows: MeasurementTable, kind: str, errors: Array) -> Iterator[HoldoutError]:
    """Yield the error of all rows that were left out, and of those of each engine, device and metric."""
    groups_: dict[str, Array] = {"all": np.arange(len(rows))}
    for name in ("engine", "hw", "metric"):
        groups_ |= {label: places for (label,), places in rows.groups(name)}
    for label, places in groups_.items():
        known = errors[places][np.isfinite(errors[places])]
        if known.size:
            yield summarize_residuals(label, kind, known)
