-- One row per event. `position` is the order of commits over all journals; a journal's events are unique by sequence.
CREATE TABLE event (
    position INTEGER PRIMARY KEY,
    journal  TEXT    NOT NULL,
    sequence INTEGER NOT NULL,
    body     BLOB    NOT NULL,
    UNIQUE (journal, sequence)
) STRICT;

-- Candidates and artifacts, by the SHA-256 of their bytes.
CREATE TABLE content (
    digest TEXT PRIMARY KEY,
    body   BLOB NOT NULL
) STRICT;

-- The parts of compiled maps, in order.
CREATE TABLE map_part (
    key  TEXT    NOT NULL,
    part   INTEGER NOT NULL,
    body   BLOB    NOT NULL,
    PRIMARY KEY (key, part)
) STRICT;

-- One row: how often the store was opened.
CREATE TABLE runner (
    epoch INTEGER NOT NULL
) STRICT;
INSERT INTO runner VALUES (0);
