"""`signoff graph`: a plan's graph without any service, in each form, and the diagnostics of a broken plan."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.json_format import ParseDict

from signoff.cli.flags import GraphForm
from signoff.cli.graph.graph_plan import graph_plan
from signoff.cli.show.output import CommandOutput
from signoff.errors import ConfigurationError
from signoff.v1 import plan_pb2
from tests.support.processes.commands import environment
from tests.support.processes.screens import Terminal, lines_of, notes_of, piped
from tests.support.values.trees import RawTask, atomic, group, plan_json

GARDEN = (group("1"), atomic("1_1"), atomic("1_2"), atomic("2", "1"))


def written(folder: Path, *tasks: RawTask) -> str:
    file = folder / "garden.json"
    file.write_bytes(plan_json(*tasks))
    return str(file)


def shown(
    plan: str,
    output: CommandOutput,
    *,
    form: GraphForm = GraphForm.TEXT,
    classes: bool = True,
    file: Path | None = None,
) -> int:
    return graph_plan(plan, str(file) if file else None, output, form=form, classes=classes, infer=True)


def test_text_is_what_is_shown_when_nothing_is_asked_for(tmp_path: Path) -> None:
    output = piped()

    assert shown(written(tmp_path, *GARDEN), output) == 0
    assert lines_of(output)[0] == "garden: 3 tasks in 2 stages, 1 group"


def test_the_diagnostics_go_to_standard_error(tmp_path: Path) -> None:
    output = piped()
    shown(written(tmp_path, *GARDEN), output)

    assert any("no-criteria" in note for note in notes_of(output))


def test_a_plan_with_errors_gets_every_diagnostic_and_no_graph(tmp_path: Path) -> None:
    output = piped()

    assert shown(written(tmp_path, atomic("1", "3"), atomic("1")), output) == 2
    told = "\n".join(notes_of(output))
    assert "duplicate-id" in told
    assert "unknown-dependency" in told
    assert lines_of(output) == []


def test_a_plan_that_is_not_there_is_blamed() -> None:
    with pytest.raises(ConfigurationError, match=r"^expected a plan file, but there is no nowhere\.json$"):
        shown("nowhere.json", piped())


@pytest.mark.parametrize(("columns", "width"), [(20, 40), (100, 100), (300, 120)])
def test_lines_are_as_wide_as_the_terminal_within_bounds(
    columns: int, width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    output = CommandOutput(out=Terminal(), err=io.StringIO())
    shown(written(tmp_path, atomic("1", description="x" * 500)), output)

    assert max(map(len, lines_of(output))) == width


def test_a_program_gets_the_layout_with_its_header(tmp_path: Path) -> None:
    output = piped(as_json=True)

    assert shown(written(tmp_path, *GARDEN), output) == 0
    (line,) = lines_of(output)
    record = json.loads(line)
    layout = ParseDict(record["layout"], plan_pb2.LayoutPart())
    assert record["header"]["planId"] == "garden"
    assert [(node.task_id, node.task_count) for node in layout.drawn_nodes] == [("1_1", 2), ("2", 1)]
    assert [(edge.from_id, edge.to_id) for edge in layout.drawn_edges] == [("1", "2")]


@pytest.mark.parametrize("form", GraphForm)
def test_a_graph_goes_into_a_file_when_asked(form: GraphForm, tmp_path: Path) -> None:
    there, here, file = piped(), piped(), tmp_path / "out" / "graph"
    plan = written(tmp_path, *GARDEN)
    shown(plan, there, form=form)

    assert shown(plan, here, form=form, file=file) == 0
    assert file.read_text() == "".join(f"{line}\n" for line in lines_of(there))
    assert lines_of(here) == []


def test_a_file_that_cannot_be_written_is_blamed(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^expected a file, a pipe or a device, but .* is a folder$"):
        shown(written(tmp_path, *GARDEN), piped(), file=tmp_path)


def test_without_classes_each_task_is_a_node(tmp_path: Path) -> None:
    output = piped()
    shown(written(tmp_path, *GARDEN), output, form=GraphForm.MERMAID, classes=False)

    assert [line.strip() for line in lines_of(output) if "_" in line] == [
        'n0["1_1 do 1_1"]',
        'n1["1_2 do 1_2"]',
    ]


def test_a_flowchart_that_is_too_large_for_mermaid_comes_with_a_note(tmp_path: Path) -> None:
    output = piped()
    chain = [atomic(str(n), *([str(n - 1)] if n > 1 else [])) for n in range(1, 600)]
    shown(written(tmp_path, *chain), output, form=GraphForm.MERMAID)

    assert "Mermaid draws at most 500 edges" in notes_of(output)[-1]
    assert "but here are 598 and " in notes_of(output)[-1]


def test_the_command_works_from_a_shell_and_from_a_pipe(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "signoff.cli", "graph", "-", "--format", "mermaid", "--no-classes"]
    ran = subprocess.run(
        command, input=plan_json(*GARDEN), capture_output=True, env=environment(), cwd=tmp_path, check=True
    )

    assert ran.stdout.decode().splitlines()[-1] == "  g0 --> n2"


def test_a_form_that_is_not_known_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "signoff.cli", "graph", "-", "--format", "dot"]
    ran = subprocess.run(command, input=b"", capture_output=True, env=environment(), cwd=tmp_path, check=False)

    assert ran.returncode == 2
    assert "is not one of 'text', 'mermaid'" in ran.stderr.decode()


@pytest.mark.guard(name="no command writes over what it reads")
@pytest.mark.parametrize("as_json", [False, True])
def test_a_graph_is_not_written_over_its_plan(as_json: bool, tmp_path: Path) -> None:
    plan = Path(written(tmp_path, *GARDEN))
    before = plan.read_bytes()
    with pytest.raises(ConfigurationError, match="expected another file for the answer"):
        shown(str(plan), piped(as_json=as_json), file=plan)
    assert plan.read_bytes() == before
