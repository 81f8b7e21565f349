"""Fitting the paces of runtimes that train: rows made from a known pace give it back."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from accelscope.core.analysis.calibrate.training_fit import (
    TrainingFit,
    collect_training_groups,
    rewrite_training_runtimes,
)
from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.run import read_filtered_tables
from accelscope.core.session import Session

HEAD = (
    "id,source,source_ref,year,hw,n_devices,model,weights_dtype,kv_dtype,engine,engine_version,tp,pp,ep,dp,"
    "batch_or_concurrency,isl,osl,metric,value,unit,tier,score,flag,notes\n"
)
ROW = (
    "{id},s,s,2024,{hw},8,mpt-7b,bf16,,llm-foundry,,1,1,1,8,128,2048,0,train_tok_s,{rate},tok/s,T,1,training,"
    "FSDP FULL_SHARD; act ckpt {again}; microbatch 8\n"
)


def table(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(HEAD + "".join(rows))
    return path


def test_notes_say_what_is_computed_again_and_sharded(shell: Session, tmp_path: Path) -> None:
    rows = [
        ROW.format(id=at, hw="A100-SXM-80GB", rate=2e4, again=again)
        for at, again in enumerate(("True", "False"))
    ]
    names = LibraryNames(shell)
    (part,) = read_filtered_tables([str(table(tmp_path, *rows))])
    steps = collect_training_groups(part, names)
    assert sorted(item.design.training.recompute for item in steps if item.design.training) == [
        "full",
        "none",
    ]
    for item in steps:
        (zero,) = (spec.zero_stage for _, spec in item.design.strategies if hasattr(spec, "zero_stage"))
        assert np.all(zero.value == 3.0)


def test_a_port_has_factors_of_its_own(shell: Session, tmp_path: Path) -> None:
    rows = [
        ROW.format(id=at, hw=hw, rate=4e4, again="True")
        for at, hw in enumerate(("A100-SXM-80GB", "H100-SXM"))
    ]
    (part,) = read_filtered_tables([str(table(tmp_path, *rows))])
    ampere, hopper = sorted(collect_training_groups(part, LibraryNames(shell)), key=lambda item: item.key.hw)
    assert ampere.places["gemm_rate_scale"] != hopper.places["gemm_rate_scale"]
    assert ampere.places["elementwise_bytes_scale"] == hopper.places["elementwise_bytes_scale"]


def test_a_file_of_runtimes_is_rewritten_in_its_own_units() -> None:
    text = "runtime r {\n  layer = 300 us ± 100% @a\n  compute = 0.9 ± 5% @a\n  spread = 0.2 @a\n}\n"
    fit = TrainingFit(
        {(2, "launch_time_per_layer"): float(np.log(4.56e-4)), (3, "gemm_rate_scale"): float(np.log(0.777))},
        {(2, "launch_time_per_layer"): 0.21, (3, "gemm_rate_scale"): 0.01},
    )
    assert rewrite_training_runtimes(text, fit, {"r": 0.123}) == (
        "runtime r {\n  layer = 460 us ± 20% @a\n  compute = 0.78 ± 5% @a\n  spread = 0.12 @a\n}\n"
    )
