"""The nature of a world: everything that may fail, replaced by a model that fails on purpose and by the seed.

clock      an event loop in virtual time, whose processes can be frozen and killed
network    streams that delay, lose, repeat, break and go silent
disk       the store, which refuses writes, or reports failures of writes that succeeded
crashing   named points at which a runner may die, and traps for them
bugs       places at which the runner's own code throws
host       starts the next runner when one has died
weather    the rates at which things go wrong now
faults     what each kind of fault of a scenario does; most of them set a rate, or call one of the above
"""
