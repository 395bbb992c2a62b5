-- Work that comes round, done by one instance at a time.
CREATE TABLE duties (
    name            TEXT    NOT NULL PRIMARY KEY,
    due_at          BIGINT  NOT NULL,
    holder          UUID,     -- the instance that does it now
    lease_until     BIGINT,                   -- from then on another instance may take it
    runs            BIGINT  NOT NULL DEFAULT 0, -- how often it was taken; a former holder is told by the number it has
    failures        BIGINT  NOT NULL DEFAULT 0, -- since it last succeeded
    last_success_at BIGINT,
    last_error      TEXT,
    CHECK ((holder IS NULL) = (lease_until IS NULL))
);

-- Mail that waits to be sent, or could not be. What was sent is deleted.
CREATE TABLE mails (
    id          UUID    NOT NULL PRIMARY KEY,
    user_id     UUID    REFERENCES users (id) ON DELETE CASCADE,
    kind        TEXT    NOT NULL,               -- what it is about: `reset_password`
    sealed      BYTEA   NOT NULL,               -- address and message, under SECRET_KEY: they hold links and titles of tasks
    attempts    BIGINT  NOT NULL DEFAULT 0,     -- counted when one begins; who sends an older one is told by the number
    next_at     BIGINT  NOT NULL,               -- the next attempt; while one is under way, when it is given up
    expires_at  BIGINT,                        -- its link is good until then
    died_at     BIGINT,                        -- when it was given up
    last_error  TEXT,
    created_at  BIGINT  NOT NULL
);
CREATE INDEX mails_next ON mails (next_at) WHERE died_at IS NULL;
CREATE INDEX mails_died ON mails (died_at) WHERE died_at IS NOT NULL;
CREATE INDEX mails_user ON mails (user_id);

-- What somebody wants to read of their tasks in the morning, and when the next mail about it is due.
ALTER TABLE users ADD COLUMN digest TEXT NOT NULL DEFAULT 'off' CHECK (digest IN ('off', 'daily', 'weekly'));
ALTER TABLE users ADD COLUMN digest_at BIGINT;
CREATE INDEX users_digest ON users (digest_at) WHERE digest_at IS NOT NULL;

-- The mornings of which somebody was told, so that nobody hears of one twice.
CREATE TABLE digests (
    user_id    UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    local_date TEXT    NOT NULL,                -- in the zone of that day
    created_at BIGINT  NOT NULL,
    PRIMARY KEY (user_id, local_date)
);
CREATE INDEX digests_created ON digests (created_at);
