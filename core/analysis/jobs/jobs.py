"""Evaluations of an analysis: the text of each, what evaluates it, and many of them side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import field, frozen

from accelscope.core.analysis.jobs.parallel_map import parallel_map
from accelscope.core.analysis.jobs.phrases import format_axis_point
from accelscope.core.analysis.scenario_text import (
    UsedDefinition,
    format_block,
    format_short_block,
    format_use_statements,
)
from accelscope.core.errors import DescriptionError
from accelscope.core.sweep.run_query import run_query
from accelscope.core.workspace import Workspace
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
    fields: dict[str, object] = {name: item.reference for name, item in job.fields.items()}
    fields |= {kind: inner for kind, inner in job.blocks.items() if inner}
    return "\n".join(
        (
            *format_use_statements(used),
            format_block("deployment served_by", fields, base=base),
            format_short_block(
                f"scenario {JOB_SCENARIO}", {"deployment": "served_by"}, base=job.scenario.reference
            ),
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

    session: Workspace
    language: Language

    @classmethod
    def of(cls, session: Workspace) -> JobEvaluator:
        """Return the evaluator of a session."""
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


def evaluate_job(evaluator: JobEvaluator, job: ScenarioJob) -> Result | str:
    """Return the result of a job, or why there is none."""
    return evaluator.evaluated(job)


@frozen(eq=False)
class SharedEvaluator:
    """Gives the processes of a parallel map their evaluator: the one that is loaded, or a new one without fork.

    Attributes:
        evaluator: of this process; it stays behind if the rest is sent to another one.
        disabled: plugins that a new one leaves out.
        roots: folders that a new one may read.
    """

    evaluator: JobEvaluator | None
    disabled: tuple[str, ...]
    roots: tuple[str, ...]

    @classmethod
    def of(cls, evaluator: JobEvaluator, disabled: Sequence[str] = ()) -> SharedEvaluator:
        """Return what shares an evaluator, with the plugins that a new one leaves out."""
        return cls(evaluator, tuple(disabled), tuple(map(str, evaluator.session.roots)))

    def __call__(self) -> JobEvaluator:
        """Return the evaluator of a process."""
        if self.evaluator is not None:
            return self.evaluator
        return JobEvaluator.of(Workspace.open(self.disabled, self.roots))

    def __reduce__(self) -> tuple[type[SharedEvaluator], tuple[Any, ...]]:
        """Leave the evaluator out, since plugins cannot be sent."""
        return SharedEvaluator, (None, self.disabled, self.roots)


@frozen(kw_only=True, eq=False)
class JobRunner:
    """Evaluates the jobs of a study side by side.

    Attributes:
        evaluator: of this process.
        disabled: plugins that further processes leave out as well.
        jobs: processes; None for one for each core.
    """

    evaluator: JobEvaluator
    disabled: tuple[str, ...] = ()
    jobs: int | None = None

    def map(self, function: Callable[[JobEvaluator, _T], _R], items: Iterable[_T]) -> list[_R]:
        """Return what a function, which is at the top of a module, makes of each item, in order."""
        shared = SharedEvaluator.of(self.evaluator, self.disabled)
        return parallel_map(function, items, jobs=self.jobs, initializer=shared)
