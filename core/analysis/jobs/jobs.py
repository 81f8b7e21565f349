"""Evaluations of a study: the text of each, and processes that work on them side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from attrs import field, frozen

from accelscope.core.analysis.compare.candidates import UsedDefinition
from accelscope.core.analysis.compare.scenario_text import format_use_statements
from accelscope.core.analysis.jobs.phrases import format_axis_point
from accelscope.core.errors import DescriptionError
from accelscope.core.query.run import run_query
from accelscope.core.session import Session
from accelscope.dsl.check.program import Program, load_program
from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.interpret.interpreter import Interpreter as Language

if TYPE_CHECKING:
    from accelscope.core.query.result import Result

_T = TypeVar("_T")
_R = TypeVar("_R")

JOB_SCENARIO = "asked"
_FILE = "study.accel"


@frozen(kw_only=True)
class ScenarioJob:
    """A scenario of the folder with another system, model, split or runtime.

    Attributes:
        folder: of the study.
        deployment: that takes the place of the scenario's, or None to keep it.
        fields: of the deployment, as texts or as definitions.
        blocks: fields of its inner blocks.
        sets: texts of `--set`, for axes.
    """

    folder: str
    scenario: UsedDefinition
    deployment: UsedDefinition | None = None
    fields: Mapping[str, UsedDefinition] = field(factory=dict)
    blocks: Mapping[str, Mapping[str, str]] = field(factory=dict)
    sets: tuple[str, ...] = ()


def _format_job_text(job: ScenarioJob) -> str:
    """Return the text of a job, as a person would write it."""
    base = job.deployment.reference if job.deployment else f"{job.scenario.reference}.deployment"
    used = [job.scenario, *job.fields.values(), *([job.deployment] if job.deployment else [])]
    inner = [f"  {name} = {item.reference}" for name, item in job.fields.items()]
    inner += [
        f"  {kind} {{ {', '.join(f'{name} = {value}' for name, value in fields.items())} }}"
        for kind, fields in job.blocks.items()
        if fields
    ]
    return "\n".join(
        (
            *format_use_statements(used),
            f"deployment served_by extends {base} {{",
            *inner,
            "}",
            f"scenario {JOB_SCENARIO} extends {job.scenario.reference} {{ deployment = served_by }}",
            "",
        )
    )


@frozen(eq=False)
class JobEvaluator:
    """A session with a language whose parsed texts all evaluations share.

    Attributes:
        session: plugins and files.
        language: that others are forked from.
    """

    session: Session
    language: Language

    @classmethod
    def of(cls, session: Session) -> JobEvaluator:
        """Return the desk of a session."""
        return cls(session, session.language())

    def read(self, source: SourceText) -> Program:
        """Return the program of a text."""
        return load_program(source, self.language.fork())

    def program(self, job: ScenarioJob) -> Program:
        """Return the program that asks what a job asks."""
        source = SourceText(_FILE, _format_job_text(job))
        self.session.library.adopt(source, Path(job.folder))
        return self.read(source)

    def evaluated(self, job: ScenarioJob) -> Result | str:
        """Return the result of a job without error bars, or why there is none."""
        try:
            name = f"scenario {JOB_SCENARIO}"
            return run_query(self.program(job), self.session.registry, name, job.sets, bars=False)
        except DescriptionError as error:
            return error.diagnostics[0].message


def describe_axis_point(result: Result, index: tuple[int, ...]) -> str:
    """Return the values of a result's axes at a point, in words."""
    return format_axis_point(
        (axis.name, axis.unit, axis.values[at]) for axis, at in zip(result.axes, index, strict=True)
    )


def evaluate_job(desk: JobEvaluator, job: ScenarioJob) -> Result | str:
    """Return the result of a job, for a crew."""
    return desk.evaluated(job)


class JobPool:
    """Processes that share the evaluations of a study; one does without any further."""

    def __init__(self, desk: JobEvaluator, disabled: Sequence[str] = (), workers: int | None = None) -> None:
        """Prepare the processes; they start with the first work for several.

        Args:
            desk: that is used where one process does it all.
            disabled: plugins that further processes leave out as well.
            workers: processes; without it one for each core.
        """
        self.desk = desk
        self.workers = workers or _cores()
        self._settings = (tuple(disabled), tuple(map(str, desk.session.roots)))
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        """Return the crew itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def map(self, function: Callable[[JobEvaluator, _T], _R], items: Iterable[_T]) -> list[_R]:
        """Return what a function makes of each item, in order; it is at the top of a module, so that all can import it."""
        work = list(items)
        if min(self.workers, len(work)) <= 1:
            return [function(self.desk, item) for item in work]
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.workers)
        return list(self._pool.map(_work, [function] * len(work), work, [self._settings] * len(work)))


def _cores() -> int:
    """Return the cores that this process may use, or all where the system does not say which."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _desk(disabled: tuple[str, ...], roots: tuple[str, ...]) -> JobEvaluator:
    """Return the desk of this process."""
    return JobEvaluator.of(Session.open(disabled, roots))


def _work(
    function: Callable[[JobEvaluator, _T], _R], item: _T, settings: tuple[tuple[str, ...], tuple[str, ...]]
) -> _R:
    return function(_desk(*settings), item)
