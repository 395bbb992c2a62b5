-- Versions of policies on trial beside the one in force: for some people (`rollout`), or seen by nobody (`shadow`).
CREATE TABLE policy_candidates (
    policy          TEXT   NOT NULL,
    kind            TEXT   NOT NULL CHECK (kind IN ('rollout', 'shadow')),
    version         TEXT   NOT NULL,
    salt            TEXT   NOT NULL,            -- with a user's id it says who belongs to the share; new for each trial
    percent         INTEGER NOT NULL CHECK (percent BETWEEN 0 AND 100), -- of people, or of the rankings that are compared
    users           TEXT   NOT NULL,            -- JSON: ids of people who get it whatever the share
    roles           TEXT   NOT NULL,            -- JSON: roles that do
    state           TEXT   NOT NULL CHECK (state IN ('running', 'ended', 'rolled_back')),
    rankings        INTEGER NOT NULL DEFAULT 0,  -- that were compared
    first_changes   INTEGER NOT NULL DEFAULT 0,  -- those of them of which another task is the first
    tasks           INTEGER NOT NULL DEFAULT 0,
    moved           INTEGER NOT NULL DEFAULT 0,  -- tasks at another place
    faults          INTEGER NOT NULL DEFAULT 0,  -- tasks on which the version failed
    live_nanos      INTEGER NOT NULL DEFAULT 0,
    candidate_nanos INTEGER NOT NULL DEFAULT 0,
    last_fault      TEXT,
    actor_id        BLOB   CHECK (length(actor_id) = 16) REFERENCES users (id) ON DELETE SET NULL,
    started_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (policy, kind)
) STRICT;
CREATE INDEX policy_candidates_actor ON policy_candidates (actor_id);
