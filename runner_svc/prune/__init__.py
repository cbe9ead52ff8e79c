"""Pruning: takes away executions that came to rest long ago, and the contents and maps that nothing needs any more.

    pruner       one prune from its request to its last answer
    removal      takes executions away, some at a time, between two turns of the engine
    collection   finds the contents and maps that nothing refers to, and drops them
    exclusive    one prune or backup at a time
    references   the digests that something refers to, in bounded memory

An execution goes in one transaction: for every reader it is whole or gone, whenever the runner dies. What is left of it
on the disk goes later, in short steps beside the work.
"""
