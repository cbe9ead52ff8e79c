"""Guards of the stores, of the engine that writes to them, and of its checkpoints."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard(
        name="rebuild after a refused write",
        file="runner_svc/engine.py",
        code="            if self._failure is not None:\n                await self._rebuild()\n",
        without="            self._failure = None\n",
        fault="the store refuses a write that the machine has decided already",
    ),
    Guard(
        name="remember before telling",
        file="runner_svc/engine.py",
        code="        await self._remember(batch)\n",
        without="        _deliver(batch.answers)\n        await self._remember(batch)\n",
        fault="a caller is answered, and the write fails",
    ),
    Guard(
        name="told when the runner ends",
        file="runner_svc/engine.py",
        code="            self._ended = True\n",
        without="",
        fault="a caller asks while the runner ends",
    ),
    Guard(
        name="one runner in a folder",
        file="runner_svc/store/sqlite.py",
        code="        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\n",
        without="        pass\n",
        fault="a second runner is started on the same data directory",
    ),
    Guard(
        name="newer journal",
        file="runner_svc/store/sqlite.py",
        code="    if version > len(scripts):\n",
        without="    if version < 0:\n",
        fault="a journal that a newer version has written",
    ),
    Guard(
        name="older journal",
        file="runner_svc/store/sqlite.py",
        code="    _migrate(db)\n",
        without='    if db.execute("PRAGMA user_version").fetchone()[0] == 0:\n        _migrate(db)\n',
        fault="a journal that an older version has written",
    ),
    Guard(
        name="one transaction a turn",
        file="runner_svc/store/sqlite.py",
        code='    db.execute("BEGIN IMMEDIATE")\n    try:\n        write()\n        db.execute("COMMIT")\n',
        without="    try:\n        write()\n",
        fault="the disk is full in the middle of a write",
    ),
    Guard(
        name="next row only",
        file="runner_svc/store/sqlite.py",
        code="    _check_sequences(db, rows)\n\n",
        without="",
        fault="a row is left out of a journal",
    ),
    Guard(
        name="epoch of each write",
        file="runner_svc/store/migrations_postgres/0003_checkpoint.sql",
        code="    PERFORM signoff.own(own_epoch, lease);\n",
        without="",
        fault="a runner that was frozen writes after another one has taken over",
    ),
    Guard(
        name="epoch over",
        file="runner_svc/store/migrations_postgres/0001_owner.sql",
        code="WHERE epoch = own_epoch;\n",
        without=";\n",
        fault="a runner that was frozen writes after another one has taken over",
    ),
    Guard(
        name="deadline of the owner",
        file="runner_svc/store/postgres_ownership.py",
        code="WHERE deadline <= now() OR owner = $1 RETURNING epoch",
        without="WHERE deadline <= now() - interval '1 hour' OR owner = $1 RETURNING epoch",
        fault="the runner that owns the database dies",
    ),
    Guard(
        name="one clock for a take",
        file="runner_svc/store/postgres_ownership.py",
        code="WHERE deadline <= now() OR owner = $1 RETURNING epoch",
        without="WHERE deadline <= clock_timestamp() OR owner = $1 RETURNING epoch",
        fault="the owner freezes inside a transaction just as another runner takes the database",
    ),
    Guard(
        name="ownership is renewed",
        file="runner_svc/store/postgres.py",
        code="                await self._writer.run(self._ownership.renew)\n",
        without="                await asyncio.sleep(0)\n",
        fault="nothing is written for longer than the lease",
    ),
    Guard(
        name="unknown outcome",
        file="runner_svc/store/postgres_ownership.py",
        code="SET epoch = epoch + 1, deadline",
        without="SET epoch = epoch, deadline",
        fault="the connection is lost while a write is under way, which arrives later",
    ),
    Guard(
        name="restart from the checkpoint",
        file="runner_svc/recovery.py",
        code="        return found.position\n",
        without="        state.__init__(state.roster.timings)\n        return 0\n",
        fault="a history that has grown long",
    ),
    Guard(
        name="checkpoint keeps every change",
        file="runner_svc/core/lifecycle.py",
        code="    execution.changed |= execution.stuck\n",
        without="",
        fault="a restart after a command that changed tasks without naming them",
    ),
    Guard(
        name="restored counters",
        file="runner_svc/core/restoring.py",
        code="    execution.count_anew()\n",
        without="",
        fault="a restart from a checkpoint",
    ),
    Guard(
        name="files before the archive",
        file="runner_svc/recovery.py",
        code="execution.state.is_final and is_settled(execution.map.plan_id)",
        without="execution.state.is_final",
        fault="the runner dies between the end of an execution and the writing of its files",
    ),
    Guard(
        name="no checkpoint of what is not durable",
        file="runner_svc/engine.py",
        code="        if self.is_ahead:\n            return\n",
        without="",
        fault="the runner is told to end in the middle of a commit",
    ),
    Guard(
        name="a bug ends the runner",
        file="runner_svc/engine.py",
        code="            self._committing.result()  # raises the bug that ended it\n",
        without="            pass\n",
        fault="an observer or the performer raises after a commit",
    ),
)
