"""The validator: decides whether a candidate may be signed off.

Code decides a *check*; a *judge*, which is a model, decides a *criterion* in words. Both give *results*, and the
results make the *verdict*. A candidate takes this way:

    validator       runs the checks from the cheapest to the most expensive, then asks the judge
    checks          the table of deterministic checks, and which of them are quick enough for the event loop
    file_checks     the same for a candidate of several files, which candidate_files has for checks
    checking/       the checks, one function for each kind
    check_process   child processes with a time limit, for the checks that are not quick
    judge/          asks a model about the criteria, and believes its answer only as far as it can be verified
    invisible       characters that a reader does not see: checks and the judge must not be misled by them

A new kind of check is a function in checking/ and a line in the table of checks.py. Checks that need a program or an
app are CheckRunners: worker_svc.commands.checks and worker_svc.functions.checks.
"""
