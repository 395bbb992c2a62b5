-- Times are microseconds since 1970 in UTC. Ids are UUIDv7.
CREATE TABLE projects (
    id          UUID    NOT NULL PRIMARY KEY,
    user_id     UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name        TEXT    NOT NULL,
    name_key    TEXT    NOT NULL,              -- the name, folded: unique within a user
    description TEXT,
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX projects_user_name ON projects (user_id, name_key);

CREATE TABLE labels (
    id          UUID    NOT NULL PRIMARY KEY,
    user_id     UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name        TEXT    NOT NULL,
    name_key    TEXT    NOT NULL,
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX labels_user_name ON labels (user_id, name_key);

CREATE TABLE tasks (
    id             UUID    NOT NULL PRIMARY KEY,
    user_id        UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    project_id     UUID    REFERENCES projects (id) ON DELETE SET NULL,
    parent_id      UUID    REFERENCES tasks (id) ON DELETE SET NULL,
    title          TEXT    NOT NULL,
    description    TEXT,
    status         TEXT    NOT NULL CHECK (status IN ('pending', 'in_progress', 'completed', 'snoozed')),
    priority       SMALLINT NOT NULL CHECK (priority BETWEEN 1 AND 5),
    due_on         TEXT,                         -- a due date without a time, as it was given
    due_at         BIGINT,                      -- the last moment at which the task is not late
    effort_minutes INTEGER CHECK (effort_minutes BETWEEN 1 AND 525600),
    preferred_time TEXT    CHECK (preferred_time IN ('morning', 'afternoon', 'evening')),
    snoozed_until  BIGINT,
    snooze_count   INTEGER NOT NULL DEFAULT 0,
    completed_at   BIGINT,
    search_title   TEXT    NOT NULL,             -- the words of the title and the description, folded alike for both
    search_body    TEXT    NOT NULL,             -- databases, so that both find the same
    version        BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    deleted_at     BIGINT,
    -- The words are folded and split already, so PostgreSQL's own parser stays out of it: it takes `5e10abc` for a number
    -- and a word. The title's words come twice, the second time marked, so that a question can ask for titles alone.
    search         TSVECTOR NOT NULL GENERATED ALWAYS AS (array_to_tsvector(
        string_to_array(search_title, ' ') || string_to_array(search_body, ' ')
        || string_to_array('=' || replace(search_title, ' ', ' ='), ' ')
    )) STORED,
    CHECK ((status = 'snoozed') = (snoozed_until IS NOT NULL)),
    CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
    CHECK (due_on IS NULL OR due_at IS NOT NULL)
);
CREATE INDEX tasks_user_created ON tasks (user_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_user_open ON tasks (user_id) WHERE deleted_at IS NULL AND status <> 'completed';
-- Over deleted tasks too: it finds a user's rows whatever they are, as when the user goes.
CREATE INDEX tasks_user_due ON tasks (user_id, due_at);
CREATE INDEX tasks_user_updated ON tasks (user_id, updated_at) WHERE deleted_at IS NULL;
CREATE INDEX tasks_project ON tasks (project_id);
CREATE INDEX tasks_parent ON tasks (parent_id);

CREATE TABLE task_labels (
    task_id  UUID NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    label_id UUID NOT NULL REFERENCES labels (id) ON DELETE CASCADE,
    PRIMARY KEY (task_id, label_id)
);
CREATE INDEX task_labels_label ON task_labels (label_id);

-- What a change replaced, for 24 hours, once.
CREATE TABLE undo_tokens (
    token_hash BYTEA   NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id    UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    action     TEXT    NOT NULL,
    snapshot   TEXT    NOT NULL,                 -- JSON
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX undo_tokens_user ON undo_tokens (user_id);
CREATE INDEX undo_tokens_expires ON undo_tokens (expires_at);

-- The first answer to a request that may be sent again.
CREATE TABLE receipts (
    user_id     UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key         TEXT    NOT NULL,
    fingerprint BYTEA   NOT NULL CHECK (length(fingerprint) = 32),
    answer      TEXT    NOT NULL,                -- JSON: status, headers, body
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX receipts_expires ON receipts (expires_at);
