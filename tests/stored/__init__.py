"""Data of earlier versions, which this version must open, read as they did, and go on with.

Each folder named after a commit has data folders (*.tar.xz) and databases (*.sql.xz) of that version, each with the
version's own answers about it (*.json). test_stored opens all of them.

    make       makes the fixtures, run from a checkout of the version
    healthy    the story of a data folder with every kind of thing that a runner stores
    poisons    the stories of data folders that a version died of
    world      the version's planner and runner as processes; `crew` is their workers, `postgres` their other store
    answers    a runner's answers as JSON, to keep and to compare
    opened     a data folder opened by this version; `pack` makes and unpacks the archives

A version whose data differs adds a folder and changes nothing in the others.
"""
