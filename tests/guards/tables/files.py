"""Guards of results with several files: brought under leases, named by a manifest, kept, sent and dropped."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard(
        "names of files are as short as disks want them", "a file has a name of 300 characters, and no folder takes it"
    ),
    Guard("paths of files are not deep", "a manifest of a megabyte has paths through a million folders"),
    Guard("what no event has named is there for its lease alone", "two attempts make one picture, and the first fails"),
    Guard("what an event names stays", "a candidate of files is stored, and leftovers are removed an hour later"),
    Guard("what a living lease has brought stays", "an attempt makes files for longer than uploads are kept"),
    Guard("files of a candidate stay", "a candidate of files is stored, and leftovers are removed"),
    Guard("half an object is gone after a restart", "the runner is killed in the middle of an upload"),
    Guard("an object is on the disk before an event names it", "the power fails right after a candidate is stored"),
    Guard("an object whose row is to come stays", "a file is brought while leftovers are removed"),
    Guard("a file has its digest", "a byte of a large file changes on its way"),
    Guard("a small file has its digest", "a byte of a small file changes on its way"),
    Guard("files of an upload are bounded", "a worker brings files without an end"),
    Guard("what a lease brings is bounded", "a worker fills the disk by many uploads under one lease"),
    Guard("a worker leaves places to others", "a worker leaves all its uploads half open"),
    Guard("a worker has few uploads", "a worker opens thousands of uploads that wait, each with a message in memory"),
    Guard("an upload ends with its lease", "a worker that was given up goes on to send, as slowly as it may"),
    Guard("manifests are read a few at a time", "a thousand clients ask for files of one large manifest at once"),
    Guard("a file is no folder of another", "a manifest has a file charts and a file charts/a.png"),
    Guard("an input is no manifest", "a client says that a file of an input is a manifest, and workers look for files"),
    Guard("files come under leases that are held", "a worker that was given up fills the store"),
    Guard("files come before the candidate that names them", "a worker names files that it has not brought"),
    Guard("a manifest tells the sizes of its files", "a manifest says that a file has another size than it has"),
    Guard(
        "files that a manifest names are not dropped", "an execution is pruned that has a file with another in common"
    ),
    Guard("a worker that knows no files is given none", "a worker of an earlier version is connected"),
    Guard("who reads files can read them", "a worker of an earlier version is connected, and a task reads files"),
    Guard("other files are other work", "a task is asked for one more file than the result that is kept has"),
    Guard("who sees pictures judges otherwise", "a judge is to see pictures that were signed off unseen"),
    Guard("leftovers are looked for after a bug in a turn", "a turn of the engine throws while files are looked for"),
    Guard("a bug beside the engine ends no runner", "what writes files for people has a bug"),
)
