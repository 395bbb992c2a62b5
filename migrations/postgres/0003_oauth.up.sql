-- A sign-in of a browser is a session too; what it shows is a cookie.
ALTER TABLE sessions ADD COLUMN cookie_hash BYTEA;          -- SHA-256 of the cookie
ALTER TABLE sessions ADD COLUMN authenticated_at BIGINT;  -- when somebody last proved who they are
ALTER TABLE sessions ADD COLUMN methods TEXT;              -- how, separated by blanks (RFC 8176): `pwd otp`
CREATE UNIQUE INDEX sessions_cookie ON sessions (cookie_hash) WHERE cookie_hash IS NOT NULL;

ALTER TABLE users ADD COLUMN email_verified_at BIGINT;

-- The signing keys of access tokens, sealed under SECRET_KEY.
CREATE TABLE oauth_keys (
    kid          TEXT    NOT NULL PRIMARY KEY,
    alg          TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('next', 'active', 'retired')),
    sealed       BYTEA   NOT NULL,               -- PKCS#8 PEM
    created_at   BIGINT  NOT NULL,
    activated_at BIGINT,
    retired_at   BIGINT
);
CREATE UNIQUE INDEX oauth_keys_next ON oauth_keys (state) WHERE state = 'next';
CREATE UNIQUE INDEX oauth_keys_active ON oauth_keys (state) WHERE state = 'active';

-- Programs that people connect.
CREATE TABLE oauth_clients (
    id                      UUID    NOT NULL PRIMARY KEY,
    client_id               TEXT    NOT NULL,    -- as in the protocol; of a document its URL
    kind                    TEXT    NOT NULL CHECK (kind IN ('static', 'registered', 'document')),
    name                    TEXT    NOT NULL,
    auth_method             TEXT    NOT NULL,    -- as in token_endpoint_auth_method
    secret_hash             BYTEA,
    metadata                TEXT    NOT NULL,    -- JSON (RFC 7591, section 2)
    registration_token_hash BYTEA,                -- of a registered one: for its management
    address                 TEXT,                -- where a registration came from
    created_at              BIGINT  NOT NULL,
    updated_at              BIGINT  NOT NULL,
    last_used_at            BIGINT,
    expires_at              BIGINT,             -- of a registered one that was never used, or a document that is stale
    fetched_at              BIGINT               -- of a document
);
CREATE UNIQUE INDEX oauth_clients_name ON oauth_clients (client_id);
CREATE INDEX oauth_clients_kind ON oauth_clients (kind, created_at);
CREATE INDEX oauth_clients_address ON oauth_clients (address, created_at) WHERE kind = 'registered';

-- What a person allowed a client: one authorization, one family of tokens. Deleted when it ends.
CREATE TABLE oauth_grants (
    id           UUID    NOT NULL PRIMARY KEY,
    user_id      UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_ref   UUID    NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    session_id   UUID,                           -- the browser's sign-in under which it was made
    scopes       TEXT    NOT NULL,               -- separated by blanks
    resources    TEXT    NOT NULL,               -- `api mcp`
    created_at   BIGINT  NOT NULL,
    last_used_at BIGINT  NOT NULL,
    expires_at   BIGINT  NOT NULL
);
CREATE INDEX oauth_grants_user ON oauth_grants (user_id, created_at, id);
CREATE INDEX oauth_grants_client ON oauth_grants (client_ref);
CREATE INDEX oauth_grants_expires ON oauth_grants (expires_at);

-- Authorization codes; a used one stays until it would have expired, so that its second use is noticed.
CREATE TABLE oauth_codes (
    code_hash        BYTEA   NOT NULL PRIMARY KEY CHECK (octet_length(code_hash) = 32),
    grant_id         UUID    NOT NULL,
    user_id          UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_ref       UUID    NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    session_id       UUID,
    redirect_uri     TEXT    NOT NULL,
    challenge        TEXT    NOT NULL,           -- PKCE, S256
    scopes           TEXT    NOT NULL,
    resources        TEXT    NOT NULL,
    nonce            TEXT,
    authenticated_at BIGINT  NOT NULL,
    methods          TEXT    NOT NULL,
    created_at       BIGINT  NOT NULL,
    expires_at       BIGINT  NOT NULL,
    used_at          BIGINT
);
CREATE INDEX oauth_codes_user ON oauth_codes (user_id);
CREATE INDEX oauth_codes_client ON oauth_codes (client_ref);
CREATE INDEX oauth_codes_expires ON oauth_codes (expires_at);

CREATE TABLE oauth_refresh_tokens (
    token_hash     BYTEA   NOT NULL PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    grant_id       UUID    NOT NULL REFERENCES oauth_grants (id) ON DELETE CASCADE,
    created_at     BIGINT  NOT NULL,
    used_at        BIGINT,
    successor_hash BYTEA,
    answer         BYTEA,                         -- what its use was answered with, sealed with the token itself
    CHECK ((used_at IS NULL) = (successor_hash IS NULL))
);
CREATE INDEX oauth_refresh_tokens_grant ON oauth_refresh_tokens (grant_id);
CREATE INDEX oauth_refresh_tokens_answer ON oauth_refresh_tokens (grant_id) WHERE answer IS NOT NULL;

-- What a person allowed a client once need not be asked again.
CREATE TABLE oauth_consents (
    user_id    UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_ref UUID    NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    resources  TEXT    NOT NULL,
    scopes     TEXT    NOT NULL,
    created_at BIGINT  NOT NULL,
    updated_at BIGINT  NOT NULL,
    PRIMARY KEY (user_id, client_ref, resources)
);
CREATE INDEX oauth_consents_client ON oauth_consents (client_ref);

-- Devices that wait for their user (RFC 8628).
CREATE TABLE oauth_devices (
    device_hash      BYTEA   NOT NULL PRIMARY KEY CHECK (octet_length(device_hash) = 32),
    user_code_hash   BYTEA   NOT NULL CHECK (octet_length(user_code_hash) = 32),
    client_ref       UUID    NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    scopes           TEXT    NOT NULL,
    resources        TEXT    NOT NULL,
    state            TEXT    NOT NULL CHECK (state IN ('pending', 'approved', 'denied')),
    user_id          UUID    REFERENCES users (id) ON DELETE CASCADE,
    session_id       UUID,
    authenticated_at BIGINT,
    methods          TEXT,
    last_polled_at   BIGINT,
    interval_seconds BIGINT  NOT NULL,
    created_at       BIGINT  NOT NULL,
    expires_at       BIGINT  NOT NULL
);
CREATE UNIQUE INDEX oauth_devices_user_code ON oauth_devices (user_code_hash);
CREATE INDEX oauth_devices_client ON oauth_devices (client_ref);
CREATE INDEX oauth_devices_user ON oauth_devices (user_id);
CREATE INDEX oauth_devices_expires ON oauth_devices (expires_at);

-- Assertions of clients (RFC 7523) that were seen: each counts once.
CREATE TABLE oauth_assertions (
    assertion_hash BYTEA   NOT NULL PRIMARY KEY CHECK (octet_length(assertion_hash) = 32),
    expires_at     BIGINT  NOT NULL
);
CREATE INDEX oauth_assertions_expires ON oauth_assertions (expires_at);

-- One-time secrets that were sent by e-mail.
CREATE TABLE email_tokens (
    token_hash BYTEA   NOT NULL PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    user_id    UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose    TEXT    NOT NULL CHECK (purpose IN ('verify', 'reset')),
    email_key  TEXT    NOT NULL,                 -- the address it was sent to
    created_at BIGINT  NOT NULL,
    expires_at BIGINT  NOT NULL
);
CREATE INDEX email_tokens_user ON email_tokens (user_id, purpose);
CREATE INDEX email_tokens_expires ON email_tokens (expires_at);

-- One-time passwords (RFC 6238).
CREATE TABLE second_factors (
    user_id       UUID    NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sealed_secret BYTEA   NOT NULL,
    confirmed_at  BIGINT,                       -- NULL until a first code was right
    last_step     BIGINT,                       -- the newest time step that was used
    created_at    BIGINT  NOT NULL
);

CREATE TABLE recovery_codes (
    user_id   UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash BYTEA   NOT NULL CHECK (octet_length(code_hash) = 32),
    used_at   BIGINT,
    PRIMARY KEY (user_id, code_hash)
);

-- Accounts elsewhere through which a person signs in.
CREATE TABLE identities (
    id           UUID    NOT NULL PRIMARY KEY,
    user_id      UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider     TEXT    NOT NULL,
    subject      TEXT    NOT NULL,               -- the person's id there
    email        TEXT,
    created_at   BIGINT  NOT NULL,
    last_used_at BIGINT
);
CREATE UNIQUE INDEX identities_subject ON identities (provider, subject);
CREATE INDEX identities_user ON identities (user_id, created_at, id);

-- The audit log learns of two more kinds of actor.
ALTER TABLE audit_log DROP CONSTRAINT audit_log_actor_check;
ALTER TABLE audit_log ADD CONSTRAINT audit_log_actor_check
    CHECK (actor IN ('session', 'personal_token', 'grant', 'client', 'shell', 'anonymous'));
