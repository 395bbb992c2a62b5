-- The older log knows no grants and clients: their rows stay, as done by nobody in particular.
CREATE TABLE audit_log_old (
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
INSERT INTO audit_log_old
SELECT id, user_id, CASE WHEN actor IN ('grant', 'client') THEN 'anonymous' ELSE actor END, credential_id, action, entity,
       entity_id, details, request_id, address, created_at
  FROM audit_log;
DROP TABLE audit_log;
ALTER TABLE audit_log_old RENAME TO audit_log;
CREATE INDEX audit_log_user ON audit_log (user_id, created_at, id);
CREATE INDEX audit_log_nobody ON audit_log (created_at) WHERE user_id IS NULL;
DROP TABLE identities;
DROP TABLE recovery_codes;
DROP TABLE second_factors;
DROP TABLE email_tokens;
DROP TABLE oauth_assertions;
DROP TABLE oauth_devices;
DROP TABLE oauth_consents;
DROP TABLE oauth_refresh_tokens;
DROP TABLE oauth_codes;
DROP TABLE oauth_grants;
DROP TABLE oauth_clients;
DROP TABLE oauth_keys;
ALTER TABLE users DROP COLUMN email_verified_at;
-- A browser's sign-in means nothing without its cookie.
DELETE FROM sessions WHERE cookie_hash IS NOT NULL;
DROP INDEX sessions_cookie;
ALTER TABLE sessions DROP COLUMN methods;
ALTER TABLE sessions DROP COLUMN authenticated_at;
ALTER TABLE sessions DROP COLUMN cookie_hash;
