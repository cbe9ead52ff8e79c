"""docs/explanation/guarantees.md names tests that exist, and quotes the README."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_test_that_a_promise_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)`\s+`(\w+)`", (ROOT / "docs" / "explanation" / "guarantees.md").read_text())
    assert len(named) > 20
    missing = [f"{path}::{name}" for path, name in named if name not in functions_of(ROOT / path)]
    assert not missing


def test_what_is_quoted_is_what_the_readme_says() -> None:
    quoted = re.findall(r"(?:^> .*\n)+", (ROOT / "docs" / "explanation" / "guarantees.md").read_text(), re.MULTILINE)
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert len(quoted) >= 2
    for quote in quoted:
        assert " ".join(quote.replace("\n> ", " ").removeprefix("> ").split()) in readme


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
