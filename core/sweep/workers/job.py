"""A sweep as a job that can be pickled: its texts, its options, and the manifest that all processes have to agree on."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from attrs import asdict, field, frozen

from accelscope.core.errors import UsageError
from accelscope.core.numeric.axes import compute_block_sizes
from accelscope.core.sweep.evaluator import SweepEvaluator
from accelscope.core.sweep.plan import SweepPlan
from accelscope.core.sweep.planner import plan_sweep
from accelscope.core.sweep.store.manifest import find_manifest_differences, seal_manifest
from accelscope.core.workspace import Workspace

_MOST_DIFFERENCES = 3
"""Differences that a message shows."""


@frozen(kw_only=True, eq=False)
class SweepJob:
    """What `plan_sweep` takes, without the files: another process builds the same plan from it.

    Attributes:
        file: name of the file, as the person wrote it.
        texts: the file and what it uses, by name; modules of plugins are where the plugins are.
        study: as `plan_sweep` takes it; likewise `sets`, `metrics` and `chunk_points`.
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
        """Identifies the job: jobs of other texts or options have another."""
        return str(self.manifest["fingerprint"])

    def desk(self) -> SweepEvaluator:
        """Return what evaluates its chunks.

        Raises:
            UsageError: this process has other versions, plugins or libraries than the one that started the sweep.
        """
        session = Workspace.open(self.disabled, self.roots)
        session.library.supply(self.texts)
        plan = plan_sweep(
            session, self.file, self.study, self.sets, metrics=self.metrics, chunk_points=self.chunk_points
        )
        differences = list(
            find_manifest_differences(dict(self.manifest), _plain(_build_store_manifest(plan, session)))
        )
        if differences:
            shown = "; ".join(differences[:_MOST_DIFFERENCES]).replace(
                " in the store", " where the sweep was started"
            )
            raise UsageError(f"a process that evaluates chunks has other programs: {shown} there")
        return SweepEvaluator(plan, self.trade)


def _build_store_manifest(plan: SweepPlan, session: Workspace) -> dict[str, Any]:
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


def _hash_libraries(session: Workspace) -> dict[str, str]:
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
    session: Workspace,
    plan: SweepPlan,
    *,
    file: str,
    study: str | None = None,
    sets: Sequence[str] = (),
    metrics: Sequence[str] | None = None,
    trade: Sequence[str] = (),
) -> SweepJob:
    """Return the job whose plan in any process is a plan of this one.

    Args:
        session: that the plan was made in.
        plan: of this process.
        file: that it was made with.
        study: likewise.
        sets: likewise.
        metrics: likewise.
        trade: what the front of the summary trades off.
    """
    return SweepJob(
        file=file,
        texts=session.library.texts(),
        study=study,
        sets=tuple(sets),
        metrics=None if metrics is None else tuple(metrics),
        chunk_points=plan.chunk_points,
        disabled=tuple(plugin.name for plugin in session.registry.disabled_plugins),
        roots=tuple(str(root) for root in session.roots),
        trade=tuple(trade),
        manifest=_plain(_build_store_manifest(plan, session)),
    )


def _plain(manifest: Any) -> Any:
    """Return a manifest as JSON gives it back: lists in the place of tuples."""
    if isinstance(manifest, dict):
        return {key: _plain(value) for key, value in manifest.items()}
    return [_plain(item) for item in manifest] if isinstance(manifest, list | tuple) else manifest
