-- The state as of the events up to `position`, so that a restart need not replay them. It can be emptied at any time
-- (position 0, and no rows in the other two): the journal is the truth.
CREATE TABLE runner_checkpoint (
    position INTEGER NOT NULL,
    body     BLOB    NOT NULL
) STRICT;
INSERT INTO runner_checkpoint VALUES (0, x'');

-- `number` is the order in which the executions were created.
CREATE TABLE execution_checkpoint (
    number  INTEGER PRIMARY KEY,
    journal TEXT NOT NULL UNIQUE,
    body    BLOB NOT NULL
) STRICT;

CREATE TABLE task_checkpoint (
    journal TEXT    NOT NULL,
    number  INTEGER NOT NULL,
    body    BLOB    NOT NULL,
    PRIMARY KEY (journal, number)
) STRICT, WITHOUT ROWID;
