-- The index of executions: a row for each, with what lists are filtered by. It is written in the transaction of the events
-- that change it. `number` is the order in which the executions were created; `text` is searched for parts of it.
CREATE TABLE signoff.listing (
    number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    journal    text   COLLATE "C" NOT NULL UNIQUE,
    plan_id    text   COLLATE "C" NOT NULL,
    state      integer NOT NULL,
    needs      integer NOT NULL,
    created_at double precision NOT NULL,
    text       text   COLLATE "C" NOT NULL
);
CREATE INDEX listing_by_plan ON signoff.listing (plan_id, number);
CREATE INDEX listing_by_state ON signoff.listing (state, number);
CREATE INDEX listing_by_time ON signoff.listing (created_at);
CREATE INDEX listing_of_needs ON signoff.listing (number) WHERE needs <> 0;

-- One row: whether the index has all executions. An earlier version has kept none; the runner then writes it anew.
CREATE TABLE signoff.listing_state (
    is_whole boolean NOT NULL
);
CREATE UNIQUE INDEX listing_state_is_one_row ON signoff.listing_state ((true));
INSERT INTO signoff.listing_state VALUES (false);

CREATE FUNCTION signoff.list(
    journals text[], plan_ids text[], states integer[], needed integer[], created double precision[], texts text[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO signoff.listing AS known (journal, plan_id, state, needs, created_at, text)
        SELECT g.journal, g.plan_id, g.state, g.needs, g.created_at, g.text
        FROM unnest(journals, plan_ids, states, needed, created, texts)
            WITH ORDINALITY AS g (journal, plan_id, state, needs, created_at, text, place) ORDER BY place
        ON CONFLICT (journal) DO UPDATE SET state = excluded.state, needs = excluded.needs;
END
$$;

-- In the place of the function of before, which knew no index.
DROP FUNCTION signoff.append(bigint, interval, text[], bigint[], bytea[], text[], bytea[]);
CREATE FUNCTION signoff.append(
    own_epoch bigint, lease interval,
    journals text[], sequences bigint[], bodies bytea[], digests text[], contents bytea[],
    listed text[], plan_ids text[], states integer[], needed integer[], created double precision[], texts text[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM signoff.own(own_epoch, lease);
    PERFORM signoff.check_next(journals, sequences);
    INSERT INTO signoff.content (digest, body)
        SELECT * FROM unnest(digests, contents) ON CONFLICT DO NOTHING;
    INSERT INTO signoff.event (journal, sequence, body)
        SELECT journal, sequence, body
        FROM unnest(journals, sequences, bodies) WITH ORDINALITY AS g (journal, sequence, body, place) ORDER BY place;
    IF cardinality(listed) > 0 THEN
        PERFORM signoff.list(listed, plan_ids, states, needed, created, texts);
    END IF;
END
$$;

CREATE FUNCTION signoff.list_anew(
    own_epoch bigint, lease interval, all_right boolean,
    listed text[], plan_ids text[], states integer[], needed integer[], created double precision[], texts text[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM signoff.own(own_epoch, lease);
    DELETE FROM signoff.listing;
    PERFORM signoff.list(listed, plan_ids, states, needed, created, texts);
    UPDATE signoff.listing_state SET is_whole = all_right;
END
$$;
