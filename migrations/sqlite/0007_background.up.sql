-- Work that comes round, done by one instance at a time.
CREATE TABLE duties (
    name            TEXT    NOT NULL PRIMARY KEY,
    due_at          INTEGER NOT NULL,
    holder          BLOB    CHECK (length(holder) = 16),     -- the instance that does it now
    lease_until     INTEGER,                   -- from then on another instance may take it
    runs            INTEGER NOT NULL DEFAULT 0, -- how often it was taken; a former holder is told by the number it has
    failures        INTEGER NOT NULL DEFAULT 0, -- since it last succeeded
    last_success_at INTEGER,
    last_error      TEXT,
    CHECK ((holder IS NULL) = (lease_until IS NULL))
) STRICT, WITHOUT ROWID;

-- Mail that waits to be sent, or could not be. What was sent is deleted.
CREATE TABLE mails (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id     BLOB    REFERENCES users (id) ON DELETE CASCADE,
    kind        TEXT    NOT NULL,               -- what it is about: `reset_password`
    sealed      BLOB    NOT NULL,               -- address and message, under SECRET_KEY: they hold links and titles of tasks
    attempts    INTEGER NOT NULL DEFAULT 0,     -- counted when one begins; who sends an older one is told by the number
    next_at     INTEGER NOT NULL,               -- the next attempt; while one is under way, when it is given up
    expires_at  INTEGER,                        -- its link is good until then
    died_at     INTEGER,                        -- when it was given up
    last_error  TEXT,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX mails_next ON mails (next_at) WHERE died_at IS NULL;
CREATE INDEX mails_died ON mails (died_at) WHERE died_at IS NOT NULL;
CREATE INDEX mails_user ON mails (user_id);

-- What somebody wants to read of their tasks in the morning, and when the next mail about it is due.
ALTER TABLE users ADD COLUMN digest TEXT NOT NULL DEFAULT 'off' CHECK (digest IN ('off', 'daily', 'weekly'));
ALTER TABLE users ADD COLUMN digest_at INTEGER;
CREATE INDEX users_digest ON users (digest_at) WHERE digest_at IS NOT NULL;

-- The mornings of which somebody was told, so that nobody hears of one twice.
CREATE TABLE digests (
    user_id    BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    local_date TEXT    NOT NULL,                -- in the zone of that day
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, local_date)
) STRICT, WITHOUT ROWID;
CREATE INDEX digests_created ON digests (created_at);
