"""The command line. Each command imports what it needs when it runs, so that `signoff --help` is there at once.

    app                the program: its commands, and errors as exit codes
    plan_commands      run, submit, compile, graph
    service_commands   serve, ui, worker, conformance
    remote             commands that ask or control a runner that is there already; backup and restore
    flags              arguments and flags that several commands share
    run                the work of run, submit, serve, worker, compile
    graph              that of graph
    archive            that of backup and restore
    conformance        that of conformance
    watch              follows an execution: a screen, lines, or JSON
    top                follows and steers it on the whole terminal
    show               tables and amounts: how answers are printed

A new command is a function in one of the modules of commands, with its flags and its help. A module of its own does the
work: it gets a CommandOutput and returns an exit code.
"""

from signoff.cli.app import main

__all__ = ["main"]
