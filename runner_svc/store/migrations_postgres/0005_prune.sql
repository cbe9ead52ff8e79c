-- When a content was last put, by the clock of the database: a prune leaves young ones alone, for an event may be about to
-- name them. Those of earlier versions are old.
ALTER TABLE signoff.content ADD COLUMN put_at timestamptz NOT NULL DEFAULT 'epoch';

-- Journals that are gone for every reader, and whose rows are still to be taken away. `is_whole`: so are the tasks of the
-- checkpoint.
CREATE TABLE signoff.removed (
    journal  text COLLATE "C" PRIMARY KEY,
    is_whole boolean NOT NULL
);

-- As before, and a content that is there becomes young again.
CREATE OR REPLACE FUNCTION signoff.append(
    own_epoch bigint, lease interval,
    journals text[], sequences bigint[], bodies bytea[], digests text[], contents bytea[],
    listed text[], plan_ids text[], states integer[], needed integer[], created double precision[], texts text[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM signoff.own(own_epoch, lease);
    PERFORM signoff.check_next(journals, sequences);
    INSERT INTO signoff.content AS known (digest, body, put_at)
        SELECT g.digest, g.body, clock_timestamp() FROM unnest(digests, contents) AS g (digest, body)
        ON CONFLICT (digest) DO UPDATE SET put_at = excluded.put_at
            WHERE known.put_at < excluded.put_at - interval '600 seconds';
    INSERT INTO signoff.event (journal, sequence, body)
        SELECT journal, sequence, body
        FROM unnest(journals, sequences, bodies) WITH ORDINALITY AS g (journal, sequence, body, place) ORDER BY place;
    IF cardinality(listed) > 0 THEN
        PERFORM signoff.list(listed, plan_ids, states, needed, created, texts);
    END IF;
END
$$;

-- Makes contents young again, and returns the sizes of those that are there.
CREATE FUNCTION signoff.renew_contents(own_epoch bigint, lease interval, digests text[])
RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    PERFORM signoff.own(own_epoch, lease);
    UPDATE signoff.content SET put_at = clock_timestamp()
        WHERE digest = ANY (digests) AND put_at < clock_timestamp() - interval '600 seconds';
    RETURN (SELECT coalesce(jsonb_object_agg(digest, octet_length(body)), '{}') FROM signoff.content
        WHERE digest = ANY (digests));
END
$$;

CREATE FUNCTION signoff.remove(
    own_epoch bigint, lease interval, own_journal text, own_sequence bigint, own_body bytea,
    whole text[], histories text[], new_bodies bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM signoff.own(own_epoch, lease);
    PERFORM signoff.check_next(ARRAY[own_journal], ARRAY[own_sequence]);
    INSERT INTO signoff.event (journal, sequence, body) VALUES (own_journal, own_sequence, own_body);
    DELETE FROM signoff.listing WHERE journal = ANY (whole);
    DELETE FROM signoff.execution_checkpoint WHERE journal = ANY (whole);
    INSERT INTO signoff.removed (journal, is_whole)
        SELECT j, true FROM unnest(whole) AS g (j) UNION ALL SELECT j, false FROM unnest(histories) AS g (j)
        ON CONFLICT (journal) DO UPDATE SET is_whole = excluded.is_whole;
    UPDATE signoff.execution_checkpoint AS known SET body = g.body
        FROM unnest(histories, new_bodies) AS g (journal, body) WHERE known.journal = g.journal;
END
$$;

-- Returns how many rows of journals were taken away, and whether there was nothing to do.
CREATE FUNCTION signoff.purge(own_epoch bigint, lease interval, most bigint, OUT purged bigint, OUT is_done boolean)
LANGUAGE plpgsql AS $$
DECLARE
    found signoff.removed%ROWTYPE;
    room bigint := most;
    deleted bigint;
BEGIN
    PERFORM signoff.own(own_epoch, lease);
    purged := 0;
    WHILE room > 0 LOOP
        SELECT * INTO found FROM signoff.removed LIMIT 1;
        EXIT WHEN found.journal IS NULL;
        DELETE FROM signoff.event WHERE position IN
            (SELECT position FROM signoff.event WHERE journal = found.journal LIMIT room);
        GET DIAGNOSTICS deleted = ROW_COUNT;
        purged := purged + deleted;
        room := room - deleted;
        IF found.is_whole AND room > 0 THEN
            DELETE FROM signoff.task_checkpoint WHERE journal = found.journal AND number IN
                (SELECT number FROM signoff.task_checkpoint WHERE journal = found.journal LIMIT room);
            GET DIAGNOSTICS deleted = ROW_COUNT;
            room := room - deleted;
        END IF;
        IF room > 0 THEN
            DELETE FROM signoff.removed WHERE journal = found.journal;
            room := room - 1;
        END IF;
    END LOOP;
    is_done := room = most;
END
$$;

CREATE FUNCTION signoff.drop_contents(own_epoch bigint, lease interval, digests text[], older_than interval)
RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    gone text[];
BEGIN
    PERFORM signoff.own(own_epoch, lease);
    WITH deleted AS (
        DELETE FROM signoff.content
        WHERE digest = ANY (digests) AND put_at < clock_timestamp() - older_than RETURNING digest
    ) SELECT array_agg(digest) INTO gone FROM deleted;
    RETURN coalesce(gone, ARRAY[]::text[]);
END
$$;

CREATE FUNCTION signoff.drop_map(own_epoch bigint, lease interval, map_key text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM signoff.own(own_epoch, lease);
    DELETE FROM signoff.map_part WHERE key = map_key;
END
$$;
