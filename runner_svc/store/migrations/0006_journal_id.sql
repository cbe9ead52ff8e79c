-- The id of this journal, by which an object store tells whose its objects are. No other journal has it, also none that is
-- restored from a backup of this one.
ALTER TABLE runner ADD COLUMN journal_id TEXT NOT NULL DEFAULT '';
UPDATE runner SET journal_id = lower(hex(randomblob(16)));
