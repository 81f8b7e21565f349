"""A study as a question that travels: its texts, what is set, and the manifest that everybody has to agree on."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import asdict, field, frozen

from accelscope.core.errors import PluginError, UsageError
from accelscope.core.numeric.axes import compute_block_sizes
from accelscope.core.numeric.term import Array
from accelscope.core.sweep.store.manifest import find_manifest_differences, seal_manifest
from accelscope.core.sweep.store.parts import StoreColumn

if TYPE_CHECKING:
    from accelscope.core.session import Session
    from accelscope.core.sweep.plan import SweepChunk, SweepPlan
    from accelscope.core.sweep.summary import SweepSummary

_MOST_DIFFERENCES = 3
"""That a message shows."""


@frozen(kw_only=True, eq=False)
class SweepJob:
    """What `plan_of` takes, without the files: another process builds the same plan from it.

    Attributes:
        file: name of the file, as the person wrote it.
        texts: the file and what it uses, by name; modules of plugins are where the plugins are.
        study, sets, metrics, chunk_points: as `plan_of` takes them.
        disabled: plugins to leave out.
        roots: folders besides that of the file.
        trade: what the front of the summary trades off; the parts do not depend on it.
        manifest: of the store.
    """

    file: str
    texts: Mapping[str, str]
    study: str | None
    sets: tuple[str, ...]
    metrics: tuple[str, ...] | None
    chunk_points: int
    disabled: tuple[str, ...]
    roots: tuple[str, ...]
    trade: tuple[str, ...]
    manifest: Mapping[str, Any] = field(factory=dict)

    @property
    def fingerprint(self) -> str:
        """What tells it from other questions."""
        return str(self.manifest["fingerprint"])

    def desk(self) -> SweepEvaluator:
        """Return where its chunks are evaluated.

        Raises:
            UsageError: this process has other versions, plugins or libraries than the one that asks.
        """
        from accelscope.core.session import Session
        from accelscope.core.sweep.plan import plan_sweep

        session = Session.open(self.disabled, self.roots)
        session.library.supply(self.texts)
        plan = plan_sweep(
            session, self.file, self.study, self.sets, metrics=self.metrics, chunk_points=self.chunk_points
        )
        found = list(
            find_manifest_differences(dict(self.manifest), _plain(_build_store_manifest(plan, session)))
        )
        if found:
            shown = "; ".join(found[:_MOST_DIFFERENCES]).replace(
                " in the store", " where the sweep was started"
            )
            raise UsageError(f"a process that evaluates chunks has other programs: {shown} there")
        return SweepEvaluator(plan, self.trade)


@frozen(eq=False, slots=False)
class SweepEvaluator:
    """The plan of a study in one process; what it returns is checked."""

    plan: SweepPlan
    trade: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[StoreColumn, ...]:
        """Of every part."""
        return self.plan.columns

    def evaluated(self, chunk: SweepChunk) -> Mapping[str, Array]:
        """Return the table of a chunk.

        Raises:
            PluginError: a metric is no number at a point that is feasible.
        """
        table = self.plan.evaluate(chunk)
        feasible = np.asarray(table["feasible"])
        for name in self._metrics:
            unknown = np.isnan(np.asarray(table[name], dtype=float)) & feasible
            if unknown.any() and name not in self._lacked(chunk):
                raise self._not_a_number(name, chunk.first + int(np.argmax(unknown)))
        return table

    def digest(self, table: Mapping[str, Array], chunk: SweepChunk) -> SweepSummary:
        """Return the summary of a chunk."""
        found = self._empty()
        found.add(table, chunk.first)
        return found

    def grid(self, chunk: SweepChunk) -> tuple[int, ...]:
        """Return the sizes of the dimensions of arrays in a chunk: its part of the axes, and the tuned ones."""
        parts = (stop - start for start, stop in zip(chunk.starts, chunk.stops, strict=True))
        return (*parts, *(axis.size for axis in self.plan.tuned if axis.numeric))

    def _empty(self) -> SweepSummary:
        from accelscope.core.sweep.run import create_sweep_summary

        return create_sweep_summary(self.plan, self.plan.variants.registry, self.trade)

    @cached_property
    def _metrics(self) -> tuple[str, ...]:
        known = self.plan.variants.registry.metrics
        return tuple(item.name for item in self.plan.columns if item.name in known)

    @cached_property
    def _lacks(self) -> dict[tuple[tuple[str, int], ...], frozenset[str]]:
        """Names of the metrics that some design of each variant gives too little for."""
        return {}

    def _lacked(self, chunk: SweepChunk) -> frozenset[str]:
        """Return the metrics that no point has where one of the designs of a chunk is the best."""
        if chunk.picks not in self._lacks:
            outer = [axis for axis in self.plan.tuned if not axis.numeric]
            given = set(self._metrics)
            for chosen in itertools.product(*(range(axis.size) for axis in outer)):
                tuned = {axis.name: index for axis, index in zip(outer, chosen, strict=True)}
                corner = tuple((0, 1) for _ in self.plan.variants.numeric)
                variant = self.plan.variants.of({**dict(chunk.picks), **tuned}, corner)
                given &= set(variant.measured(tuple(slice(0, 1) for _ in corner)).metrics)
            self._lacks[chunk.picks] = frozenset(set(self._metrics) - given)
        return self._lacks[chunk.picks]

    def _not_a_number(self, name: str, point: int) -> PluginError:
        plugin = self.plan.variants.registry.plugin_of("metric", name)
        about = f"plugin `{plugin.name}` ({plugin.distribution} {plugin.version}), metric `{name}`, compute"
        return PluginError(
            f"{about}: the result is not a number (NaN) at point {point:,}, which is feasible",
            plugin=plugin.name,
            distribution=plugin.distribution,
        )


def _build_store_manifest(plan: SweepPlan, session: Session) -> dict[str, Any]:
    """Return what a store is of: everything that its bytes depend on, and nothing else.

    Seeds are fields of a description, so they are among the files and the overrides.
    """
    return seal_manifest(
        {
            "asked": plan.asked.name,
            **plan.manifest,
            "libraries": _hash_libraries(session),
            "numpy": version("numpy"),
            "pyarrow": version("pyarrow"),
            "axes": [asdict(axis) for axis in plan.axes],
            "tuned": [asdict(axis) for axis in plan.tuned],
            "columns": [asdict(column) for column in plan.columns],
            "chunk_points": plan.chunk_points,
            "points": plan.points,
            "chunks": _count_chunks(plan),
        }
    )


def _hash_libraries(session: Session) -> dict[str, str]:
    """Return the SHA-256 of all texts of each library folder: calibrations are read from it without being named."""
    found = {}
    for name, folder in sorted(session.library.folders.items()):
        digest = hashlib.sha256()
        for path in sorted(folder.rglob("*.accel")):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
        found[name] = digest.hexdigest()
    return found


def _count_chunks(plan: SweepPlan) -> int:
    """Return how many chunks a plan has, without making them."""
    variants = math.prod(axis.size for axis in plan.axes if not axis.numeric)
    shape = tuple(axis.size for axis in plan.axes if axis.numeric)
    inner = math.prod(axis.size for axis in plan.tuned if axis.numeric)
    sizes = compute_block_sizes(shape, max(1, plan.chunk_points // inner))
    return variants * math.prod(-(-size // step) for size, step in zip(shape, sizes, strict=True))


def build_sweep_job(
    session: Session,
    plan: SweepPlan,
    file: str,
    study: str | None,
    sets: Sequence[str],
    metrics: Sequence[str] | None,
    disabled: Sequence[str],
    trade: Sequence[str],
) -> SweepJob:
    """Return the question that a plan of this process answers.

    Args:
        session: that the plan was made in.
        file, study, sets, metrics: that it was made with.
        disabled: plugins that are left out.
        trade: what the front of the summary trades off.
    """
    return SweepJob(
        file=file,
        texts=session.library.texts(),
        study=study,
        sets=tuple(sets),
        metrics=None if metrics is None else tuple(metrics),
        chunk_points=plan.chunk_points,
        disabled=tuple(disabled),
        roots=tuple(str(root) for root in session.roots),
        trade=tuple(trade),
        manifest=_plain(_build_store_manifest(plan, session)),
    )


def _plain(manifest: Any) -> Any:
    """Return a manifest as JSON gives it back: lists in the place of tuples."""
    if isinstance(manifest, dict):
        return {key: _plain(value) for key, value in manifest.items()}
    return [_plain(item) for item in manifest] if isinstance(manifest, list | tuple) else manifest
