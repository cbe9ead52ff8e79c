"""The core: signals in, a Decision out. It has no clock, no chance, no sockets and no database.

    machine = Machine()
    decision = machine.turn([signal, …])  # events, commands, and a reply to each signal

Its nouns: an **execution** runs a plan's **map**. A **task** of it has **attempts**, and each phase of an attempt is
given to a **worker** under a **lease**. A **signal** tells the core what was said or that time has passed. An **event**
is a fact; the events are the journal, and the state is their fold. A **command** is an order to a worker's session.

The packages, each of which has a page of its own:

    model/     the values: signals, events, commands, maps, states. They know nothing of the rest.
    state/     what is folded from the journal: executions, tasks, requests. A replay gives the same state.
    fleet/     the workers, their leases and deadlines. A restart may forget all of it.
    spending/  budgets: what attempts are expected to cost, and what is kept back for them.
    decide/    the rules: which events and commands follow from a signal.
    explain/   questions only: why a task waits, what is doubtful about a plan.

The way of a signal through a turn:

1. `Machine.turn` looks its handler up in a table: a function in decide/on_command, on_session, on_report or on_time.
2. The handler checks it, and emits events (`Turn.emit`) and orders commands (`Turn.order`). A refusal is raised as
   `Rejected` before anything is emitted, and becomes the reply. Long work is left in `Turn.later`, as steps.
3. `Turn.emit` applies the event at once (state/fold.py): the table of transitions (model/states.py) must allow it;
   state/task_events.py or state/lifecycle.py changes the record, state/progress.py the counters and queues.
4. `tidy_up` (decide/housekeeping.py) offers the new work of every execution that was touched, and ends executions
   in which nothing is left to happen.
5. After the last signal, `lend_all` (decide/assign.py) gives ready work to free workers.
6. The engine makes the events durable, then publishes them, then performs the commands.

Where a change goes:

- A new rule: a function in the module of decide/ that handles the signal or the failure it is about.
- A new event: a class in model/events.py; the statuses in which it may come, in model/states.py; the function that
  applies it, in state/task_events.py or state/lifecycle.py; its message in execution.proto and its row in the journal's
  codec. tests/runner_svc/core/state/test_fold.py names what is missing here.
- A new command from clients: a signal in model/signals.py, its handler in decide/on_command.py, and its name in
  state/requests.py, by the event that it leads to.
- A new order to workers: a class in model/commands.py, and its message in codec/frames.py.
"""
