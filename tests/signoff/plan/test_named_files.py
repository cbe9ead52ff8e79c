"""Some arguments of a program are files that lie outside its own folder; others only look like it."""

from __future__ import annotations

import pytest

from signoff.plan.named_files import files_named_in


@pytest.mark.parametrize(
    ("argv", "paths"),
    [
        (["/opt/tools/clean", "--strict"], ("/opt/tools/clean",)),
        (["python3", "/srv/clean.py", "{input:raw}"], ("/srv/clean.py",)),
        (["tool", "--config=/etc/tool.toml", "-c=/etc/b"], ("/etc/tool.toml", "/etc/b")),
        (
            ["cat", "/srv/with space and \n break.txt", "/srv/a", "/srv/a"],
            ("/srv/with space and \n break.txt", "/srv/a"),
        ),
    ],
)
def test_an_argument_that_is_a_path_names_a_file(argv: list[str], paths: tuple[str, ...]) -> None:
    assert files_named_in(argv) == (paths, True)


@pytest.mark.parametrize(
    "argument",
    [
        "-u",
        "{inputs}/a.csv",
        "{input:a/b}",
        "out/report.md",
        "./run",
        "s/a/b/g",
        "https://example.org/x",
        "//",
        "1/2",
        "a / b",
        "f.rpartition('/')",
        "glob('{input:sales}/*.csv')",
        "/",
        "",
    ],
)
def test_what_is_no_path_out_of_the_folder_names_no_file(argument: str) -> None:
    assert files_named_in(["tool", argument]) == ((), True)


@pytest.mark.parametrize(
    "argument",
    [
        "open('/etc/hosts')",
        'cat "/etc/hosts"',
        "cd /srv && make",
        "A=1:/usr/share",
        "../neighbour/task.json",
        "x=$(</etc/hosts)",
        "[/srv/a,/srv/b]",
        "file:/etc/hosts",
    ],
)
def test_a_path_inside_other_text_may_be_one(argument: str) -> None:
    assert files_named_in(["sh", "-c", argument]) == ((), False)
