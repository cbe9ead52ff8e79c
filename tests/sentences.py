"""`python -m tests.sentences [PATH …]`: prints the sentences that break the rules for plain English of CONTRIBUTING.md.

Docstrings open with what a thing does, or with the name of what it is. Neither they nor comments, messages or pages
speak of persons without a name: the runner, a worker, a client or a person does something.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("signoff", "planner_svc", "runner_svc", "worker_svc", "tests", "benchmarks", "examples")
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/**/*.md", "examples/**/*.md")
CONTRACT = ("protos/**/*.proto",)
#: Generated and foreign files, and the rules themselves.
LEFT_OUT = ("_pb2", "/node_modules/", "tests/sentences.py", "tests/test_sentences.py")

_OPENING = re.compile(
    r"(What|Of|As|Those|Whether|Who|Whoever|Whom|Whose|Nobody|Somebody|Where|Whatever|Which)\b(?! \w+ are:)"
)
_PERSON = re.compile(r"\b(nobody|somebody|whoever|whomever)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """A sentence that breaks a rule."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.text}"


def faults_in(path: Path) -> list[Fault]:
    """Returns the faults of one file, in the order of its lines."""
    text = path.read_text(encoding="utf-8")
    found = list(_openings(path, text)) if path.suffix == ".py" else []
    prose = _prose_of(text) if path.suffix == ".py" else enumerate(text.splitlines(), 1)
    found += [Fault(path, line, said.strip()[:100]) for line, said in prose if _PERSON.search(said)]
    return sorted(found)


def _openings(path: Path, text: str) -> Iterator[Fault]:
    """Finds docstrings that open with a clause instead of a verb or a noun."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node) or ""
            if _OPENING.match(docstring):
                line = node.body[0].lineno
                yield Fault(path, line, docstring.splitlines()[0])


def _prose_of(text: str) -> Iterator[tuple[int, str]]:
    """Yields comments and strings, each line with its number: names in the code are not prose."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            for offset, line in enumerate(token.string.splitlines()):
                yield token.start[0] + offset, line


def files(*folders: str) -> list[Path]:
    """Returns the files that the rules are for; of the project when no folder is named."""
    chosen = [ROOT / folder for folder in folders] or [ROOT / folder for folder in SOURCES]
    found = [path for folder in chosen for path in ([folder] if folder.is_file() else folder.rglob("*.py"))]
    if not folders:
        found += [path for pattern in (*PAGES, *CONTRACT) for path in ROOT.glob(pattern)]
    return sorted(path for path in found if not any(part in str(path) for part in LEFT_OUT))


def main() -> int:
    faults = [fault for path in files(*sys.argv[1:]) for fault in faults_in(path)]
    sys.stdout.write("".join(f"{fault}\n" for fault in faults) + f"{len(faults)} sentences\n")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
