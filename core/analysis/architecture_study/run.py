"""A study from its folder to sections, and from these to files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

import accelscope
from accelscope.core.analysis.architecture_study.claims import claims
from accelscope.core.analysis.architecture_study.entries import Cast, cast_of
from accelscope.core.analysis.architecture_study.evaluated import Evaluated
from accelscope.core.analysis.architecture_study.folder import Folder
from accelscope.core.analysis.architecture_study.gaps_section import gaps_section
from accelscope.core.analysis.architecture_study.grid_section import evaluate_grid, section_of
from accelscope.core.analysis.architecture_study.hardware_section import hardware
from accelscope.core.analysis.architecture_study.models_section import models_section
from accelscope.core.analysis.architecture_study.page import page
from accelscope.core.analysis.architecture_study.section import Section, Table
from accelscope.core.analysis.architecture_study.software_section import software_section
from accelscope.core.analysis.architecture_study.strategies_section import strategies_section
from accelscope.core.analysis.jobs.jobs import Crew, Desk
from accelscope.core.blocks.study import Gaps, Grid, PageBlock, Software, Strategies
from accelscope.core.errors import UsageError
from accelscope.core.render.html import plotly_script, refuse_without_plotly

PAGE = "study.html"


@frozen(kw_only=True, eq=False)
class Study:
    """What a study found."""

    title: str
    lead: str
    sections: tuple[Section, ...]
    claims: Table | None


def run(desk: Desk, path: Path, disabled: Sequence[str] = (), workers: int | None = None) -> Study:
    """Evaluate the study of a folder.

    Args:
        disabled: plugins that further processes leave out as well.
        workers: processes; without it one for each core.

    Raises:
        UsageError: it is no folder, or there is nothing to show.
        DescriptionError: a file has errors.
    """
    folder = Folder.open(desk, path)
    cast = cast_of(folder)
    with Crew(desk, disabled, workers) as crew:
        sections = tuple(_sections(folder, cast, crew))
    if not sections:
        raise UsageError(f"`{path}` holds neither architectures nor a grid, strategies, software or gaps")
    about = next((block for _, block in folder.blocks(PageBlock)), None)
    return Study(
        title=(about.title if about else None) or path.resolve().name,
        lead=(about.lead if about else None) or "",
        sections=sections,
        claims=claims(folder, sections),
    )


def _sections(folder: Folder, cast: Cast, crew: Crew) -> Iterator[Section]:
    grids: dict[str, Evaluated] = {}
    for name, block in folder.blocks(Grid):
        grids[name] = evaluate_grid(folder, cast, name, block, crew)
        yield section_of(grids[name])
    for name, ways in folder.blocks(Strategies):
        yield strategies_section(folder, name, ways, crew)
    for name, stack in folder.blocks(Software):
        yield software_section(folder, name, stack, crew)
    for name, gap in folder.blocks(Gaps):
        yield gaps_section(folder, cast, grids[gap.grid.name], name, gap, crew)
    models = models_section(folder)
    if models is not None:
        yield models
    if cast.kin:
        yield hardware(folder, cast)


def prepare(folder: Path) -> None:
    """Make the folder that is written to, before anything is evaluated.

    Raises:
        UsageError: plotly is missing, or the folder cannot be made.
    """
    refuse_without_plotly("the page", "")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write to `{folder}`: {error.strerror}") from error


def write(study: Study, folder: Path) -> list[Path]:
    """Write the page and a CSV file for each table; return what was written.

    Raises:
        UsageError: plotly is missing, or the folder cannot be written.
    """
    prepare(folder)
    tables = [part for section in study.sections for part in section.parts if isinstance(part, Table)]
    texts = {PAGE: _page(study)}
    texts |= {
        f"{table.name}.csv": _csv(table) for table in (*([study.claims] if study.claims else []), *tables)
    }
    try:
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write to `{folder}`: {error.strerror}") from error
    return [folder / name for name in texts]


def _page(study: Study) -> str:
    return page(
        title=study.title,
        lead=study.lead,
        claims=study.claims,
        sections=study.sections,
        script=plotly_script(),
        footer=f"Made by accelscope {accelscope.__version__} from the descriptions of its library. Times are predictions of "
        "analytic models without error bars; no price is a quotation.",
    )


def _csv(table: Table) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.heads)
    writer.writerows(["" if value is None else value for value in row] for row in table.rows)
    return stream.getvalue()
