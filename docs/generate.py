"""Writes the reference pages that follow from the code: hooks, diagnostics, models.

python docs/generate.py            write them
python docs/generate.py --check    exit with 1 where one is out of date
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

from accelscope.core.plugin import hookspecs
from accelscope.core.plugin.registry import Registry
from accelscope.core.render.model_docs import ModelDoc, find_model_docs, list_model_docs
from accelscope.dsl.diagnostics.codes import CODES

HERE = Path(__file__).parent / "reference"
NOTE = "<!-- Made by docs/generate.py from the code: change it there. -->\n"

GROUPS = {
    "A0": "The text does not follow the grammar",
    "A1": "Names, fields and units",
    "A2": "References and evaluation",
    "A3": "Checks over several values or blocks",
    "A4": "Lints",
    "A5": "Files and the command line",
}

FAMILIES = {
    "memory": "Memory levels",
    "compute": "Compute engines",
    "interconnect": "Networks",
    "strategy": "Parallelism strategies",
    "workload": "Families of models",
    "metric": "Metrics",
    "report": "Output formats",
    "check": "Checks",
    "library": "Libraries",
    "block": "Kinds of block",
}


def pages() -> dict[str, str]:
    """Return the text of every page by file name."""
    registry = Registry.built_in()
    return {"hooks.md": _hooks(), "diagnostics.md": _diagnostics(), "models.md": _models(registry)}


def signatures() -> dict[str, str]:
    """Return the exact signature of every hook by name, as its source has it."""
    tree = ast.parse(inspect.getsource(hookspecs))
    return {
        node.name: f"{node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}"
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("accelscope_")
        and node.returns is not None
    }


def _hooks() -> str:
    head = dedent("""\
        # Hooks

        A plugin is a module that implements some of these hooks and that an entry point of the group `accelscope`
        names. A hook is called once for a session and yields frozen records; `examples/plugin/` is a complete plugin.
        """)
    parts = [NOTE + head]
    for name, signature in signatures().items():
        text = inspect.getdoc(getattr(hookspecs, name)) or ""
        sentence, _, example = text.partition("Example:")
        code = dedent("    " + example.strip("\n").lstrip()) if example else ""
        parts.append(f"## `{signature}`\n\n{sentence.strip()}\n\n```python\n{dedent(code).strip()}\n```\n")
    return "\n".join(parts)


def _diagnostics() -> str:
    parts = [
        NOTE
        + "# Diagnostics\n\nEvery finding has a code; `accelscope check` prints it in front of the message.\n"
    ]
    for prefix, title in GROUPS.items():
        parts.append(f"## {title}\n")
        for code, told in CODES.items():
            if code.startswith(prefix):
                kind = " (warning)" if told.severity == "warning" else ""
                parts.append(f"### {code} {told.title}{kind}\n\n{told.doc}\n")
    return "\n".join(parts)


def _models(registry: Registry) -> str:
    parts = [
        NOTE
        + "# Models\n\nWhat the built-in plugins model. `accelscope models NAME` prints the same of every plugin.\n"
    ]
    listed = list_model_docs(registry)
    for family, title in FAMILIES.items():
        items = [item for item in listed if item["family"] == family]
        if items:
            parts.append(f"## {title}\n")
            parts.extend(_section(registry, item) for item in items)
    return "\n".join(parts)


def _section(registry: Registry, item: ModelDoc) -> str:
    found = [each for each in find_model_docs(registry, item["name"]) if each["family"] == item["family"]]
    lines = [f"### {item['name']}", "", item["doc"]]
    for each in found:
        if len(found) > 1:
            lines += ["", f"As `{each['name']}` of plugin `{each['plugin']}` reads it: {each['doc']}"]
        for key, values in each.get("select", {}).items():
            lines += [
                "",
                f"Reads `{each['kind']}` blocks with `{key}` = "
                + ", ".join(f"`{value}`" for value in values)
                + ".",
            ]
        if each.get("unit"):
            lines += ["", f"In {each['unit']}."]
        lines.extend(_fields(each))
    return "\n".join(lines) + "\n"


def _fields(item: ModelDoc) -> Iterator[str]:
    if item["family"] == "block" and item["name"] != item.get("kind"):
        return  # the page of the model has them
    fields = item.get("fields", [])
    if fields:
        yield from ("", "| field | type | unit | bounds | default | meaning |", "|---|---|---|---|---|---|")
    for field in fields:
        default = field["default"] + (f" ({field['source']})" if field["source"] else "")
        cells = (f"`{field['name']}`", field["type"], field["unit"], field["bounds"], default, field["doc"])
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    for block in item.get("blocks", []):
        many = ", several" if block["many"] else ""
        yield from ("", f"Inner block `{block['kind']}`{many}: {block['doc']}.")


def stale() -> list[str]:
    """Return the names of pages whose committed text is not what the code says."""
    return [
        name
        for name, text in pages().items()
        if not (HERE / name).exists() or (HERE / name).read_text(encoding="utf-8") != text
    ]


def main() -> int:
    """Write the pages, or check them."""
    if "--check" in sys.argv[1:]:
        wrong = stale()
        for name in wrong:
            sys.stderr.write(f"docs/reference/{name} is out of date: run `python docs/generate.py`\n")
        return bool(wrong)
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
