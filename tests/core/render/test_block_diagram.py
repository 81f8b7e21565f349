"""Pictures of packages and systems, as text and as SVG."""

from __future__ import annotations

import xml.etree.ElementTree as xml

import pytest

from accelscope.core.library.definitions import find_definitions, list_definitions
from accelscope.core.render.block_diagram import DiagramBlock, DiagramLink, build_block_diagram
from accelscope.core.render.block_diagram_svg import render_diagram_svg
from accelscope.core.render.block_diagram_text import DIAGRAM_TEXT_WIDTH, render_diagram_text

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def picture(shell):
    shelf = tuple(list_definitions(shell))
    return lambda name: build_block_diagram(find_definitions(shelf, name)[0].component, shell.registry)


def blocks(block):
    yield block
    for child in block.children:
        yield from blocks(child)


def of(block, name):
    return next(item for item in blocks(block) if item.name == name)


def test_counts_rates_and_totals_of_a_package(picture):
    h100 = picture("H100_SXM")
    assert h100.facts == ("700 W",)
    sm, tensor, hbm = (of(h100, name) for name in ("sm", "tensor", "hbm"))
    assert (sm.count, tensor.count) == (132, 4)
    assert "bf16 512 MAC/cycle" in tensor.facts[-1]
    assert tensor.total == "all: 989 TFLOP/s bf16"
    assert hbm.facts == ("hbm3 80 GiB at 3.352 TB/s",)


def test_a_grid_of_cores_shows_its_dimensions(picture):
    assert of(picture("WSE3"), "pe").label == "core pe ×900×1000"


def test_links_join_blocks_of_one_level(picture):
    dgx = picture("DGX_H100")
    wire = next(wire for wire in dgx.links if wire.right == "nvsw")
    assert wire.left == "gpu"
    assert wire.text.startswith("18 × NVLink4 25 GB/s/dir")
    assert of(dgx, "gpu").label == "package gpu ×8: H100_SXM"


def test_a_link_from_inside_a_node_starts_at_the_node(picture):
    (wire,) = picture("H100_SuperPOD").links
    assert (wire.left, wire.right) == ("dgx", "leaf")


def test_the_text_has_a_line_for_each_block_and_link():
    inner = DiagramBlock(kind="memory", name="m", facts=("1 GiB",))
    wire = DiagramLink(left="m", right=None, text="ring(4) L")
    text = render_diagram_text(
        DiagramBlock(kind="package", name="p", count=1, children=(inner, inner), links=(wire,))
    )
    assert text.splitlines() == [
        "package p",
        "├─ memory m  1 GiB",
        "├─ memory m  1 GiB",
        "└┄ m: ring(4) L",
    ]


def test_long_facts_go_on_below():
    facts = ("a" * 60, "b" * 60)
    first, second = render_diagram_text(DiagramBlock(kind="engine", name="e", facts=facts)).splitlines()
    assert first.endswith("a,")
    assert second.strip() == "b" * 60


NAMES = ("H100_SXM", "MI300X", "WSE3", "GB200_NVL72", "TPUv5p_pod", "H100_SuperPOD", "DGX_H100")


@pytest.mark.parametrize("name", NAMES)
def test_lines_of_the_text_are_not_long(picture, name):
    assert max(map(len, render_diagram_text(picture(name)).splitlines())) <= DIAGRAM_TEXT_WIDTH


def boxes(root):
    return [
        tuple(float(item.get(key)) for key in ("x", "y", "width", "height"))
        for item in root.iter(f"{SVG}rect")
        if item.get("x")
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_svg_is_one_file_in_which_everything_lies_inside(picture, name):
    block = picture(name)
    text = render_diagram_svg(block)
    assert "href" not in text
    root = xml.fromstring(text)
    width, height = float(root.get("width")), float(root.get("height"))
    assert all(x >= 0 and y >= 0 and x + w <= width and y + h <= height for x, y, w, h in boxes(root))
    for item in root.iter(f"{SVG}text"):
        assert float(item.get("x")) + 6.7 * len(item.text) <= width
        assert float(item.get("y")) <= height
    labels = [item.text for item in root.iter(f"{SVG}text")]
    assert all(item.label in labels for item in blocks(block))


@pytest.mark.parametrize("name", NAMES)
def test_boxes_of_an_svg_are_inside_of_each_other_or_apart(picture, name):
    found = boxes(xml.fromstring(render_diagram_svg(picture(name))))
    shadow = 4.5
    for number, (x, y, w, h) in enumerate(found):
        for a, b, c, d in found[number + 1 :]:
            apart = x + w <= a or a + c <= x or y + h <= b or b + d <= y
            inside = (
                x - shadow <= a and y - shadow <= b and a + c <= x + w + shadow and b + d <= y + h + shadow
            )
            assert apart or inside


def test_text_of_a_label_is_escaped():
    assert "a&lt;b" in render_diagram_svg(DiagramBlock(kind="core", name="a<b"))
