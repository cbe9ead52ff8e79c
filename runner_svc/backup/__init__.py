"""Backups: all that a store keeps as a stream of parts, and a new store filled with them, of the same kind or another.

    export    the parts of a backup, read while the runner works
    filling   fills an empty store with them

The journal is the truth, so that a backup has no checkpoints, but for executions that have no journal. Events are read
first and contents afterwards: whatever an event names is there by then, and no prune is at work meanwhile.
"""
