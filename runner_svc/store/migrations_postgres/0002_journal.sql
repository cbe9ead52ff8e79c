-- One row per event. `position` is the order of commits over all journals, with gaps where a transaction failed; a
-- journal's events are unique by sequence.
CREATE TABLE signoff.event (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    journal  text   COLLATE "C" NOT NULL,
    sequence bigint NOT NULL,
    body     bytea  NOT NULL,
    UNIQUE (journal, sequence)
);

-- Candidates and artifacts, by the SHA-256 of their bytes.
CREATE TABLE signoff.content (
    digest text COLLATE "C" PRIMARY KEY,
    body   bytea NOT NULL
);

-- The parts of compiled maps, in order.
CREATE TABLE signoff.map_part (
    key  text COLLATE "C" NOT NULL,
    part integer NOT NULL,
    body bytea   NOT NULL,
    PRIMARY KEY (key, part)
);

-- Refuses (SO002) the first row that is not the next one of its journal.
CREATE FUNCTION signoff.check_next(journals text[], sequences bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    WITH given AS (
        SELECT journal, sequence, place, row_number() OVER (PARTITION BY journal ORDER BY place) AS nth
        FROM unnest(journals, sequences) WITH ORDINALITY AS g (journal, sequence, place)
    ), head AS (
        SELECT journal, coalesce((SELECT max(e.sequence) FROM signoff.event e WHERE e.journal = j.journal), 0) AS last
        FROM (SELECT DISTINCT journal FROM given) j
    )
    SELECT journal, sequence, last + nth AS expected INTO wrong
    FROM given JOIN head USING (journal) WHERE sequence <> last + nth ORDER BY place LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'expected row % of journal ''%'', but got %', wrong.expected, wrong.journal, wrong.sequence
            USING ERRCODE = 'SO002';
    END IF;
END
$$;

-- The writes. Each is one statement, and so one transaction that never waits for its client: a runner that freezes
-- holds no lock.
CREATE FUNCTION signoff.append(
    own_epoch bigint, lease interval,
    journals text[], sequences bigint[], bodies bytea[], digests text[], contents bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM signoff.own(own_epoch, lease);
    PERFORM signoff.check_next(journals, sequences);
    INSERT INTO signoff.content (digest, body)
        SELECT * FROM unnest(digests, contents) ON CONFLICT DO NOTHING;
    INSERT INTO signoff.event (journal, sequence, body)
        SELECT journal, sequence, body
        FROM unnest(journals, sequences, bodies) WITH ORDINALITY AS g (journal, sequence, body, place) ORDER BY place;
END
$$;

CREATE FUNCTION signoff.put_map(own_epoch bigint, lease interval, map_key text, bodies bytea[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM signoff.own(own_epoch, lease);
    INSERT INTO signoff.map_part (key, part, body)
        SELECT map_key, place, body FROM unnest(bodies) WITH ORDINALITY AS g (body, place) ON CONFLICT DO NOTHING;
END
$$;
