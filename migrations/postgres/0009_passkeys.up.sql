-- Passkeys with which a person signs in (Web Authentication, level 3).
CREATE TABLE passkeys (
    id            UUID    NOT NULL PRIMARY KEY,
    user_id       UUID    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_id BYTEA   NOT NULL CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),
    rp_id         TEXT    NOT NULL,              -- the host it was made for, and works on
    credential    TEXT    NOT NULL,              -- JSON: the public key and what goes with it
    name          TEXT    NOT NULL,
    sign_count    BIGINT  NOT NULL,              -- the newest counter that a sign-in brought; 0 without one
    created_at    BIGINT  NOT NULL,
    last_used_at  BIGINT
);
CREATE UNIQUE INDEX passkeys_credential ON passkeys (credential_id);
CREATE INDEX passkeys_user ON passkeys (user_id, created_at, id);

-- Ceremonies that were answered; each is good once.
CREATE TABLE passkey_ceremonies (
    id         BYTEA  NOT NULL PRIMARY KEY CHECK (octet_length(id) = 32),
    expires_at BIGINT  NOT NULL
);
CREATE INDEX passkey_ceremonies_expires ON passkey_ceremonies (expires_at);
