-- The id of this journal, by which an object store tells whose its objects are. No other journal has it, also none that is
-- restored from a backup of this one.
ALTER TABLE signoff.runner ADD COLUMN journal_id text NOT NULL DEFAULT '';
UPDATE signoff.runner SET journal_id = replace(gen_random_uuid()::text, '-', '');
