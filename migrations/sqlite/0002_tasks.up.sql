-- Times are microseconds since 1970 in UTC. Ids are UUIDv7.
CREATE TABLE projects (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id     BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name        TEXT    NOT NULL,
    name_key    TEXT    NOT NULL,              -- the name, folded: unique within a user
    description TEXT,
    version     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX projects_user_name ON projects (user_id, name_key);

CREATE TABLE labels (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id     BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name        TEXT    NOT NULL,
    name_key    TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX labels_user_name ON labels (user_id, name_key);

CREATE TABLE tasks (
    seq            INTEGER NOT NULL PRIMARY KEY, -- the row number that the search index refers to
    id             BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    user_id        BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    project_id     BLOB    REFERENCES projects (id) ON DELETE SET NULL,
    parent_id      BLOB    REFERENCES tasks (id) ON DELETE SET NULL,
    title          TEXT    NOT NULL,
    description    TEXT,
    status         TEXT    NOT NULL CHECK (status IN ('pending', 'in_progress', 'completed', 'snoozed')),
    priority       INTEGER NOT NULL CHECK (priority BETWEEN 1 AND 5),
    due_on         TEXT,                         -- a due date without a time, as it was given
    due_at         INTEGER,                      -- the last moment at which the task is not late
    effort_minutes INTEGER CHECK (effort_minutes BETWEEN 1 AND 525600),
    preferred_time TEXT    CHECK (preferred_time IN ('morning', 'afternoon', 'evening')),
    snoozed_until  INTEGER,
    snooze_count   INTEGER NOT NULL DEFAULT 0,
    completed_at   INTEGER,
    search_title   TEXT    NOT NULL,             -- the words of the title and the description, folded alike for both
    search_body    TEXT    NOT NULL,             -- databases, so that both find the same
    version        INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    deleted_at     INTEGER,
    CHECK ((status = 'snoozed') = (snoozed_until IS NOT NULL)),
    CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
    CHECK (due_on IS NULL OR due_at IS NOT NULL)
) STRICT;
CREATE INDEX tasks_user_created ON tasks (user_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_user_open ON tasks (user_id) WHERE deleted_at IS NULL AND status <> 'completed';
-- Over deleted tasks too: it finds a user's rows whatever they are, as when the user goes.
CREATE INDEX tasks_user_due ON tasks (user_id, due_at);
CREATE INDEX tasks_user_updated ON tasks (user_id, updated_at) WHERE deleted_at IS NULL;
CREATE INDEX tasks_project ON tasks (project_id);
CREATE INDEX tasks_parent ON tasks (parent_id);

CREATE TABLE task_labels (
    task_id  BLOB NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    label_id BLOB NOT NULL REFERENCES labels (id) ON DELETE CASCADE,
    PRIMARY KEY (task_id, label_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_labels_label ON task_labels (label_id);

-- The owner is a word of the index, so that a search never reads another user's rows. The words are folded and split
-- already: to the tokenizer `ascii` everything beyond ASCII is part of a word, whatever Unicode says in which version.
CREATE VIRTUAL TABLE tasks_search USING fts5 (
    owner, title, body, content = '', contentless_delete = 1, detail = 'full', tokenize = 'ascii'
);
CREATE TRIGGER tasks_search_insert AFTER INSERT ON tasks BEGIN
    INSERT INTO tasks_search (rowid, owner, title, body)
    VALUES (new.seq, lower(hex(new.user_id)), new.search_title, new.search_body);
END;
CREATE TRIGGER tasks_search_update AFTER UPDATE OF search_title, search_body ON tasks
WHEN old.search_title <> new.search_title OR old.search_body <> new.search_body BEGIN
    INSERT OR REPLACE INTO tasks_search (rowid, owner, title, body)
    VALUES (new.seq, lower(hex(new.user_id)), new.search_title, new.search_body);
END;
CREATE TRIGGER tasks_search_delete AFTER DELETE ON tasks BEGIN
    DELETE FROM tasks_search WHERE rowid = old.seq;
END;

-- What a change replaced, for 24 hours, once.
CREATE TABLE undo_tokens (
    token_hash BLOB    NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id    BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    action     TEXT    NOT NULL,
    snapshot   TEXT    NOT NULL,                 -- JSON
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT;
CREATE INDEX undo_tokens_user ON undo_tokens (user_id);
CREATE INDEX undo_tokens_expires ON undo_tokens (expires_at);

-- The first answer to a request that may be sent again.
CREATE TABLE receipts (
    user_id     BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    answer      TEXT    NOT NULL,                -- JSON: status, headers, body
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipts_expires ON receipts (expires_at);
