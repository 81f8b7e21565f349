"""The package of a device as a tree: what metrics of area and cost of silicon read."""

from __future__ import annotations

from accelscope.core.assemble.machine import assemble_machine
from accelscope.core.bind.binder import Binder
from accelscope.core.session import Session

TEXT = """
package chip {
  die compute[4] {
    area = 700 mm^2
    core c[16] {
      engine m { kind = tensor, ops { bf16 = 1024 MAC/cycle } }
      clock = 1 GHz
    }
    memory l2 { class = cache, capacity = 32 MiB, bandwidth = 4 TB/s }
  }
  die io { area = 300 mm^2 }
  memory hbm { class = hbm3, capacity = 80 GB, bandwidth = 3 TB/s }
}
"""


def test_dies_have_their_areas_and_counts(tmp_path):
    path = tmp_path / "chip.accel"
    path.write_text(TEXT)
    session = Session.open()
    package = session.checked(str(path)).lookup("package chip")
    tree = assemble_machine(package, Binder(session.registry)).device.tree
    dies = [block for block in tree.walk() if block.kind == "die"]
    assert [(block.path, float(block.count.value), block.spec.area.to("mm^2").item()) for block in dies] == [
        ("compute", 4.0, 700.0),
        ("io", 1.0, 300.0),
    ]
    assert [part.name for part in tree.parts] == ["hbm"]
    core = tree.children[0].children[0]
    assert (core.kind, core.path, float(core.count.value)) == ("core", "compute.c", 64.0)
    assert [part.path for part in core.parts] == ["compute.c.m"]
