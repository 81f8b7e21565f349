"""One vocabulary: the same option has the same name and order in every verb, and a wrong one is answered with the right one."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click
import pytest

from accelscope.core.cli.command import OPTION_GROUPS, VerbCommand
from accelscope.core.cli.main import run_cli
from accelscope.core.plugin.commands import list_built_in_commands

JOB = str(Path(__file__).parents[3] / "examples" / "llama3_70b_on_dgx_h100.accel")
ORDER = [name for names in OPTION_GROUPS.values() for name in names]


def load_commands() -> dict[str, click.Command]:
    commands: dict[str, click.Command] = {}
    for name, entry in list_built_in_commands().verbs.items():
        module, _, attribute = entry.target.partition(":")
        command = getattr(import_module(module), attribute)
        inner = command.commands if isinstance(command, click.Group) else {"": command}
        commands |= {f"{name} {word}".strip(): item for word, item in inner.items()}
    return commands


COMMANDS = load_commands()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_group(name: str) -> None:
    command = COMMANDS[name]
    assert isinstance(command, VerbCommand)
    options = [item for item in command.params if isinstance(item, click.Option) and not item.hidden]
    names = [next(text for text in item.opts if text.startswith("--")) for item in options]
    assert set(names) <= set(ORDER)


@pytest.mark.parametrize("name", COMMANDS)
def test_output_is_a_file_and_the_file_comes_first(name: str) -> None:
    command = COMMANDS[name]
    for item in command.params:
        if isinstance(item, click.Option) and "--output" in item.opts:
            assert "-o" in item.opts
            assert item.metavar in ("FILE", "FOLDER", "FILE|FOLDER")
    arguments = [item.name for item in command.params if isinstance(item, click.Argument)]
    assert "file" not in arguments[1:]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (
            ("compare", "--metric", "tpot"),
            "has no option `--metric`; `--metrics` is an option of `sensitivity` and `sweep`",
        ),
        (
            ("eval", JOB, "--workers", "2"),
            "`--jobs` is an option of `sweep`, `search`, `study` and `calibrate`",
        ),
        (("study", "x", "--job", "2"), "did you mean `--jobs`?"),
        (("compare", "--clients", "4"), "`--concurrency` is an option of `search`"),
        (("search", "--input-tokens", "4"), "did you mean `--prompt-tokens`?"),
        (("compare", "--output", "256"), "`--output-tokens 256` is a number of tokens"),
        (("search", "--model", "llama3_8b", "-o", "256"), "`--output-tokens 256` is a number of tokens"),
    ],
)
def test_a_wrong_option_is_answered_with_the_right_one(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], part: str
) -> None:
    assert run_cli(arguments) == 2
    assert part in capsys.readouterr().err


def test_former_names_mean_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for prompt, output in (("--prompt", "--answer"), ("--prompt-tokens", "--output-tokens")):
        assert run_cli(["compare", "CS3", "--batch", "1", prompt, "64", output, "16", "--show-text"]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert "prompt = 64 tok, output = 16 tok" in texts[0]


def test_explain_reads_file_and_metric_in_both_orders(capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for order in ((JOB, "tpot"), ("tpot", JOB)):
        assert run_cli(["explain", *order, "--depth", "1"]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]


def test_systems_may_be_a_list_with_degrees(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["compare", "--systems", "DGX_H100:tp=4,pp=2,CS3", "--batch", "1", "--show-text"]) == 0
    text = capsys.readouterr().out
    assert "DGX_H100_tp4_pp2" in text
    assert "on_CS3" in text


def test_help_lists_options_by_group(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["search", "--help"]) == 0
    text = capsys.readouterr().out
    places = [text.index(f"\n{group}:") for group in OPTION_GROUPS]
    assert places == sorted(places)
    assert "--answer" not in text
