"""The plugin is found, and its chip reads without findings."""

from __future__ import annotations

from pathlib import Path

from accelscope.core.session import Session

HERE = Path(__file__).parent


def test_it_registers_a_model_and_a_library():
    registry = Session.open().registry
    assert registry.plugin_of("memory", "hbf").distribution == "accelscope-acme"
    assert "acme" in registry.libraries


def test_the_chip_and_what_uses_it_have_no_findings():
    session = Session.open()
    assert "acme.chips" in session.library.modules()
    assert session.check(str(HERE.parent / "what_if.accel")) == ()


def test_without_the_plugin_the_class_is_unknown(tmp_path):
    file = tmp_path / "chip.accel"
    file.write_text("package X { memory m { class = hbf } }\n")
    assert Session.open().check(str(file)) == ()
    assert [item.code for item in Session.open(disabled=("acme",)).check(str(file))] == ["A104"]
