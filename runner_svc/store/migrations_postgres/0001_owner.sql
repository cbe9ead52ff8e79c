-- One row: which runner owns this database. `epoch` grows with every claim and fences every write: whoever writes under
-- an older one is refused. `deadline` is by the clock of the database; when it has passed, another runner may claim.
CREATE TABLE signoff.runner (
    epoch    bigint      NOT NULL,
    owner    text        NOT NULL,
    deadline timestamptz NOT NULL
);
CREATE UNIQUE INDEX runner_is_one_row ON signoff.runner ((true));
INSERT INTO signoff.runner VALUES (0, '', 'epoch');

-- Renews the deadline and holds the row until the transaction ends; refused (SO001) when the epoch is not the latest.
-- Every write begins with it. So writes come one after the other, and a position is taken only by the owner.
CREATE FUNCTION signoff.own(own_epoch bigint, lease interval) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- guard: epoch over -> UPDATE signoff.runner SET deadline = clock_timestamp() + lease ;
    UPDATE signoff.runner SET deadline = clock_timestamp() + lease WHERE epoch = own_epoch;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'epoch % is over', own_epoch USING ERRCODE = 'SO001';
    END IF;
END
$$;
