-- Files of tasks. The file itself lies in the object store, under a key that says nothing of it.
CREATE TABLE attachments (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id    BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    task_id    BLOB    NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    object_key TEXT    NOT NULL,
    file_name  TEXT    NOT NULL,
    media_type TEXT    NOT NULL,
    size_bytes INTEGER NOT NULL CHECK (size_bytes > 0),
    sha256     BLOB    NOT NULL CHECK (length(sha256) = 32),
    created_at INTEGER NOT NULL,
    deleted_at INTEGER,              -- taken away by itself; a day long this can be taken back
    gone_at    INTEGER               -- the same, or taken away with its task
) STRICT;
CREATE UNIQUE INDEX attachments_object ON attachments (object_key);
CREATE INDEX attachments_task ON attachments (task_id, created_at, id);
CREATE INDEX attachments_user ON attachments (user_id, created_at, id);
CREATE INDEX attachments_gone ON attachments (gone_at) WHERE gone_at IS NOT NULL;

-- Objects that no attachment speaks for: uploads under way, and what is to be removed from the object store.
CREATE TABLE object_removals (
    object_key TEXT    NOT NULL PRIMARY KEY,
    state      TEXT    NOT NULL CHECK (state IN ('uploading', 'doomed')),
    due_at     INTEGER NOT NULL       -- from then on nobody waits for the upload any more
) STRICT;
CREATE INDEX object_removals_due ON object_removals (due_at);
