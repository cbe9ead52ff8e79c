"""Data of earlier versions, which this version must open, read as they did, and go on with.

Each folder named after a version or a commit has data folders (*.tar.xz) and databases (*.sql.xz) of that version, each
with the version's own answers about it (*.json). test_stored opens all of them, test_files those with results of files,
and test_poisoned those that a version died of.

    make       makes the fixtures, run from a checkout of the version; CONTRIBUTING.md says when
    healthy    the story of a data folder with every kind of thing that a runner stores: `plans` has its plans,
               `shop` and `troubles` are parts of it
    poisons    the stories of data folders that a version died of
    world      the version's planner and runner as processes; `crew` is their workers, `messages` what those say,
               `postgres` their other store
    answers    a runner's answers as JSON, to keep and to compare
    opened     data laid out and opened by this version; `pack` makes and unpacks the archives

A version whose data differs adds a folder and changes nothing in the others. The story is that of the present version,
and grows with it: one without some kind of event makes no fixture. What a folder has beyond that is in its own README;
47ee0cd, the first, knew neither files nor inputs, kept no results, and met every failure as one of the task.
"""
