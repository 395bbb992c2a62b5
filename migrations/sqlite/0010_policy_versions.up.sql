-- Counts every change of what is in force, so that instances see by one number whether there is news.
CREATE TABLE policy_ledger (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL
) STRICT;

-- Texts of policies: files that were in force, and what people proposed. A version is named by a hash of its text.
CREATE TABLE policy_versions (
    id         BLOB   NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    policy     TEXT   NOT NULL,
    version    TEXT   NOT NULL,
    parent     TEXT,                            -- the version that was in force when it came
    source     TEXT   NOT NULL,
    origin     TEXT   NOT NULL CHECK (origin IN ('file', 'api', 'shell', 'shipped')),
    author_id  BLOB   CHECK (length(author_id) = 16) REFERENCES users (id) ON DELETE SET NULL,
    message    TEXT   NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX policy_versions_text ON policy_versions (policy, version);
CREATE INDEX policy_versions_created ON policy_versions (policy, created_at, id);
CREATE INDEX policy_versions_author ON policy_versions (author_id);

-- Who approved which version.
CREATE TABLE policy_approvals (
    version_id BLOB   NOT NULL CHECK (length(version_id) = 16) REFERENCES policy_versions (id) ON DELETE CASCADE,
    user_id    BLOB   NOT NULL CHECK (length(user_id) = 16) REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (version_id, user_id)
) STRICT;
CREATE INDEX policy_approvals_user ON policy_approvals (user_id);

-- What came into force, and how. The newest row of a policy counts: a saved file, or what somebody activated, which
-- holds while the policy's file has the content that it had then.
CREATE TABLE policy_activations (
    number       INTEGER NOT NULL PRIMARY KEY,   -- of the ledger
    policy       TEXT   NOT NULL,
    version      TEXT   NOT NULL,
    prior        INTEGER,                        -- the activation to which a roll-back returns
    file_version TEXT,                          -- of the policy's file; NULL when there was none
    action       TEXT   NOT NULL CHECK (action IN ('file', 'activated', 'rolled_back')),
    actor        TEXT   NOT NULL,               -- how they came: `session`, `shell`, `file`, `automatic`
    actor_id     BLOB   CHECK (length(actor_id) = 16) REFERENCES users (id) ON DELETE SET NULL,
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX policy_activations_policy ON policy_activations (policy, number);
CREATE INDEX policy_activations_version ON policy_activations (policy, version);
CREATE INDEX policy_activations_actor ON policy_activations (actor_id);
