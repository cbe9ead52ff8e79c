"""The real engine, services and workers in virtual time, over a network, a disk, processes and models that fail.

A `scenario` describes a world and its faults. It follows from a seed, and can be stored as JSON. The `world` plays it:
first chaos, then good weather in which everything must end. After every turn of the engine the witness checks every
promise. A failure is printed with its story; `shrink` makes its scenario small, `many` plays worlds on all cores.

    nature/     what happens to a world: virtual time, network, disk, crashes, bugs, and the faults that cause them
    players/    the processes of a world: runner, workers, models, people, watchers
    judge/      the witness and its oracle; `tries` is a second oracle, of what each try of a task is told

Run `python -m tests.simulation --seeds 1000`. A new kind of fault is a function in nature/faults.py and a draw in
scenario.py. A new promise is a check in judge/: in the ledger when rows of the journal show it, else in the witness.
A world that failed once is kept, shrunk, in regressions/.
"""
