"""Fits find the parameters that made the measurements, draw thin data towards its family, and read back as text."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from accelscope.core.analysis.calibrate import report
from accelscope.core.analysis.calibrate.fits import fit_kernels
from accelscope.core.analysis.calibrate.hierarchy import FitScope, fit_kernel_class, list_fit_scopes
from accelscope.core.analysis.calibrate.parameters import define_parameter
from accelscope.core.analysis.calibrate.regression import estimate_error_spread, fit_parameters
from accelscope.core.analysis.calibrate.samples import (
    collect_kernel_samples,
    merge_samples,
    predict_sample_times,
    take_sample_rows,
)
from accelscope.core.analysis.calibrate.write import format_calibration_file, format_calibration_modules
from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.table import KERNEL_LAYOUT, read_tables
from accelscope.core.blocks.calibration import Kernel

TRUE = {"bandwidth_efficiency": 0.62, "fixed_overhead": 7.5e-6}
"""Of a normalisation: share of peak bandwidth, and s."""
_SIZES = [(rows, columns) for rows in (512, 2048, 8192, 32768) for columns in (1024, 2048, 4096, 5120, 8192)]


def table_of(path: Path, devices: dict[str, int]) -> str:
    """Write normalisations of some sizes for each device, all of 30 us."""
    with path.open("w", newline="") as stream:
        lines = csv.DictWriter(stream, KERNEL_LAYOUT.columns)
        lines.writeheader()
        for hw, count in devices.items():
            for number, (rows, columns) in enumerate(_SIZES[:count]):
                row = {
                    "id": f"{hw}{number}", "source": "made", "hw": hw, "op": "rmsnorm", "dtype": "bf16",
                    "engine": "vllm", "kernel": "", "m": rows, "n": columns, "latency_us": 30, "score": 1,
                }  # fmt: skip
                lines.writerow(row)
    return str(path)


@pytest.fixture(scope="module")
def names(shell) -> LibraryNames:
    return LibraryNames(shell)


@pytest.fixture
def made(tmp_path, names):
    """Return samples whose times are those of given parameters, some log-normal noise aside."""

    def make(devices: dict[str, dict[str, float]], noise: float = 0.0, **counts: int) -> list:
        sizes = {hw: counts.get(hw.partition("-")[0], len(_SIZES)) for hw in devices}
        random = np.random.default_rng(7)
        found = []
        for sample in collect_kernel_samples(read_tables([table_of(tmp_path / "m.csv", sizes)])[0], names):
            true = next(
                value for hw, value in devices.items() if sample.device.startswith(hw.partition("-")[0])
            )
            exact = predict_sample_times(sample, true, (), names.registry)
            found.append(evolve(sample, measured=exact * np.exp(noise * random.standard_normal(len(sample)))))
        return found

    return make


def test_a_fit_finds_what_made_the_numbers(made, names):
    found = made({"H100-SXM": TRUE})
    fits = fit_kernel_class(found[0].subject, found, {}, names.registry)
    values = fits[FitScope("device", "H100_SXM")].values
    assert values["bandwidth_efficiency"] == pytest.approx(TRUE["bandwidth_efficiency"], rel=0.02)
    assert values["fixed_overhead"] == pytest.approx(TRUE["fixed_overhead"], rel=0.02)


def test_one_wild_point_moves_a_robust_fit_little():
    spec = define_parameter(Kernel, "fixed_overhead", 4e-6, 0.5)
    measured = np.full(30, 5e-6)
    measured[3] = 5e-4
    found = fit_parameters(
        lambda values: np.full(30, values["fixed_overhead"]),
        measured,
        [spec],
        {"fixed_overhead": 4e-6},
        drawn=False,
    )
    assert found.values["fixed_overhead"] == pytest.approx(5e-6, rel=0.05)


def test_a_device_with_few_rows_is_as_its_family(made, names):
    found = made({"H100-SXM": TRUE, "H200-SXM": TRUE}, H200=4)
    fits = fit_kernel_class(found[0].subject, found, {}, names.registry)
    assert FitScope("device", "H200_SXM") not in fits
    thin = next(sample for sample in found if sample.device == "H200_SXM")
    near = next(place for place in list_fit_scopes(thin) if place in fits)
    assert (near.origin, near.name) == ("family", "hopper")


def test_what_is_left_out_is_judged_and_noise_is_the_spread(made, names):
    devices = {"H100-SXM": TRUE, "H200-SXM": TRUE, "A100-SXM-80GB": TRUE | {"bandwidth_efficiency": 0.4}}
    found = made(devices, noise=0.1)
    book = fit_kernels(found, names.registry, progress=lambda text: None)
    errors = {(item.group, item.split): item for item in report.compute_holdout_errors(book.held_out)}
    own = errors["H100_SXM", "configuration"]
    assert 0.02 < own.median_ape < 0.12
    assert errors["A100_SXM_80GB", "device"].median_ape > own.median_ape
    entry = next(entry for entry in book.entries if entry.place == FitScope("device", "H100_SXM"))
    assert float(entry.kernel.log_error_std.value) == pytest.approx(0.1, abs=0.05)


def test_no_row_is_judged_by_a_fit_that_saw_its_configuration(made, names):
    """With one configuration the folds leave nothing to fit, so nothing may be judged."""
    found = made({"H100-SXM": TRUE})
    same = [evolve(found[0], configuration=np.full(len(found[0]), "one", dtype=object))]
    book = fit_kernels(same, names.registry, progress=lambda text: None)
    assert not [item for item in book.held_out if item.split == "configuration"]


def test_parts_and_joined_samples_cost_the_same(made, names):
    (found,) = made({"H100-SXM": TRUE})
    halves = [take_sample_rows(found, np.arange(0, 8)), take_sample_rows(found, np.arange(8, len(found)))]
    (whole,) = merge_samples(halves)
    values = {"bandwidth_efficiency": 0.7, "fixed_overhead": 5e-6}
    one, other = (predict_sample_times(item, values, (), names.registry) for item in (found, whole))
    assert np.allclose(one, other)
    assert list(whole.rows) == list(found.rows)


def test_blocks_read_back_as_what_was_fitted(made, names, shell, tmp_path):
    found = made({"H100-SXM": TRUE})
    book = fit_kernels(found, names.registry, judge=False, progress=lambda text: None)
    text = format_calibration_modules(book, ("made",))["device.H100_SXM"]
    path = tmp_path / "h100.accel"
    path.write_text(text)
    assert not shell.check(str(path), lint=True)
    blocks = shell.load(str(path))[0].definitions("calibration")
    entry = next(entry for entry in book.entries if entry.place == FitScope("device", "H100_SXM"))
    kernel = blocks[0].children("kernel")[0]
    assert kernel.attributes()["fixed_overhead"].value.magnitude == pytest.approx(
        float(entry.kernel.fixed_overhead.value), rel=5e-3
    )
    assert format_calibration_file(book, ("made",)).count("calibration ") >= len(blocks)


def test_spread_is_that_of_a_normal_error():
    residuals = np.random.default_rng(3).normal(0.0, 0.2, 20_000)
    assert estimate_error_spread(residuals) == pytest.approx(0.2, rel=0.03)


def test_the_verb_writes_a_library_layout_and_prints_errors(tmp_path, accel):
    path = table_of(tmp_path / "m.csv", {"H100-SXM": len(_SIZES)})
    done = accel("calibrate", path, "-o", f"{tmp_path}/out/", "--format", "json")
    assert done.code == 0, done.err
    rows = json.loads(done.out)
    assert {row["left_out"] for row in rows} >= {"configuration"}
    assert (tmp_path / "out" / "device" / "H100_SXM.accel").is_file()
    assert (tmp_path / "out" / "family" / "hopper.accel").is_file()


def test_nothing_to_fit_is_a_users_error(tmp_path, accel):
    path = table_of(tmp_path / "m.csv", {})
    done = accel("calibrate", path, "-o", str(tmp_path / "out.accel"))
    assert done.code == 2
    assert "no row of score 1" in done.err
    assert not (tmp_path / "out.accel").exists()
