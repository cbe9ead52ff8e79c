-- When a content was last put, in Unix time: a prune leaves young ones alone, for an event may be about to name them.
-- Those of earlier versions are old.
ALTER TABLE content ADD COLUMN put_at INTEGER NOT NULL DEFAULT 0;

-- Journals that are gone for every reader, and whose rows are still to be taken out of the file. `is_whole`: so are the
-- tasks of the checkpoint.
CREATE TABLE removed (
    journal  TEXT PRIMARY KEY,
    is_whole INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
