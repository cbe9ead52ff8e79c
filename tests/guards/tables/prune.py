"""Guards of what a prune takes away, and of what it leaves."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("what is at work is not pruned", "a prune while executions run, are paused or wait for a person"),
    Guard("the newest are kept", "a prune with --keep-last"),
    Guard("a stopped execution is as old as its last event", "an execution that was begun long ago is stopped today"),
    Guard("what is half removed is gone", "the runner is killed in the middle of a prune"),
    Guard(
        "contents that a start names are young",
        "files from long ago are given to a new execution, while another prunes",
    ),
    Guard("a content that is put again is young", "a result is made again whose bytes are there from long ago"),
    Guard("what a journal refers to is not dropped", "two executions have one content, and the first is pruned"),
    Guard("what running executions may keep is not dropped", "an execution waits for a worker, and its plan is pruned"),
    Guard("artifacts of what was pruned are not dropped", "a prune with --keep-artifacts"),
    Guard("a map that is being set is not dropped", "a plan is compiled anew and set during a prune"),
    Guard("what was pruned to its artifacts stays as it is", "a person retries a task whose history is gone"),
    Guard("nothing is written about what was pruned", "a worker comes late with a result for a pruned execution"),
    Guard("what was pruned to its artifacts outlives a checkpoint", "a checkpoint that a later version cannot read"),
    Guard("what was pruned to its artifacts keeps its place", "a checkpoint that cannot be read: it has no journal"),
    Guard("a reader of what is pruned is told so", "a client watches an execution while it is pruned"),
    Guard("errands are done on a durable state", "a prune while the journal is being written"),
    Guard("sums outlive what is pruned", "the executions are pruned in which validators judged canaries"),
    Guard("a person is asked before a prune", "a person sees what would go, and says no"),
    Guard("one prune or backup at a time", "a prune while a backup reads the contents"),
    Guard("what is restored is what was backed up", "a byte of an archive is another one"),
    Guard("no member leads out of the folder", "an archive from somewhere names ../../x"),
    Guard("a backup follows a link", "the file for a backup is a link to the archive of the day before"),
    Guard("a backup stays out of what it reads", "a person names the journal itself as the file for its backup"),
    Guard("a backup replaces nothing but an archive", "a person names their plan as the file for a backup"),
    Guard("a restore overwrites nothing", "a person restores into the folder that they work in"),
    Guard("a backup without an end is none", "the runner is killed in the middle of a backup"),
)
