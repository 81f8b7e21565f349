"""Evaluations of files, for programs that use this package: each verb of the command line as a method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from accelscope.core.errors import UsageError
from accelscope.core.workspace import Workspace
from accelscope.dsl.check.program import Program

if TYPE_CHECKING:
    from accelscope.core.query.result import Result
    from accelscope.core.render.text_style import TextStyle
    from accelscope.core.sweep.store.reader import StoreReader


class Session(Workspace):
    """Plugins and the files that may be read, with what can be evaluated of them."""

    def evaluate(
        self, path: str, scenario: str | None = None, sets: Sequence[str] = (), *, bars: bool = True
    ) -> tuple[Result, ...]:
        """Return the results of the scenarios of a file.

        Args:
            path: the file, or "-" for standard input.
            scenario: name of one, or None for all.
            sets: texts `path = value`, or `path = low .. high step n` for an axis.
            bars: whether to compute error bars.

        Raises:
            DescriptionError: the file or an override has errors, or lacks something.
            UsageError: there is no such scenario.
        """
        from accelscope.core.pipeline import evaluate_file

        return evaluate_file(self, path, scenario, sets, bars=bars)

    def sweep(self, path: str, study: str | None = None, sets: Sequence[str] = ()) -> Result:
        """Return the result of a study, or of the only scenario of a file, without error bars.

        Raises:
            DescriptionError: the file or an override has errors, or lacks something.
            UsageError: there is no such study, or several and none is named.
        """
        from accelscope.core.query.selection import select_study
        from accelscope.core.sweep.run_query import run_query

        program = self.checked(path)
        return run_query(program, self.registry, select_study(program, study), sets, bars=False)

    def sweep_into(
        self,
        path: str,
        folder: str,
        study: str | None = None,
        sets: Sequence[str] = (),
        *,
        metrics: Sequence[str] | None = None,
        resume: bool = False,
        jobs: int | None = None,
        cluster: str | None = None,
    ) -> StoreReader:
        """Sweep a study into a store, as `accelscope sweep -o DIR/` does, and return its reader.

        Args:
            path: the file, or "-" for standard input.
            folder: of the store.
            study: name of one, or None if there is only one.
            sets: texts `path = value`, or `path = domain` for a further axis.
            metrics: names of those to keep; None for the headline metrics.
            resume: continue what the folder holds.
            jobs: processes; None for one on each core.
            cluster: address of a Dask scheduler, or None for this machine.

        Raises:
            DescriptionError: the file or an override has errors, or lacks something.
            UsageError: the folder holds something else, or cannot be written.
        """
        from accelscope.core.sweep.planner import plan_sweep
        from accelscope.core.sweep.store.reader import open_store
        from accelscope.core.sweep.summary import create_sweep_summary
        from accelscope.core.sweep.workers.job import build_sweep_job
        from accelscope.core.sweep.workers.sweep import SweepDestination, SweepObserver, run_parallel_sweep

        plan = plan_sweep(self, path, study, sets, metrics=metrics)
        job = build_sweep_job(self, plan, file=path, study=study, sets=sets, metrics=metrics)
        where = SweepDestination(store=folder, resume=resume, jobs=jobs, cluster=cluster)
        run_parallel_sweep(plan, job, create_sweep_summary(plan), where, SweepObserver())
        return open_store(folder)

    def explain(
        self, path: str, metric: str, scenario: str | None = None, sets: Sequence[str] = (), *, depth: int = 8
    ) -> str:
        """Return how a metric comes about, as lines of text.

        Raises:
            DescriptionError: the file or an override has errors, or lacks something.
            UsageError: there is no such metric or scenario, or several scenarios and none is named.
        """
        from accelscope.core.query.explain import explain, trace_metric

        program, name = self._one(path, scenario)
        node = trace_metric(program, self.registry, name, metric, sets)
        return "\n".join(str(line) for line in explain(node, depth))

    def split(
        self,
        path: str,
        scenario: str | None = None,
        sets: Sequence[str] = (),
        *,
        style: TextStyle | None = None,
    ) -> str:
        """Return what the strategies of a scenario make of it, as lines of text: memory, communication and rules.

        Args:
            path: of the file.
            scenario: its name, if the file has several.
            sets: overrides such as `tp=4`.
            style: width and colour of the text; without one, lines of any length without colour.

        Raises:
            DescriptionError: the file or an override has errors, or lacks something.
            UsageError: there is no such scenario, or several scenarios and none is named.
        """
        from accelscope.core.query.points import evaluate_points
        from accelscope.core.query.scenario_design import assemble_single_point
        from accelscope.core.render.plan import format_parallel_plan
        from accelscope.core.render.text_style import PLAIN_STYLE

        program, name = self._one(path, scenario)
        design = assemble_single_point(program, self.registry, name, sets)
        evaluation = evaluate_points(design).evaluation
        return format_parallel_plan(name.rpartition(" ")[2], evaluation, style or PLAIN_STYLE)

    def _one(self, path: str, scenario: str | None) -> tuple[Program, str]:
        """Return a checked program and the name of the scenario that is meant."""
        from accelscope.core.query.selection import select_definitions

        program = self.checked(path)
        names = select_definitions(program, "scenario", scenario)
        if len(names) > 1:
            raise UsageError(f"the file holds {', '.join(names)}; choose one with --scenario")
        return program, names[0]
