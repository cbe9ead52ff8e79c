-- The size in bytes of a content whose bytes lie in the object store; NULL: they are in `body`.
ALTER TABLE content ADD COLUMN object_size INTEGER;

-- Contents that were brought under a lease, and that no event has named yet: they count as absent for everyone else. Those
-- of a lease that has ended are dropped. `staged_at`: Unix time.
CREATE TABLE staged (
    lease     TEXT    NOT NULL,
    digest    TEXT    NOT NULL,
    staged_at INTEGER NOT NULL,
    PRIMARY KEY (lease, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX staged_by_digest ON staged (digest);
