"""A study from its folder to sections, and from these to files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

from accelscope.core.analysis.architecture_study.claims import build_claims_table
from accelscope.core.analysis.architecture_study.entries import StudyParticipants, collect_participants
from accelscope.core.analysis.architecture_study.evaluated import EvaluatedGrid
from accelscope.core.analysis.architecture_study.folder import StudyFolder
from accelscope.core.analysis.architecture_study.gaps_section import build_gaps_section
from accelscope.core.analysis.architecture_study.grid_section import build_grid_section, evaluate_study_grid
from accelscope.core.analysis.architecture_study.hardware_section import build_hardware_section
from accelscope.core.analysis.architecture_study.models_section import build_models_section
from accelscope.core.analysis.architecture_study.page import render_study_page
from accelscope.core.analysis.architecture_study.section import SectionTable, StudySection
from accelscope.core.analysis.architecture_study.software_section import build_software_section
from accelscope.core.analysis.architecture_study.strategies_section import build_strategies_section
from accelscope.core.analysis.jobs.jobs import JobEvaluator, JobRunner
from accelscope.core.blocks.study import Gaps, Grid, PageBlock, Software, Strategies
from accelscope.core.errors import UsageError
from accelscope.core.render.html import require_plotly
from accelscope.core.render.table_formats import format_table_csv

_PAGE_FILE = "study.html"


@frozen(kw_only=True, eq=False)
class StudyResult:
    """What a study found."""

    title: str
    lead: str
    sections: tuple[StudySection, ...]
    claims: SectionTable | None


def run_study(
    desk: JobEvaluator, path: Path, disabled: Sequence[str] = (), workers: int | None = None
) -> StudyResult:
    """Evaluate the study of a folder.

    Args:
        desk: evaluates the jobs.
        path: folder of the study.
        disabled: plugins that further processes leave out as well.
        workers: processes; without it one for each core.

    Raises:
        UsageError: it is no folder, or there is nothing to show.
        DescriptionError: a file has errors.
    """
    folder = StudyFolder.open(desk, path)
    cast = collect_participants(folder)
    runner = JobRunner(evaluator=desk, disabled=tuple(disabled), jobs=workers)
    sections = tuple(_sections(folder, cast, runner))
    if not sections:
        raise UsageError(f"`{path}` holds neither architectures nor a grid, strategies, software or gaps")
    about = next((block for _, block in folder.blocks(PageBlock)), None)
    return StudyResult(
        title=(about.title if about else None) or path.resolve().name,
        lead=(about.introduction if about else None) or "",
        sections=sections,
        claims=build_claims_table(folder, sections),
    )


def _sections(folder: StudyFolder, cast: StudyParticipants, runner: JobRunner) -> Iterator[StudySection]:
    grids: dict[str, EvaluatedGrid] = {}
    for name, block in folder.blocks(Grid):
        grids[name] = evaluate_study_grid(folder, cast, name, block, runner)
        yield build_grid_section(grids[name])
    for name, ways in folder.blocks(Strategies):
        yield build_strategies_section(folder, name, ways, runner)
    for name, stack in folder.blocks(Software):
        yield build_software_section(folder, name, stack, runner)
    for name, gap in folder.blocks(Gaps):
        yield build_gaps_section(folder, cast, grids[gap.grid.name], name, gap, runner)
    models = build_models_section(folder)
    if models is not None:
        yield models
    if cast.devices:
        yield build_hardware_section(folder, cast)


def create_study_output(folder: Path) -> None:
    """Make the folder that is written to, before anything is evaluated.

    Raises:
        UsageError: plotly is missing, or the folder cannot be made.
    """
    require_plotly("the page", "")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write to `{folder}`: {error.strerror}") from error


def write_study(study: StudyResult, folder: Path, *, command: str = "") -> list[Path]:
    """Write the page and a CSV file for each table; return what was written.

    Args:
        study: what was found.
        folder: that is written to.
        command: for the footer of the page.

    Raises:
        UsageError: plotly is missing, or the folder cannot be written.
    """
    create_study_output(folder)
    tables = [part for section in study.sections for part in section.parts if isinstance(part, SectionTable)]
    texts = {_PAGE_FILE: _page(study, command)}
    texts |= {
        f"{table.name}.csv": format_table_csv(table.to_table())
        for table in (*([study.claims] if study.claims else []), *tables)
    }
    try:
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write to `{folder}`: {error.strerror}") from error
    return [folder / name for name in texts]


def _page(study: StudyResult, command: str) -> str:
    return render_study_page(
        title=study.title,
        lead=study.lead,
        claims=study.claims,
        sections=study.sections,
        footer="Times are predictions of analytic models without error bars; no price is a quotation.",
        command=command,
    )
