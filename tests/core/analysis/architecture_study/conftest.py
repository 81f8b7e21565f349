"""A small study, evaluated once, and what was written of it."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace

import pytest

from accelscope.core.analysis.architecture_study.run import run_study, write_study
from accelscope.core.analysis.jobs.jobs import JobEvaluator
from accelscope.core.plugin.registry import Registry
from accelscope.core.session import Session

TEXT = """
use std.models as m
use std.nvidia as nv
use std.google as google
use std.groq as groq
use std.runtimes as r

deployment served { system = nv.H100_SXM, model = m.llama3_1_8b, precision { weights = fp8 } }
workload answers { batch = 1, prompt = 1_024 tok, output = 256 tok }
scenario cell {
  deployment = served, workload = answers
  sweep batch in [1, 64]
  sweep workload.prompt in [1_024 tok, 8_192 tok]
}
scenario once { deployment = served, workload = answers { batch = 64 } }

page { title = "A small <study>", introduction = "What leads?", models = [m.mixtral_8x7b] }
architecture gpu      { title = "GPU", devices = [nv.H100_SXM, nv.H200_SXM] }
architecture systolic { title = "Systolic array", devices = [google.TPU7x] }
architecture pipeline { title = "Pipeline of chips", devices = [groq.LPU_v1] }
selection    hopper   { title = "two of one chip", devices = [nv.H100_SXM, nv.H200_SXM] }

grid cells { title = "Grid", scenario = cell, models = [m.llama3_1_8b, m.llama3_1_70b], metrics = [throughput, decode_throughput] }

## Every matrix over 16
deployment tensor   extends served { parallel { tp = 16 } }
deployment pipeline_of_16 extends served { parallel { pp = 16 } }
deployment expert   extends served { parallel { dp_attention = 16, ep = 16 } }
strategies ways {
  title = "Strategies", scenario = once, deployments = [tensor, pipeline_of_16, expert], systems = [nv.H100_SuperPOD]
  models = [m.deepseek_v2, m.llama3_1_70b], metrics = [throughput, tpot, parameter_to_compute]
}

scenario loads { deployment = served, workload = answers, sweep batch in [1, 16] }
software stacks { title = "Software", scenario = loads, systems = [nv.H100_SXM], models = [m.llama3_1_8b], runtimes = [r.vllm, r.tensorrt_llm] }

gaps first { title = "Gaps", scenario = cell, grid = cells, devices = [nv.H100_SXM, groq.LPU_v1], models = [m.llama3_1_70b], sobol_samples = 16, excluded_parameters = [efficiency] }

claim spread { statement = "far apart", results = ["cells.spread.architectures.throughput.device.*"], published = 3.7, explanation = "reasons" }
"""


@pytest.fixture(scope="session")
def desk() -> JobEvaluator:
    return JobEvaluator.of(Session(Registry.built_in()))


@pytest.fixture(scope="session")
def small(desk, tmp_path_factory) -> SimpleNamespace:
    """The study of `TEXT`: folder, sections by name, files by name, and rows of a table by name."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "all.accel").write_text(TEXT)
    found = run_study(desk, folder, workers=1)
    files = {path.name: path for path in write_study(found, folder / "out")}

    def rows(name: str) -> list[dict[str, str]]:
        with Path(files[f"{name}.csv"]).open(newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))

    sections = {section.name: section for section in found.sections}
    return SimpleNamespace(folder=folder, study=found, sections=sections, files=files, rows=rows)
