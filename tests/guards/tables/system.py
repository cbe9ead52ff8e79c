"""Guards that only real processes and sockets show."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard(
        "json tells what the snapshot covers", "an execution has begun before the command that started it watches it"
    ),
    Guard(
        "services are taken over at their addresses",
        "the command that had started the services ends while another one uses them",
    ),
    Guard(
        "a plan is not given to workers of another kind",
        "a second run in a folder asks for another model than the first",
    ),
    Guard("leases outlive the runner", "kill -9 of the runner while workers hold leases"),
    Guard(
        "who stays away loses it", "kill -9 of a worker that is not started again, or SIGSTOP for longer than the grace"
    ),
    Guard("back with empty hands", "kill -9 of a worker that is started again at once"),
    Guard("a silent worker is missed", "a worker that is frozen, or a line to it that delivers nothing"),
    Guard("a silent runner is missed", "a runner that is frozen, or a line to it that delivers nothing"),
    Guard("kept and told so", "SIGSTOP of a worker or the runner for less than the grace"),
    Guard("what fits is finished", "SIGTERM of a busy worker"),
    Guard("the rest is given back", "SIGTERM of a busy worker"),
    Guard("pings keep lines busy", "a network that cuts idle lines after more than the pause between two pings"),
    Guard("a lost stream is no refusal", "a network that cuts idle lines faster than pings come"),
    Guard("an end without goodbye is a loss", "lines that end cleanly, by FIN both ways"),
    Guard("results wait for a line", "lines that are reset, and none to be had for a while"),
    Guard("the journal is asked until it answers", "kill -9 of PostgreSQL under the running system"),
    Guard("a machine that went ahead is dropped", "a full disk"),
    Guard("jitter", "500 workers that lost the same runner"),
    Guard("killed before it listens", "the machine runs out of memory just as the services start"),
    Guard("deaths of long ago do not count", "a service dies for the fourth time in a year"),
    Guard("no proxy to this machine", "a user works behind a proxy"),
    Guard("the working directory is not imported", "a file called random.py lies beside the plan"),
    Guard("broken variables are named at the start", "ALL_PROXY=socks:// stands in the environment"),
    Guard("who ignores SIGHUP goes on", "nohup signoff run, and the terminal is closed"),
    Guard("a full disk ends no log", "the disk is full when a line is to be logged"),
    Guard("an id is one file's", "two folders called job have a plan each"),
    Guard("a look at a budget changes nothing", "a person looks at the budget of a run"),
    Guard("a note is a file", "a pipe stands where a runner's address is kept"),
    Guard("a manifest says what it must", "an archive's manifest has a text where a number belongs"),
)
