"""Calls the functions of an app, as executors and as checks.

An *app* registers functions. A *callee* is a function that is ready to be called. It gets a *job*, made of the
assignment, and gives an *outcome*: Made, Judged or Broken. A *line* carries the function's reports meanwhile.

    loading      imports an app and makes its callees
    signature    reads a function's parameters and result type, once
    executor     the handler of tasks that are functions; checks: the runner of checks that are functions
    jobs         makes a job of an assignment
    places/      choose where the call runs: an event loop, a thread or a process
    calling      calls the function, with
    binding      the arguments, found by name among inputs and parameters, and
    returning    the returned value, which becomes a candidate or a judgement
    blame        finds the place in the user's code that failed, and the gist of the failure
    job          the values of all these; to_report: the line to the lease's report

User code never runs on the worker's own event loop. Only `executor`, `checks` and `jobs` import gRPC, directly or not:
the child processes do without it. A new kind of parameter goes into signature and binding.
"""
