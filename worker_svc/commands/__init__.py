"""Commands: programs that make candidates or check them, each in its own folder and under limits.

A *command* is the argv that a plan states. The *folder* of an attempt holds the task and its inputs as files. A
*launcher* process stands between the worker and the program: it sets limits, and leaves nothing behind. A *sink* takes
the program's output while it runs.

    executor     the handler of tasks that are commands: standard output, or what is in outputs/, becomes the candidate
    checks       the runner of checks that are commands: the exit code decides
    run          runs one command from its folder to its end; both modules above use it
    folder       writes and removes the folder
    arguments    fills the placeholders of argv
    named_files  the digests of the files that arguments name: a part of what makes a candidate
    process      starts the launcher, passes output on, and waits for the end
    launcher     the launcher's own program, which imports nothing of signoff
    output       sinks: the whole output, its tail, thinking aloud
    exit_codes   the meaning of a program's end

A new exit code goes into exit_codes and the table of docs/reference/commands.md; a new limit into launcher.
"""

from worker_svc.commands.checks import CommandChecks
from worker_svc.commands.executor import CommandExecutor

__all__ = ["CommandChecks", "CommandExecutor"]
