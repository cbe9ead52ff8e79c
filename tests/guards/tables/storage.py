"""Guards of the stores, of the engine that writes to them, and of its checkpoints."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("a runner stands by", "the first of two runners freezes, and wakes after the second has taken over"),
    Guard("a standby is not taken for the one that serves", "one of two runners stands by"),
    Guard("a runner that is lost to one call is not taken from the others", "one call of many to a runner fails"),
    Guard("a stream is read in time", "a client opens a stream and never reads it"),
    Guard("a content is read once", "a hundred clients ask for the same large artifact"),
    Guard("bytes that are sent at once", "clients ask for many large artifacts and do not read them"),
    Guard("the silent make room", "hundreds of connections to the metrics are held open without a request"),
    Guard("a request comes in time", "a connection to the metrics never sends its request"),
    Guard("metrics are taken in time", "a reader of the metrics takes nothing"),
    Guard("labels that a page can carry", "a model's name has half a character in it"),
    Guard("written into what is no file", "a person names a device or a pipe where a file would do"),
    Guard("links are followed", "a person names a link to the file that is meant"),
    Guard("a part is a new file", "a link to another file stands where the new content is written first"),
    Guard("names stay inside", "a rogue planner names a task ../../x"),
    Guard("no link is followed inside", "the folder of a task is a link to another place"),
    Guard("a folder that went meanwhile is made again", "a person removes db/{plan_id} while its outputs are written"),
    Guard("rebuild after a refused write", "the store refuses a write that the machine has decided already"),
    Guard("remember before telling", "a caller is answered, and the write fails"),
    Guard("told when the runner ends", "a caller asks while the runner ends"),
    Guard("one runner in a folder", "a second runner is started on the same data directory"),
    Guard("newer journal", "a journal that a newer version has written"),
    Guard("older journal", "a journal that an older version has written"),
    Guard("one transaction a turn", "the disk is full in the middle of a write"),
    Guard("next row only", "a row is left out of a journal"),
    Guard("epoch of each write", "a runner that was frozen writes after another one has taken over"),
    Guard("epoch over", "a runner that was frozen writes after another one has taken over"),
    Guard("deadline of the owner", "the runner that owns the database dies"),
    Guard("one clock for a take", "the owner freezes inside a transaction just as another runner takes the database"),
    Guard("ownership is renewed", "nothing is written for longer than the lease"),
    Guard("unknown outcome", "the connection is lost while a write is under way, which arrives later"),
    Guard("restart from the checkpoint", "a history that has grown long"),
    Guard("checkpoint keeps every change", "a restart after a command that changed tasks without naming them"),
    Guard("restored counters", "a restart from a checkpoint"),
    Guard("files before the archive", "the runner dies between the end of an execution and the writing of its files"),
    Guard("no checkpoint of what is not durable", "the runner is told to end in the middle of a commit"),
    Guard("a bug ends no loop", "a frame makes the core throw"),
    Guard("a bug after the commit", "an observer or the performer throws when everything is durable"),
    Guard(
        "what was decided before a rebuild is not committed after it",
        "an observer throws while the next commands are decided",
    ),
    Guard("a command that cannot be replayed still counts once", "replaying a command throws, and a client repeats it"),
    Guard("a repeated resume leaves the quarantine as it is", "a client sends a resume again, or with a used id"),
    Guard("a repeated command is answered in quarantine too", "a client repeats a command of which it heard no answer"),
    Guard("workers that were told to stop do not hold leases", "an execution comes back from quarantine"),
    Guard("nothing is kept that is not in the journal", "a bug lets the state run ahead of the journal"),
    Guard("checkpoints ahead of their journal", "a version that kept a torn state has left its checkpoint"),
    Guard(
        "a false checkpoint is replaced at once", "a false checkpoint, and a runner that goes on and is started again"
    ),
    Guard("an execution that cannot be replayed is quarantined", "a row of a journal that this version cannot read"),
    Guard("quarantine outlives checkpoints", "a checkpoint is taken while an execution is in quarantine"),
    Guard("executions are kept in the order of their creation", "one is taken in late, or the clock is set back"),
    Guard("the journal alone names the plan", "the first event of an execution could not be read for a while"),
    Guard("a plan that was unreadable gets its execution back", "its first event could not be read for a while"),
    Guard(
        "an execution that throws as time passes is quarantined",
        "an execution that makes the core throw whenever the clock is looked at",
    ),
    Guard("two workers and a bug", "every worker that reports on an execution makes the core throw"),
    Guard("a row that no message holds is cut", "an event has grown larger than a message, and a backup is made"),
    Guard("pieces of a row are put together", "a backup has a row in pieces"),
    Guard("JSON as it is", "an artifact with half an emoji, or with more digits than a double has"),
)
