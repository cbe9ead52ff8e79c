"""The command line. Each command imports what it needs when it runs, so that `signoff --help` is there at once.

    app           the program: its commands by name, and errors as exit codes
    commands      the commands as people type them: flags and help
    flags         arguments and flags that several commands share
    flag_groups   flags that several commands take together
    run           the work of run, submit, diff, serve, ui, worker, compile
    remote        that of the commands that ask or control a runner that is there already
    graph         that of graph
    archive       that of backup and restore
    conformance   that of conformance
    watch         follows an execution: a screen, lines, or JSON
    top           follows and steers it on the whole terminal
    show          tables and amounts: how answers are printed

A new command is a function in one of the modules of commands, with its flags and its help, and a line in the table in
`app`. A module of its own does the work: it gets a CommandOutput and returns an exit code.
"""

from collections.abc import Sequence
from typing import NoReturn

from signoff.service.standard_streams import open_closed_streams


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the program `signoff` and exits."""
    open_closed_streams(answers=True)  # before anything is imported that looks at them
    from signoff.cli.app import main as run

    run(arguments)


__all__ = ["main"]
