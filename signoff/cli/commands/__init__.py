"""The commands as people type them: the arguments, flags and help of each.

    plans       run, submit, diff, compile, graph: what takes a plan file
    services    serve, ui, worker, conformance: what starts services or workers, or checks a worker
    follow      watch, top
    questions   status, why, story, cost, workers
    results     artifact, candidate, export, prompt, thinking
    control     pause, resume, stop, budget, retry
    verdicts    approve, reject
    keeping     prune, backup, restore

A command is a function, with the names of signoff.cli.flags as the types of its parameters. A parameter whose type is a
group of signoff.cli.flag_groups stands for all flags of the group. The work is done by a module of another package,
which the command imports when it runs. The table in signoff.cli.app gives each command its name and its place in
`signoff --help`.
"""
