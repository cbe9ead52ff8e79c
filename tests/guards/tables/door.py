"""Guards of the HTTP door."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("contents are not whole before their last piece", "the disk changes a result that a browser downloads"),
    Guard("only known hosts", "a name of an attacker leads to this machine, and the user's browser follows it"),
    Guard("only pages of this door", "a page of another site sends a command by the user's browser"),
    Guard("nothing is told of tasks in quarantine", "a client asks for a task of a quarantined execution"),
    Guard("only JSON is taken", "a form of another site sends a command by the user's browser"),
    Guard("other addresses need a token", "the door is started where others reach it, without a token"),
    Guard("the token is required", "a client has no token"),
    Guard("the token is compared whole", "a client has some text for a token"),
    Guard("read-only changes nothing", "a command comes to a door that is read-only"),
    Guard("unknown fields are refused", "a client misspells a field"),
    Guard("bodies are bounded", "a client sends a body without end"),
    Guard("a cursor is whole", "a cursor was cut off on its way"),
    Guard("every event once", "the runner dies while a stream is open"),
    Guard("event streams are bounded", "a client opens streams without end"),
    Guard("a head in time", "a client begins a request and does not end it"),
    Guard("an answer is taken in time", "a client asks for much and reads nothing"),
    Guard("active contents are downloads", "a model makes a page with a script"),
    Guard("contents are in a sandbox", "a model makes a page with a script"),
    Guard("files are no documents", "a program makes a page with a script beside its chart"),
    Guard("active files are downloads", "a program draws an SVG with a script"),
    Guard("files are in a sandbox", "a program makes a page with a script beside its chart"),
    Guard("paths of files are checked", "a client asks for ../../etc/passwd among the files of a result"),
    Guard("files of the bundle alone", "a client asks for ../../etc/passwd"),
    Guard("a run without a terminal ends", "a script runs a plan with the page"),
    Guard("silent connections make room", "a thousand connections are open and say nothing"),
    Guard("a socket file in use stays", "a second service is started at the same `unix:` path"),
)
