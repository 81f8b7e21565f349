"""From tables of static batches to a file of runtimes with fitted paces, and the errors on what was left out."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from accelscope.core.calibrate.pace import FIELDS, Fit, Group, errors_of, fitted, groups, homes_of
from accelscope.core.calibrate.pace_text import rewritten, spread_of
from accelscope.core.errors import UsageError
from accelscope.core.measured.names import Names
from accelscope.core.measured.run import tables_of
from accelscope.core.measured.table import Table, joined
from accelscope.core.term import Array

if TYPE_CHECKING:
    from accelscope.core.registry import Registry
    from accelscope.core.session import Session

STATIC = "A"
FOLDS = 5
CITED = "fitted"
"""Source that the fitted values cite; the file declares it."""


def runtimes_of(
    session: Session,
    files: Sequence[str],
    path: str,
    *,
    where: Sequence[str] = (),
    judge: Sequence[str] = ("configuration",),
    progress: Callable[[str], None] = print,
) -> tuple[str, dict[str, Array]]:
    """Return the text of a file of runtimes with paces fitted to static batches, and the errors on rows left out.

    Args:
        path: the file whose runtimes are fitted; it declares the source `fitted`.
        judge: what to leave out in turn: `configuration` (a device, model, runtime and number of devices), `model`,
            `device`.

    Raises:
        UsageError: a file or a condition is wrong, or no row is a static batch of score 1.
    """
    rows = _rows(files, where)
    names = Names(session)
    found = groups(rows, names)
    if not found:
        raise UsageError("no row of score 1 is a static batch that the library can describe")
    progress("fitting all rows")
    fit = fitted(found, session.registry)
    errors = {kind: left_out(rows, kind, names, homes_of(found), progress) for kind in judge}
    spreads = _spreads(found, errors.get("configuration"))
    return rewritten(Path(path).read_text(encoding="utf-8"), fit, found, spreads, CITED), errors


def _rows(files: Sequence[str], where: Sequence[str]) -> Table:
    tables = [table for table in tables_of(files, where=where) if table.layout.kind == "e2e"]
    if not tables:
        raise UsageError("no file has end-to-end rows")
    whole = joined(tables)
    return whole.take((whole.text("tier") == STATIC) & (whole.number("score") == 1))


def left_out(
    rows: Table, kind: str, names: Names, homes: Mapping[str, str], progress: Callable[[str], None]
) -> Array:
    """Return logarithms of predicted over measured times, each by a fit that had not seen the row's configuration, model
    or device; NaN where a row is not predicted."""
    labels = labels_of(rows, kind)
    errors = np.full(len(rows), np.nan)
    for label in np.unique(labels):
        progress(f"leaving out {kind} {label}")
        out = np.flatnonzero(labels == label)
        fit = fitted(groups(rows.take(labels != label), names, homes), names.registry)
        for group in groups(rows.take(out), names, homes):
            errors[out[group.rows]] = _errors(group, fit, names.registry)
    return errors


def _errors(group: Group, fit: Fit, registry: Registry) -> Array:
    logs = np.log([fit.of(group.runtime, group.names, name) for name in FIELDS])
    found: Array = errors_of(group, logs, registry)[0]
    return found


def labels_of(rows: Table, kind: str) -> Array:
    """Return what of a kind each row is of; configurations fall into folds."""
    if kind != "configuration":
        return rows.text({"device": "hw", "model": "model"}[kind]).astype(str)
    devices = np.nan_to_num(rows.number("n_devices"), nan=1.0)
    keys = zip(rows.text("hw"), rows.text("model"), rows.text("engine"), devices, strict=True)
    return np.array([f"fold {zlib.crc32(repr(key).encode()) % FOLDS + 1} of {FOLDS}" for key in keys])


def _spreads(found: Sequence[Group], errors: Array | None) -> dict[str, float]:
    """Return the deviation of the errors of each runtime."""
    parts: dict[str, list[Array]] = {}
    for group in found:
        if errors is not None:
            parts.setdefault(group.runtime, []).append(errors[group.rows])
    return {name: spread_of(np.concatenate(values)) for name, values in parts.items()}
