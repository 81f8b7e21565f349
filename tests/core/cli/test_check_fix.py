"""`check --fix`: former names in a file become the present ones, and nothing else of it changes."""

from __future__ import annotations

TEXT = """# The window of the paper.
model m { family = decoder, layers = 2, hidden = 64, heads = 4, vocab = 100, window = 16 tok, tied = true } # tied
"""
FIXED = """# The window of the paper.
model m { family = decoder, layers = 2, hidden = 64, heads = 4, vocab = 100, sliding_window = 16 tok, tied_embeddings = true } # tied
"""


def test_former_names_are_warnings_with_a_place_and_a_fix(accel, tmp_path):
    (tmp_path / "m.accel").write_text(TEXT)
    done = accel("check", "m.accel")
    assert done.code == 0
    assert "warning[A408]: `window` is now called `sliding_window`" in done.out
    assert "m.accel:2:78" in done.out
    assert "write `tied_embeddings`; `accelscope check --fix` does it" in done.out
    assert (tmp_path / "m.accel").read_text() == TEXT


def test_fix_writes_present_names_and_keeps_the_rest(accel, tmp_path):
    (tmp_path / "m.accel").write_text(TEXT)
    done = accel("check", "--fix", "m.accel")
    assert done.code == 0
    assert "`m.accel`: 2 names replaced" in done.err
    assert (tmp_path / "m.accel").read_text() == FIXED
    assert accel("check", "m.accel").out == ""


def test_fix_needs_a_file(accel):
    done = accel("check", "--fix", "-", text=TEXT)
    assert done.code == 2
    assert "cannot fix standard input" in done.err


def test_json_has_the_replacement(accel):
    assert '"replacement": "sliding_window"' in accel("check", "--format", "json", "-", text=TEXT).out
