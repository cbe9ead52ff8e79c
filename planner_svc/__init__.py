"""The planner: a compiler from plans to execution maps, and the service around it.

Nouns: a `Plan` is plan.json, read into frozen values (model.py). A `Diagnostic` is an error or a warning about it; the
codes are listed in diagnostics.py. An `ExecutionMap` is what a plan compiles to: atomic tasks and groups in natural
order, with what each waits for and its stage (execution_map.py). The runner executes it.

The way of a plan through the compiler (compiler.py):

    bytes -> read/ -> Plan -> graph/ -> ExecutionMap -> layout/ -> wire/ -> map.pb, execution.json, the response

The way of a call through the service (service.py):

    uploads.py    receives plan.json into a file; no plan is held in memory
    processes/    compiles it in a process that can be ended; staging.py writes the new files beside the old ones
    store.py      puts the files into place, lists plans, and streams maps from map.pb

The folder has more than a dozen siblings: the values that all parts share stand beside the compiler and the service,
and each package is one step of the way.

A new rule for plans is a function of graph/rules.py with a code in diagnostics.py. A new field is an entry of
read/vocabulary.py with a reader in read/. A new kind of check begins in checks/kinds.py. A new form of criterion is a
row of criteria/criteria.py. docs/reference/plans.md is the reference for the authors of plans; tests hold it to the
code.
"""

from signoff.service.forks import leave_grpc_out_of_forks

# A plan is checked in processes that are started while calls come in: at every pause in a person's typing.
# guard: the planner's forks leave gRPC alone -> pass
leave_grpc_out_of_forks()
