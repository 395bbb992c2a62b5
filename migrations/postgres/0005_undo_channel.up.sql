-- How a change came, and which of the user's changes it was: the latest that a model made can be taken back by saying so.
ALTER TABLE undo_tokens ADD COLUMN via TEXT NOT NULL DEFAULT 'api' CHECK (via IN ('api', 'mcp'));
ALTER TABLE undo_tokens ADD COLUMN number BIGINT NOT NULL DEFAULT 0;  -- the user's data_version after the change
CREATE INDEX undo_tokens_latest ON undo_tokens (user_id, number) WHERE via = 'mcp';
