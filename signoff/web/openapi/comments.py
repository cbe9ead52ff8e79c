"""The comments of the protos: the generated type stubs, which every installation has, carry them as docstrings."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import signoff.v1

_SKIPPED = "bounds"  # of the stubs: options, which no client sees


def comment_of(name: str, field: str = "") -> str:
    """Returns the comment of a message, an enum or a field; empty without one, or without stubs."""
    return _comments().get((name, field), "")


@cache
def _comments() -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for file in sorted(Path(signoff.v1.__path__[0]).glob("*_pb2.pyi")):
        if not file.name.startswith(_SKIPPED):
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef):
                    _take(node, found)
    return found


def _take(message: ast.ClassDef, found: dict[tuple[str, str], str]) -> None:
    """Takes the docstrings of one class: its own, those after attributes, and those of properties."""
    name = message.name.removeprefix("_")
    found.setdefault((name, ""), " ".join((ast.get_docstring(message) or "").split()))
    before = ""
    for node in message.body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and before:
            found[name, before] = " ".join(str(node.value.value).split())
        if isinstance(node, ast.FunctionDef):
            found.setdefault((name, node.name), " ".join((ast.get_docstring(node) or "").split()))
        before = _attribute(node)


def _attribute(node: ast.stmt) -> str:
    """Returns the name of the attribute that a statement declares; empty for other statements."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return ""
