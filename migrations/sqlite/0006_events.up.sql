-- What happened to each user's data, kept for a while for those who listen. A row is a change: its events have the numbers
-- from `version - size + 1` to `version`, which is the user's data_version after it. Numbers that no row covers tell that
-- something was forgotten, or written by a program that knows no events.
CREATE TABLE events (
    user_id    BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    version    INTEGER NOT NULL,
    size       INTEGER NOT NULL CHECK (size > 0),
    content    TEXT    NOT NULL,                -- JSON: kinds and ids, never what people wrote
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_created ON events (created_at);
