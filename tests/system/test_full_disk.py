"""A sweep on a disk that is full keeps what is done, says so, and is continued once there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import made_up
from tests.support.paths import ROOT, prepend_python_path

CHUNKS = 200
SCRIPT = """
mount -t tmpfs -o size=400k tmpfs disk || exit 99
"$@" disk/s; echo "full: $?"
ls disk/s/parts/000000 | grep -c parquet
find disk -name '*.tmp' | grep -c tmp
mount -o remount,size=20m disk
"$@" disk/s; echo "room: $?"
cp -r disk/s kept
"""
"""In a namespace of its own, so that nobody else sees the disk; it goes with its last process."""
MAIN = """
import sys
from tests.support import made_up
from accelscope.core.errors import UsageError
try:
    made_up.swept(sys.argv[1], resume=True, chunks=200)
except UsageError as error:
    sys.exit(str(error))
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs a disk of its own, which unshare gives")
def test_a_full_disk_ends_the_sweep_and_room_continues_it(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", SCRIPT, "sh", sys.executable, "-c", MAIN],
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": prepend_python_path(ROOT)},
        capture_output=True,
        text=True,
    )
    if done.returncode in (1, 99) and "full:" not in done.stdout:
        pytest.skip(f"no disk of its own here: {done.stderr.strip()}")
    full, parts, left, room = done.stdout.split("\n")[:4]
    assert (full, left, room) == ("full: 1", "0", "room: 0"), done.stderr
    assert 0 < int(parts) < CHUNKS
    assert "no space left on device; what is done stays, and --resume continues it" in done.stderr
    made_up.swept(tmp_path / "undisturbed", chunks=CHUNKS)
    assert made_up.held(tmp_path / "kept") == made_up.held(tmp_path / "undisturbed")
