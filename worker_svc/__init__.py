"""The worker: takes assignments from the runner, executes or validates them, and reports the results.

A *worker* has a *role*: an executor makes *candidates*, a validator gives *verdicts*. The runner sends an *assignment*
under a *lease*; a *handler* turns it into a *result* and tells its progress to a *report*.

    __main__      reads the settings and starts one worker a role
    handlers      builds the handler of a role from the worker's options
    link/         the stream to the runner: leases come in, reports and results go out
    outgoing      removes secrets from all that a handler returns or reports
    dispatch      picks the executor that a task names
    executor      asks a model for a candidate, with prompts/ and llm/
    functions/    calls the functions of an app
    commands/     runs programs
    validate/     judges a candidate: checks by code, then a model
    mock/         a model for tests and trials, without a network
    assignment    the values and protocols that all of these share
    known_makers  the makers of a worker in parts, as Hello tells them
    spent         costs; progress reports the pieces of a model's answer
    gist          the part of a failure that is the same each time
    pipes         frames between the worker and its child processes
    files/        files of candidates and inputs on the disk
    uncut         awaits work that a cancellation must not cut off

The folder has more than a dozen siblings: the values and the small handlers that the packages share stand beside them.

A new kind of executor is a Handler (assignment.py) that handlers.py registers; a new kind of check by code is a
function in validate/checking/, and a check that needs a program or an app is a CheckRunner.
"""

from signoff.service.forks import leave_grpc_out_of_forks

# Commands, functions and checks are processes that are started while the runner's stream is busy.
leave_grpc_out_of_forks()
