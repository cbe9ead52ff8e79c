"""The command line. Each command imports what it needs when it runs, so that `signoff --help` is there at once.

    app           the commands that start services or compile plans; turns errors into exit codes
    flags         arguments and flags that several commands share
    conformance   `signoff conformance`
    run           run, submit, serve, worker, compile
    graph         graph
    remote        commands that ask or control a runner that is there already
    watch         follows an execution: a screen, lines, or JSON
    show          tables, sentences and amounts: how answers are printed

A new command is a function in `app` or `remote.commands` with its flags and its help; the work is done by a module of
its own, which gets a CommandOutput and returns an exit code.
"""

from signoff.cli.app import main

__all__ = ["main"]
