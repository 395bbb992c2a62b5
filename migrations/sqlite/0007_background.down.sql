DROP TABLE digests;
DROP INDEX users_digest;
ALTER TABLE users DROP COLUMN digest_at;
ALTER TABLE users DROP COLUMN digest;
DROP TABLE mails;
DROP TABLE duties;
