# ruff: noqa: INP001 -- a script of the repository, in no package
"""Writes the tree of first lines into ARCHITECTURE.md; with --check, says whether it is stale."""

import argparse
import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "ARCHITECTURE.md"
SOURCE: Final = ROOT / "src" / "haulier"
BEGIN: Final = "<!-- tree: made by tools/tree.py, run `make docs` -->"
END: Final = "<!-- end of tree -->"
WIDTH: Final = 34


def first_line(path: Path) -> str:
    """Give the first line of a module's docstring."""
    said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return said.partition("\n")[0]


def lines(folder: Path, depth: int = 0) -> Iterator[str]:
    """Give a line for each package and module below a folder."""
    indent = "  " * depth
    package = folder / "__init__.py"
    yield f"{indent + folder.name + '/':<{WIDTH}} {first_line(package)}".rstrip()
    modules = sorted(path for path in folder.glob("*.py") if path != package)
    for path in modules:
        if path.name != "__main__.py":
            yield f"{indent + '  ' + path.stem:<{WIDTH}} {first_line(path)}"
    for inner in sorted(path.parent for path in folder.glob("*/__init__.py")):
        if inner.name != "versions":
            yield from lines(inner, depth + 1)


def main() -> int:
    """Write the tree, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    old = PAGE.read_text("utf-8")
    before, _, rest = old.partition(BEGIN)
    _, _, after = rest.partition(END)
    tree = "\n".join(lines(SOURCE))
    new = f"{before}{BEGIN}\n\n```text\n{tree}\n```\n\n{END}{after}"
    if not parser.parse_args().check:
        PAGE.write_text(new, "utf-8")
    elif new != old:
        print("the tree in ARCHITECTURE.md is stale: run `make docs`", file=sys.stderr)  # noqa: T201 -- a script
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
