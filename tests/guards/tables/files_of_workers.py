"""The promises of workers about results with several files."""

from __future__ import annotations

from tests.guards import Guard

GUARDS = (
    Guard("only files are results", "a program leaves a link, a pipe or a second name of another file in its folder"),
    Guard("no link in a folder of files is followed", "a folder of a result is a link out of it"),
    Guard("a file that changes while it is read is refused", "a process writes a file while it is measured"),
    Guard("no key leaves a worker in a text", "a program writes the worker's environment into a file"),
    Guard("no key leaves a worker in a file that is no text", "a program puts a key into a picture"),
    Guard("only folders of dead workers are removed", "a worker starts beside another one"),
    Guard("files of inputs are gone with the work", "work with files ends, or is cancelled"),
    Guard("cancelled work with files has ended before its folder goes", "work is cancelled while it reads files"),
    Guard("each file of an input has its digest", "the bytes of a file are changed on the way"),
    Guard("a worker takes only the files of the manifest", "a runner sends other files than the manifest names"),
    Guard("only what is missing is sent", "a stream of files breaks in the middle"),
    Guard("contents wait for a runner that is away", "the runner is away while contents are brought or fetched"),
    Guard("what does not pass is tried a few times", "the runner's store has lost an input for good"),
    Guard("a lease that has ended ends its uploads", "a lease ends while its files are brought"),
    Guard("only what pictures show needs no quotation", "a judge sees pictures, and passes what the texts must say"),
    Guard("a status that comes after its write has failed", "a service refuses a stream while it is written"),
)
