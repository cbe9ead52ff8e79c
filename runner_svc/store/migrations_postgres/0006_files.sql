-- The size in bytes of a content whose bytes lie in the object store; null: they are in `body`.
ALTER TABLE signoff.content ADD COLUMN object_size bigint;

-- Contents that were brought under a lease, and that no event has named yet: they count as absent for everyone else. Those
-- of a lease that has ended are dropped. `staged_at`: by the clock of the database.
CREATE TABLE signoff.staged (
    lease     text COLLATE "C" NOT NULL,
    digest    text COLLATE "C" NOT NULL,
    staged_at timestamptz NOT NULL,
    PRIMARY KEY (lease, digest)
);
CREATE INDEX staged_by_digest ON signoff.staged (digest);

-- Keeps contents; one that is there becomes young again.
CREATE FUNCTION signoff.insert_contents(digests text[], contents bytea[], objects text[], object_sizes bigint[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO signoff.content AS known (digest, body, object_size, put_at)
        SELECT g.digest, g.body, NULL, clock_timestamp() FROM unnest(digests, contents) AS g (digest, body)
        UNION ALL
        SELECT o.digest, ''::bytea, o.size, clock_timestamp() FROM unnest(objects, object_sizes) AS o (digest, size)
        ON CONFLICT (digest) DO UPDATE SET put_at = excluded.put_at
            WHERE known.put_at < excluded.put_at - interval '600 seconds';
END
$$;

-- In the place of the function of before: `named` are contents that were brought under leases, and that the rows name.
DROP FUNCTION signoff.append(bigint, interval, text[], bigint[], bytea[], text[], bytea[],
    text[], text[], integer[], integer[], double precision[], text[]);
CREATE FUNCTION signoff.append(
    own_epoch bigint, lease interval,
    journals text[], sequences bigint[], bodies bytea[], digests text[], contents bytea[],
    listed text[], plan_ids text[], states integer[], needed integer[], created double precision[], texts text[],
    named text[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM signoff.own(own_epoch, lease);
    PERFORM signoff.check_next(journals, sequences);
    IF cardinality(digests) > 0 OR cardinality(named) > 0 THEN
        PERFORM signoff.insert_contents(digests, contents, '{}', '{}');
        DELETE FROM signoff.staged WHERE digest = ANY (digests) OR digest = ANY (named);
    END IF;
    INSERT INTO signoff.event (journal, sequence, body)
        SELECT journal, sequence, body
        FROM unnest(journals, sequences, bodies) WITH ORDINALITY AS g (journal, sequence, body, place) ORDER BY place;
    IF cardinality(listed) > 0 THEN
        PERFORM signoff.list(listed, plan_ids, states, needed, created, texts);
    END IF;
END
$$;

CREATE FUNCTION signoff.put_object(own_epoch bigint, lease interval, object text, object_size bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM signoff.own(own_epoch, lease);
    PERFORM signoff.insert_contents('{}', '{}', ARRAY[object], ARRAY[object_size]);
    DELETE FROM signoff.staged WHERE digest = object;
END
$$;

-- A content that is kept already stays kept: only those that are absent, or another lease's, are the lease's own.
CREATE FUNCTION signoff.stage(
    own_epoch bigint, lease interval, worker_lease text,
    digests text[], contents bytea[], objects text[], object_sizes bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    own_digests text[];
BEGIN
    PERFORM signoff.own(own_epoch, lease);
    SELECT array_agg(g.digest) INTO own_digests FROM unnest(digests || objects) AS g (digest)
        WHERE NOT EXISTS (SELECT FROM signoff.content c WHERE c.digest = g.digest)
            OR EXISTS (SELECT FROM signoff.staged s WHERE s.digest = g.digest);
    PERFORM signoff.insert_contents(digests, contents, objects, object_sizes);
    INSERT INTO signoff.staged AS known (lease, digest, staged_at)
        SELECT DISTINCT worker_lease, g.digest, clock_timestamp() FROM unnest(own_digests) AS g (digest)
        ON CONFLICT ON CONSTRAINT staged_pkey DO UPDATE SET staged_at = excluded.staged_at;
END
$$;

-- Makes contents young again, and returns the sizes of those that are there for a lease; for no lease: that are kept.
DROP FUNCTION signoff.renew_contents(bigint, interval, text[]);
CREATE FUNCTION signoff.renew_contents(own_epoch bigint, lease interval, digests text[], worker_lease text)
RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    PERFORM signoff.own(own_epoch, lease);
    UPDATE signoff.content SET put_at = clock_timestamp()
        WHERE digest = ANY (digests) AND put_at < clock_timestamp() - interval '600 seconds';
    RETURN (SELECT coalesce(jsonb_object_agg(c.digest, coalesce(c.object_size, octet_length(c.body))), '{}')
        FROM signoff.content c WHERE c.digest = ANY (digests) AND (
            NOT EXISTS (SELECT FROM signoff.staged s WHERE s.digest = c.digest)
            OR EXISTS (SELECT FROM signoff.staged s WHERE s.digest = c.digest AND s.lease = worker_lease)));
END
$$;

-- As before, but for contents that no event has named.
CREATE OR REPLACE FUNCTION signoff.drop_contents(own_epoch bigint, lease interval, digests text[], older_than interval)
RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    gone text[];
BEGIN
    PERFORM signoff.own(own_epoch, lease);
    WITH deleted AS (
        DELETE FROM signoff.content c
        WHERE c.digest = ANY (digests) AND c.put_at < clock_timestamp() - older_than
            AND NOT EXISTS (SELECT FROM signoff.staged s WHERE s.digest = c.digest)
        RETURNING digest
    ) SELECT array_agg(digest) INTO gone FROM deleted;
    RETURN coalesce(gone, ARRAY[]::text[]);
END
$$;

-- Removes some contents that were brought under other leases than these; returns digests and sizes of those that are gone.
CREATE FUNCTION signoff.drop_staged(
    own_epoch bigint, lease interval, living text[], older_than interval, most integer
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    dropped text[];
    gone jsonb;
BEGIN
    PERFORM signoff.own(own_epoch, lease);
    WITH deleted AS (
        DELETE FROM signoff.staged s USING (
            SELECT k.lease, k.digest FROM signoff.staged k
            WHERE k.staged_at < clock_timestamp() - older_than AND k.lease <> ALL (living) LIMIT most
        ) AS chosen WHERE s.lease = chosen.lease AND s.digest = chosen.digest
        RETURNING s.digest
    ) SELECT array_agg(digest) INTO dropped FROM deleted;
    WITH deleted AS (
        DELETE FROM signoff.content c
        WHERE c.digest = ANY (dropped) AND NOT EXISTS (SELECT FROM signoff.staged s WHERE s.digest = c.digest)
        RETURNING c.digest, coalesce(c.object_size, octet_length(c.body)) AS size
    ) SELECT jsonb_object_agg(digest, size) INTO gone FROM deleted;
    RETURN coalesce(gone, '{}');
END
$$;
