"""Files of candidates and inputs on the worker's disk.

A *folder* holds the files of a result by their paths, which are checked before anything is opened: no link is followed,
and only regular files are read. What a program or a function wrote is first *collected*, then *cleaned* of secrets,
then *measured*. No whole file is ever in memory.

    scratch      the folder of this process for all of its temporary files; removes those of workers that were killed
    aside        runs such work in a thread, with progress and cancellation
    opening      opens files and folders below a folder
    outputs      makes a candidate of what was written, with the modules below
    collecting   finds the files that a task's patterns match
    measuring    size, digest and media type of each file
    cleaning     takes secrets out of texts, and refuses other files that have one
    receiving    writes files that come in a stream of messages, and checks each of them

A new rule about files that a candidate may have goes into collecting.
"""
