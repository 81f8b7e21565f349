"""The shell around the pure functions: plugins are loaded and files are read here, once for a session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define

from accelscope.core.errors import DescriptionError, UsageError
from accelscope.core.io.files import STDIN, STDIN_NAME, read_stdin
from accelscope.core.library.sources import Library
from accelscope.core.plugin.registry import Registry
from accelscope.dsl.check.program import Program, load_program
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText, has_errors
from accelscope.dsl.interpret.interpreter import Interpreter as Evaluation
from accelscope.dsl.values.operations import ScalarOperations

if TYPE_CHECKING:
    from accelscope.core.query.result import Result
    from accelscope.core.render.text_style import TextStyle
    from accelscope.core.sweep.store.reader import StoreReader


@define(eq=False, slots=False)
class Session:
    """Plugins and the files that may be read.

    Attributes:
        registry: the plugins.
        roots: folders that descriptions may read besides their own.
    """

    registry: Registry
    roots: tuple[Path, ...] = ()

    @classmethod
    def open(cls, disabled: Iterable[str] = (), roots: Iterable[str | Path] = ()) -> Session:
        """Load the installed plugins.

        Args:
            disabled: names of plugins to leave out.
            roots: folders that descriptions may read besides their own.

        Raises:
            PluginError: plugins conflict or implement hooks that do not exist.
            UsageError: a disabled name is no plugin.
        """
        return cls(Registry.load(disabled), tuple(Path(root) for root in roots))

    @cached_property
    def library(self) -> Library:
        """What descriptions can use."""
        return Library.of(self.registry.libraries.values(), self.roots)

    def read(self, path: str) -> SourceText | Diagnostic:
        """Return the text of a file, or of standard input for "-"."""
        if path != STDIN:
            return self.library.open(path)
        found = self.library.find_supplied_text(STDIN_NAME) or read_stdin()
        if isinstance(found, SourceText):
            self.library.adopt(found, Path())
        return found

    def language(self) -> Evaluation:
        """Return a new evaluation of the language with the plugins' units and schemas."""
        return Evaluation(self.library, self.registry.units, self.registry.schemas(), ScalarOperations())

    def load(self, path: str) -> tuple[Program | None, tuple[Diagnostic, ...]]:
        """Return the program of a file and what is wrong with its grammar; None where it cannot be read."""
        source = self.read(path)
        if isinstance(source, Diagnostic):
            return None, (source,)
        program = load_program(source, self.language())
        return program, program.diagnostics

    def check(self, path: str, lint: bool = False) -> tuple[Diagnostic, ...]:
        """Return everything that is wrong with a file, and warnings of style where asked for."""
        program, found = self.load(path)
        return found if program is None else program.check(lint)

    def checked(self, path: str) -> Program:
        """Return the program of a file that has no errors.

        Raises:
            DescriptionError: it cannot be read or has errors.
        """
        program, found = self.load(path)
        found = found if program is None else program.check()
        if program is None or has_errors(found):
            raise DescriptionError(found)
        return program

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
        from accelscope.core.query.run import run_query, select_definitions

        program = self.checked(path)
        names = select_definitions(program, "scenario", scenario)
        return tuple(run_query(program, self.registry, name, sets, bars=bars) for name in names)

    def sweep(self, path: str, study: str | None = None, sets: Sequence[str] = ()) -> Result:
        """Return the result of a study, or of the only scenario of a file, without error bars.

        Raises:
            DescriptionError: the file or an override has errors, or lacks something.
            UsageError: there is no such study, or several and none is named.
        """
        from accelscope.core.query.run import run_query, select_study

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
            study: name of one, or None where there is only one.
            sets: texts `path = value`, or `path = domain` for a further axis.
            metrics: names of those to keep; None for the headline metrics.
            resume: continue what the folder holds.
            jobs: processes; None for one on each core.
            cluster: address of a Dask scheduler, or None for this machine.

        Raises:
            DescriptionError: the file or an override has errors, or lacks something.
            UsageError: the folder holds something else, or cannot be written.
        """
        from accelscope.core.sweep.plan import plan_sweep
        from accelscope.core.sweep.run import create_sweep_summary
        from accelscope.core.sweep.store.reader import open_store
        from accelscope.core.sweep.workers.job import build_sweep_job
        from accelscope.core.sweep.workers.sweep import SweepDestination, SweepObserver, run_parallel_sweep

        plan = plan_sweep(self, path, study, sets, metrics=metrics)
        disabled = [plugin.name for plugin in self.registry.disabled_plugins]
        asked = build_sweep_job(self, plan, path, study, sets, metrics, disabled, ())
        where = SweepDestination(store=folder, resume=resume, jobs=jobs, cluster=cluster)
        run_parallel_sweep(plan, asked, create_sweep_summary(plan, self.registry), where, SweepObserver())
        return open_store(folder)

    def explain(
        self, path: str, metric: str, scenario: str | None = None, sets: Sequence[str] = (), *, depth: int = 8
    ) -> str:
        """Return how a metric comes about, as lines of text.

        Raises:
            DescriptionError: the file or an override has errors, or lacks something.
            UsageError: there is no such metric or scenario, or several scenarios and none is named.
        """
        from accelscope.core.query.explain import explain
        from accelscope.core.query.run import trace_metric

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
        from accelscope.core.evaluate.evaluate import evaluate
        from accelscope.core.query.run import assemble_single_point
        from accelscope.core.render.plan import format_parallel_plan
        from accelscope.core.render.text_style import PLAIN_STYLE

        program, name = self._one(path, scenario)
        found = evaluate(assemble_single_point(program, self.registry, name, sets))
        return format_parallel_plan(name.rpartition(" ")[2], found, style or PLAIN_STYLE)

    def _one(self, path: str, scenario: str | None) -> tuple[Program, str]:
        """Return a checked program and the name of the scenario that is meant."""
        from accelscope.core.query.run import select_definitions

        program = self.checked(path)
        names = select_definitions(program, "scenario", scenario)
        if len(names) > 1:
            raise UsageError(f"the file holds {', '.join(names)}; choose one with --scenario")
        return program, names[0]
