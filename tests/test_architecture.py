"""Imports point one way; the tree of packages is what the design says.

Every import of every module counts, also those inside functions and under TYPE_CHECKING, unless a rule says otherwise.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("signoff", "planner_svc", "runner_svc", "worker_svc")
SERVICES = ("planner_svc", "runner_svc", "worker_svc")

# The command line compiles without a service, and looks at the model's settings before it starts one.
# It also fills a new store from a backup, when no runner is there yet.
LENT = {
    "signoff.cli.run.compile_plan": ("planner_svc",),
    "signoff.cli.run.run": ("worker_svc.llm.config.settings",),
    "signoff.cli.archive.restore": (
        "runner_svc.backup",
        "runner_svc.contents",
        "runner_svc.objects",
        "runner_svc.store",
    ),
}

EDGE_OF_THE_WORLD = {
    "asyncio", "concurrent", "threading", "multiprocessing", "subprocess", "socket", "selectors",  # waiting
    "grpc", "grpc_status", "grpc_health", "google", "uvloop",  # the wire
    "sqlite3", "asyncpg", "os", "io", "pathlib", "shutil", "tempfile", "logging", "structlog",  # the disk
    "time", "random", "uuid", "secrets",  # clock and chance
}  # fmt: skip
CLOCK_READINGS = {"now", "utcnow", "today"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import of one module by another; `lazy` when it is inside a function."""

    importer: str
    imported: str
    lazy: bool
    typing_only: bool  #: under `if TYPE_CHECKING`: no arrow at run time

    def __str__(self) -> str:
        return f"{self.importer} imports {self.imported}"


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def sources() -> dict[str, ast.Module]:
    """Returns every hand-written module of the packages, by name."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return {module_of(path): ast.parse(path.read_text()) for path in paths if "_pb2" not in path.name}


@cache
def imports() -> tuple[Import, ...]:
    return tuple(found for name, tree in sources().items() for found in _imports(name, tree, False, False))


def _imports(importer: str, node: ast.AST, lazy: bool, typing_only: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        within = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        guarded = typing_only or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test))
        for imported in _named_by(child):
            yield Import(importer=importer, imported=imported, lazy=within, typing_only=guarded)
        yield from _imports(importer, child, within, guarded)


def _named_by(node: ast.AST) -> list[str]:
    """Returns the modules that a statement imports: `from signoff.v1 import plan_pb2` names signoff.v1.plan_pb2."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute here"
        return [_module(node.module or "", alias.name) for alias in node.names]
    return []


def _module(package: str, name: str) -> str:
    is_module = f"{package}.{name}" in sources() or name.endswith(("_pb2", "_pb2_grpc"))
    return f"{package}.{name}" if is_module else package


def within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def arrows(*importers: str) -> list[Import]:
    """Returns all imports of these packages, of the project and of the world."""
    return [found for found in imports() if within(found.importer, *importers)]


def test_the_search_sees_what_it_is_about() -> None:
    known = {"runner_svc.core.machine", "signoff.errors", "planner_svc.compiler", "worker_svc.link.stream"}
    assert known <= set(sources())
    assert any(found.imported == "runner_svc.core.model.events" for found in arrows("runner_svc.core"))
    assert any(found.lazy for found in imports())


# ---------------------------------------------------------------- the runner inside


def test_the_core_imports_nothing_but_itself_errors_money_limits_names_of_inputs_and_the_glossary() -> None:
    shared = (f"signoff.{name}" for name in ("errors", "money", "plan.limits", "plan.inputs", "plan.glossary"))
    own = ("runner_svc.core", *shared)
    strays = [found for found in arrows("runner_svc.core") if within(found.imported, *PACKAGES, "tests")]
    assert [str(found) for found in strays if not within(found.imported, *own)] == []


def test_the_core_has_no_clock_no_chance_no_socket_and_no_database() -> None:
    strays = [found for found in arrows("runner_svc.core") if found.imported.partition(".")[0] in EDGE_OF_THE_WORLD]
    assert [str(found) for found in strays] == []


def test_the_core_reads_no_clock_and_opens_nothing() -> None:
    for name, tree in sources().items():
        if within(name, "runner_svc.core"):
            calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
            read = {call.attr for call in calls if isinstance(call, ast.Attribute)} & CLOCK_READINGS
            opened = {call.id for call in calls if isinstance(call, ast.Name)} & {"open", "print", "input"}
            assert not read | opened, name


def test_the_core_never_waits() -> None:
    waiting = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    for name, tree in sources().items():
        if within(name, "runner_svc.core"):
            assert not [node for node in ast.walk(tree) if isinstance(node, waiting)], name


def test_a_store_knows_events_and_errors_and_nothing_else_of_the_runner() -> None:
    own = ("runner_svc.store", "runner_svc.core.model.events", "signoff.errors", "signoff.secrets")
    strays = [found for found in arrows("runner_svc.store") if within(found.imported, *PACKAGES)]
    assert [str(found) for found in strays if not within(found.imported, *own)] == []


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("runner_svc.core", ("runner_svc.engine", "runner_svc.services", "runner_svc.store", "runner_svc.codec")),
        (
            "runner_svc.codec",
            ("runner_svc.engine", "runner_svc.services", "runner_svc.store", "runner_svc.publish"),
        ),
        ("runner_svc.engine", ("runner_svc.services", "runner_svc.term", "runner_svc.store.sqlite")),
        ("runner_svc.publish.feed", ("runner_svc.engine", "runner_svc.services")),
        ("runner_svc.services", ("runner_svc.term",)),
    ],
)
def test_arrows_point_from_the_edge_to_the_core(lower: str, higher: tuple[str, ...]) -> None:
    assert [str(found) for found in arrows(lower) if within(found.imported, *higher)] == []


# ---------------------------------------------------------------- between the parts


@pytest.mark.parametrize("service", SERVICES)
def test_services_do_not_know_each_other(service: str) -> None:
    others = [other for other in SERVICES if other != service]
    assert [str(found) for found in arrows(service) if within(found.imported, *others)] == []


def test_what_all_share_knows_no_service() -> None:
    strays = [found for found in arrows("signoff") if within(found.imported, *SERVICES)]
    unlent = [found for found in strays if not within(found.imported, *LENT.get(found.importer, ()))]
    assert [str(found) for found in unlent] == []


def test_what_the_command_line_borrows_of_services_it_imports_when_it_needs_it() -> None:
    borrowed = [found for found in arrows("signoff") if within(found.imported, *SERVICES)]
    assert [str(found) for found in borrowed if not (found.lazy or found.typing_only)] == []


def test_only_the_command_line_imports_the_command_line() -> None:
    strays = [found for found in imports() if within(found.imported, "signoff.cli")]
    assert [str(found) for found in strays if not within(found.importer, "signoff.cli")] == []


def test_the_errors_stand_on_nothing() -> None:
    for shared in ("signoff.errors", "signoff.money", "signoff.plan.glossary"):
        assert [str(found) for found in arrows(shared) if within(found.imported, *PACKAGES)] == []


def test_no_service_imports_another_ones_way_to_start() -> None:
    strays = [found for found in imports() if found.imported.endswith("__main__")]
    assert [str(found) for found in strays] == []


@pytest.mark.parametrize(
    ("start", "unneeded"),
    [
        ("planner_svc.__main__", "planner_svc.compiler"),  # a process of its own compiles
        ("worker_svc.__main__", "worker_svc.validate.validator"),  # executors validate nothing
        ("signoff.cli.app", "signoff.client.client"),  # `signoff --help` is there at once
        ("signoff.cli.remote.ask", "signoff.service.process"),  # a command is no service
        ("signoff.cli.run.run", "signoff.service.process"),
    ],
)
def test_a_start_waits_for_nothing_that_it_does_not_need(start: str, unneeded: str) -> None:
    graph = nx.DiGraph((found.importer, found.imported) for found in imports() if not (found.lazy or found.typing_only))
    assert unneeded in sources()
    assert unneeded not in nx.descendants(graph, start)


def test_no_package_imports_tests() -> None:
    assert [str(found) for found in imports() if within(found.imported, "tests")] == []


def test_nothing_imports_in_circles() -> None:
    """Imports for types and imports within functions count too: a circle of them is as hard to read."""
    graph = nx.DiGraph()
    for found in imports():
        if within(found.imported, *PACKAGES):
            graph.add_edge(found.importer, found.imported)
    assert [sorted(circle) for circle in nx.strongly_connected_components(graph) if len(circle) > 1] == []
