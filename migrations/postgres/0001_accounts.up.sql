-- Times are microseconds since 1970 in UTC. Ids are UUIDv7. Secrets are kept as SHA-256.
CREATE TABLE users (
    id            UUID    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL,
    email_key     TEXT    NOT NULL,              -- the address in lower case: one account each
    password_hash TEXT    NOT NULL,              -- PHC string
    full_name     TEXT,
    time_zone     TEXT    NOT NULL,              -- IANA name
    windows       TEXT,                          -- JSON; NULL leaves them to the policy
    policy        TEXT,                          -- NULL is the server's default
    role          TEXT    NOT NULL CHECK (role IN ('user', 'admin')),
    status        TEXT    NOT NULL CHECK (status IN ('active', 'disabled')),
    data_version  BIGINT  NOT NULL,              -- counts every change of the user's data
    created_at    BIGINT  NOT NULL,
    updated_at    BIGINT  NOT NULL
);
CREATE UNIQUE INDEX users_email_key ON users (email_key);

-- A sign-in; deleted when it ends.
CREATE TABLE sessions (
    id           UUID    NOT NULL PRIMARY KEY,
    user_id      UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_agent   TEXT,
    address      TEXT,
    created_at   BIGINT  NOT NULL,
    last_seen_at BIGINT  NOT NULL,
    expires_at   BIGINT  NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

-- The refresh tokens that a session ever had: a used one that comes again shows that it was stolen.
CREATE TABLE refresh_tokens (
    token_hash     BYTEA   NOT NULL PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    session_id     UUID    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at     BIGINT  NOT NULL,
    used_at        BIGINT,
    successor_hash BYTEA,
    answer         BYTEA,                         -- what its use was answered with, sealed with the token itself
    CHECK ((used_at IS NULL) = (successor_hash IS NULL))
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

CREATE TABLE personal_tokens (
    id           UUID    NOT NULL PRIMARY KEY,
    user_id      UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT    NOT NULL,
    token_hash   BYTEA   NOT NULL CHECK (octet_length(token_hash) = 32),
    scopes       TEXT    NOT NULL,               -- separated by blanks
    expires_at   BIGINT,
    last_used_at BIGINT,
    created_at   BIGINT  NOT NULL
);
CREATE UNIQUE INDEX personal_tokens_hash ON personal_tokens (token_hash);
CREATE INDEX personal_tokens_user ON personal_tokens (user_id, created_at, id);

-- One-time codes to register with; deleted when used.
CREATE TABLE invites (
    code_hash  BYTEA   NOT NULL PRIMARY KEY CHECK (octet_length(code_hash) = 32),
    created_at BIGINT  NOT NULL,
    expires_at BIGINT  NOT NULL
);
CREATE INDEX invites_expires ON invites (expires_at);

-- Who did what; without a user: attempts that belong to nobody.
CREATE TABLE audit_log (
    id            UUID    NOT NULL PRIMARY KEY,
    user_id       UUID    REFERENCES users (id) ON DELETE CASCADE,
    actor         TEXT    NOT NULL CHECK (actor IN ('session', 'personal_token', 'shell', 'anonymous')),
    credential_id UUID,
    action        TEXT    NOT NULL,              -- `task.created`
    entity        TEXT    NOT NULL,
    entity_id     UUID,
    details       TEXT,                          -- JSON
    request_id    TEXT,
    address       TEXT,
    created_at    BIGINT  NOT NULL
);
CREATE INDEX audit_log_user ON audit_log (user_id, created_at, id);
CREATE INDEX audit_log_nobody ON audit_log (created_at) WHERE user_id IS NULL;
