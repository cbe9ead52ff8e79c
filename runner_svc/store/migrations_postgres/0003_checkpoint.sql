-- The state as of the events up to `position`, so that a restart need not replay them. It can be emptied at any time
-- (position 0, and no rows in the other two): the journal is the truth.
CREATE TABLE signoff.runner_checkpoint (
    position bigint NOT NULL,
    body     bytea  NOT NULL
);
CREATE UNIQUE INDEX runner_checkpoint_is_one_row ON signoff.runner_checkpoint ((true));
INSERT INTO signoff.runner_checkpoint VALUES (0, '');

-- `number` is the order in which the executions were created.
CREATE TABLE signoff.execution_checkpoint (
    number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    journal text  COLLATE "C" NOT NULL UNIQUE,
    body    bytea NOT NULL
);

CREATE TABLE signoff.task_checkpoint (
    journal text    COLLATE "C" NOT NULL,
    number  integer NOT NULL,
    body    bytea   NOT NULL,
    PRIMARY KEY (journal, number)
);

-- Its statements see one and the same journal: only the owner writes, and one statement at a time.
CREATE FUNCTION signoff.checkpoint(
    own_epoch bigint, lease interval, runner bytea,
    executions text[], execution_bodies bytea[], tasks text[], numbers integer[], task_bodies bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- guard: epoch of each write -> (removed)
    PERFORM signoff.own(own_epoch, lease);
    UPDATE signoff.runner_checkpoint SET
        position = (SELECT coalesce(max(e.position), 0) FROM signoff.event e), body = runner;
    INSERT INTO signoff.execution_checkpoint AS known (journal, body)
        SELECT g.journal, g.body
        FROM unnest(executions, execution_bodies) WITH ORDINALITY AS g (journal, body, place) ORDER BY place
        ON CONFLICT (journal) DO UPDATE SET body = excluded.body;
    INSERT INTO signoff.task_checkpoint AS known (journal, number, body)
        SELECT * FROM unnest(tasks, numbers, task_bodies)
        ON CONFLICT (journal, number) DO UPDATE SET body = excluded.body;
END
$$;
