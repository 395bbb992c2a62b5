DROP INDEX undo_tokens_latest;
ALTER TABLE undo_tokens DROP COLUMN number;
ALTER TABLE undo_tokens DROP COLUMN via;
