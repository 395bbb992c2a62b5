-- The older log knows no grants and clients: their rows stay, as done by nobody in particular.
ALTER TABLE audit_log DROP CONSTRAINT audit_log_actor_check;
UPDATE audit_log SET actor = 'anonymous' WHERE actor IN ('grant', 'client');
ALTER TABLE audit_log ADD CONSTRAINT audit_log_actor_check
    CHECK (actor IN ('session', 'personal_token', 'shell', 'anonymous'));
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
