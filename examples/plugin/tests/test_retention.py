"""Retention keeps the promises of every layer, and what makes it worth having: its state does not grow."""

from __future__ import annotations

from pathlib import Path

from accelscope_acme.retention import RETENTION

from accelscope.core.session import Session
from accelscope.core.testing.builders import make_spec
from accelscope.core.testing.conformance_layers import LayerConformance, make_layer_pass

SIZES = {"layers": "32", "heads": "16", "key_dim": "256", "value_dim": "512"}
FILE = str(Path(__file__).parents[1] / "retnet.accel")


class TestRetention(LayerConformance):
    """The tests of every kind of layer."""

    model = RETENTION
    sample = SIZES


def test_the_state_of_a_sequence_is_a_matrix_of_each_head():
    kept = RETENTION.cache(make_spec(RETENTION.spec, SIZES), make_layer_pass("decode", tokens=1.0))
    assert float(kept.to("B")) == 32 * 16 * 256 * 512 * 2


def test_a_decoder_with_retention_decodes_faster_at_long_contexts():
    plain, retained = (
        Session.open().evaluate(FILE, name, bars=False)[0] for name in ("with_attention", "with_retention")
    )
    assert bool(plain.feasible) and bool(retained.feasible)
    assert float(retained.metrics["tpot"].value) < 0.8 * float(plain.metrics["tpot"].value)
    assert float(retained.metrics["memory_used"].value) < float(plain.metrics["memory_used"].value)


def test_a_misspelt_field_of_the_layer_is_an_error(tmp_path):
    file = tmp_path / "m.accel"
    file.write_text(
        "model m { family = decoder, layers = 2, hidden = 64, vocab = 100\n  retention { layer = 2 }\n}\n"
    )
    found = Session.open().check(str(file))
    assert any("`layer`" in item.message for item in found)
