-- The index of executions: a row for each, with what lists are filtered by. It is written in the transaction of the events
-- that change it. `number` is the order in which the executions were created; `text` is searched for parts of it.
CREATE TABLE listing (
    number     INTEGER PRIMARY KEY,
    journal    TEXT    NOT NULL UNIQUE,
    plan_id    TEXT    NOT NULL,
    state      INTEGER NOT NULL,
    needs      INTEGER NOT NULL,
    created_at REAL    NOT NULL,
    text       TEXT    NOT NULL
) STRICT;
CREATE INDEX listing_by_plan ON listing (plan_id, number);
CREATE INDEX listing_by_state ON listing (state, number);
CREATE INDEX listing_by_time ON listing (created_at);
CREATE INDEX listing_of_needs ON listing (number) WHERE needs <> 0;

-- One row: whether the index has all executions. An earlier version has kept none; the runner then writes it anew.
CREATE TABLE listing_state (
    is_whole INTEGER NOT NULL
) STRICT;
INSERT INTO listing_state VALUES (0);
