-- Times are microseconds since 1970 in UTC. Ids are UUIDv7. Secrets are kept as SHA-256.
CREATE TABLE users (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    email         TEXT    NOT NULL,
    email_key     TEXT    NOT NULL,              -- the address in lower case: one account each
    password_hash TEXT    NOT NULL,              -- PHC string
    full_name     TEXT,
    time_zone     TEXT    NOT NULL,              -- IANA name
    windows       TEXT,                          -- JSON; NULL leaves them to the policy
    policy        TEXT,                          -- NULL is the server's default
    role          TEXT    NOT NULL CHECK (role IN ('user', 'admin')),
    status        TEXT    NOT NULL CHECK (status IN ('active', 'disabled')),
    data_version  INTEGER NOT NULL,              -- counts every change of the user's data
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_email_key ON users (email_key);

-- A sign-in; deleted when it ends.
CREATE TABLE sessions (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id      BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_agent   TEXT,
    address      TEXT,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

-- The refresh tokens that a session ever had: a used one that comes again shows that it was stolen.
CREATE TABLE refresh_tokens (
    token_hash     BLOB    NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    session_id     BLOB    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at     INTEGER NOT NULL,
    used_at        INTEGER,
    successor_hash BLOB,
    answer         BLOB,                         -- what its use was answered with, sealed with the token itself
    CHECK ((used_at IS NULL) = (successor_hash IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

CREATE TABLE personal_tokens (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id      BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT    NOT NULL,
    token_hash   BLOB    NOT NULL CHECK (length(token_hash) = 32),
    scopes       TEXT    NOT NULL,               -- separated by blanks
    expires_at   INTEGER,
    last_used_at INTEGER,
    created_at   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX personal_tokens_hash ON personal_tokens (token_hash);
CREATE INDEX personal_tokens_user ON personal_tokens (user_id, created_at, id);

-- One-time codes to register with; deleted when used.
CREATE TABLE invites (
    code_hash  BLOB    NOT NULL PRIMARY KEY CHECK (length(code_hash) = 32),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX invites_expires ON invites (expires_at);

-- Who did what; without a user: attempts that belong to nobody.
CREATE TABLE audit_log (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id       BLOB    REFERENCES users (id) ON DELETE CASCADE,
    actor         TEXT    NOT NULL CHECK (actor IN ('session', 'personal_token', 'shell', 'anonymous')),
    credential_id BLOB,
    action        TEXT    NOT NULL,              -- `task.created`
    entity        TEXT    NOT NULL,
    entity_id     BLOB,
    details       TEXT,                          -- JSON
    request_id    TEXT,
    address       TEXT,
    created_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_log_user ON audit_log (user_id, created_at, id);
CREATE INDEX audit_log_nobody ON audit_log (created_at) WHERE user_id IS NULL;
