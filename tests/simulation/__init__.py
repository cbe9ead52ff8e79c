"""The real engine, services and workers in virtual time, over a network, a disk, processes and models that fail.

A scenario (scenario.py) says what a world has and which faults befall it; it follows from a seed, and can be written
down. The world (world.py) plays it. After every turn of the engine the witness (witness.py) checks every promise.

    clock      an event loop in virtual time, whose processes can be frozen and killed
    network    streams that delay, lose, repeat, break and go silent
    disk       a store that refuses, lies about it, and loses its computer at the worst moment
    crashing   the named points at which a runner may die
    bugs       places at which the runner's own code throws
    models     a scripted model and a scripted judge; liar.py falsifies what workers send
    runner, workers, people, watchers      the processes of a world; host.py starts runners again
    faults     what each kind of fault does; weather.py what goes wrong at the moment
    ledger     what each row of the journal may say, by an oracle of its own
    shrink     from a scenario that fails to a small one that fails in the same way
    many       all of it, on all cores
"""
