"""All guards, collected from tables/."""

from __future__ import annotations

from tests.guards.tables import (
    accounts,
    conversation,
    core,
    door,
    files,
    files_of_workers,
    functions,
    inputs,
    judging,
    looking,
    money,
    outages,
    people,
    planner,
    prune,
    results,
    retries,
    reuse,
    simulation,
    storage,
    system,
    terminal,
    turns,
)

GUARDS = (*door.GUARDS, *core.GUARDS, *conversation.GUARDS, *storage.GUARDS, *simulation.GUARDS, *system.GUARDS,
          *functions.GUARDS, *judging.GUARDS, *money.GUARDS, *planner.GUARDS, *reuse.GUARDS, *turns.GUARDS,
          *outages.GUARDS, *inputs.GUARDS, *results.GUARDS, *retries.GUARDS, *people.GUARDS,
          *accounts.GUARDS, *terminal.GUARDS, *looking.GUARDS, *prune.GUARDS, *files.GUARDS,
          *files_of_workers.GUARDS)  # fmt: skip
