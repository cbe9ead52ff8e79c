"""The work of the commands that ask or control a runner that is there already.

    find_runner   finds the runner: at an address, on a data directory, or a temporary one
    ask           status, why, story, workers, and budgets as they are
    artifact      artifact
    listing       status without a plan: the list of executions
    cost          cost
    candidate     candidate, and the preview before a verdict
    result_files  files of results: a table, one of them, all in a folder, and how two results differ
    export/       export: all signed-off results in a folder
    prompt        prompt and thinking
    judge         approve and reject
    prune         prune: what would go, a question, and the removal
    control       pause, resume, stop, retry, and setting a budget

Each command reaches a runner with `find_runner.reach`, finds the execution by its plan or id, and prints the answer
through a CommandOutput. A new command is declared in signoff.cli.commands and has its work in a module of its own.
"""
