"""Descriptions read library modules and files below their own folder, and nothing else."""

from __future__ import annotations

import os

import pytest

from accelscope.core.library.sources import Library
from accelscope.core.plugin.records import LibraryFolder
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText
from accelscope.dsl.diagnostics.limits import MAX_FILE_BYTES


@pytest.fixture
def library(tmp_path, monkeypatch):
    shelf = tmp_path / "shelf"
    (shelf / "deep").mkdir(parents=True)
    (shelf / "chips.accel").write_text("package A {}\n")
    (shelf / "deep" / "more.accel").write_text("package B {}\n")
    (tmp_path / "work" / "sub").mkdir(parents=True)
    (tmp_path / "work" / "main.accel").write_text("x = 1\n")
    (tmp_path / "work" / "sub" / "part.accel").write_text("y = 1\n")
    (tmp_path / "secret.accel").write_text("z = 1\n")
    monkeypatch.chdir(tmp_path)
    return Library.of([LibraryFolder(name="acme", doc="of a test", path=shelf)])


def code(found) -> str:
    assert isinstance(found, Diagnostic)
    return found.code


def test_modules_are_named_by_their_place(library):
    assert library.modules() == ("acme.chips", "acme.deep.more")
    assert library.library("acme.chips").name == "acme/chips.accel"
    assert library.library("acme.deep.more").text == "package B {}\n"


@pytest.mark.parametrize(
    "name", ["acme", "acme.nope", "other.chips", "acme...chips", "acme.deep", "acme./etc/passwd"]
)
def test_what_is_no_module_is_none(library, name):
    assert library.library(name) is None


def test_a_file_is_called_as_it_was_typed(library):
    main = library.open("work/main.accel")
    assert main.name == "work/main.accel"
    assert library.file("sub/part.accel", main).name == os.path.join("work", "sub", "part.accel")


def test_a_file_is_read_once(library):
    main = library.open("work/main.accel")
    part = library.file("sub/part.accel", main)
    assert library.file("./sub/../sub/part.accel", main) is part


def test_a_used_file_reads_relative_to_itself_within_the_same_root(library):
    part = library.file("sub/part.accel", library.open("work/main.accel"))
    assert isinstance(library.file("../main.accel", part), SourceText)
    assert code(library.file("../../secret.accel", part)) == "A504"


@pytest.mark.parametrize("path", ["../secret.accel", "/etc/hostname", "sub/../../secret.accel"])
def test_a_file_outside_the_folder_is_refused(library, path):
    assert code(library.file(path, library.open("work/main.accel"))) == "A504"


def test_a_link_that_leads_outside_is_refused(library, tmp_path):
    (tmp_path / "work" / "link.accel").symlink_to(tmp_path / "secret.accel")
    assert code(library.file("link.accel", library.open("work/main.accel"))) == "A504"


def test_a_root_widens_what_may_be_read(library, tmp_path):
    wide = Library.of([], [tmp_path])
    assert isinstance(wide.file("../secret.accel", wide.open("work/main.accel")), SourceText)


def test_a_missing_file_suggests_its_sibling(library):
    found = library.file("sub/prat.accel", library.open("work/main.accel"))
    assert code(found) == "A501"
    assert found.help == "did you mean `part.accel`?"


def test_a_directory_is_no_file(library):
    assert "directory" in library.open("work").message
    assert "directory" in library.file("sub", library.open("work/main.accel")).message


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000])
def test_a_path_that_no_system_takes_is_unreadable(library, path):
    assert code(library.file(path, library.open("work/main.accel"))) == "A501"


@pytest.mark.parametrize("data", [b"x = \0", b"x = \xff\xfe"])
def test_what_is_not_text_is_refused(library, tmp_path, data):
    (tmp_path / "work" / "bad.accel").write_bytes(data)
    assert code(library.open("work/bad.accel")) == "A502"


def test_a_large_file_is_refused_before_it_is_read(library, tmp_path):
    with (tmp_path / "work" / "big.accel").open("wb") as stream:
        stream.truncate(MAX_FILE_BYTES + 1)
    assert code(library.open("work/big.accel")) == "A503"


def test_a_pipe_cannot_be_used(library, tmp_path):
    os.mkfifo(tmp_path / "work" / "pipe.accel")
    assert code(library.file("pipe.accel", library.open("work/main.accel"))) == "A501"


def test_a_file_without_permission_is_unreadable(library, tmp_path):
    path = tmp_path / "work" / "locked.accel"
    path.write_text("x = 1\n")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user reads everything")
    assert "permission denied" in library.open("work/locked.accel").message
