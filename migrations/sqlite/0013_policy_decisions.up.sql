-- What people were recommended, by which version of which policy, and what became of it: a sample, kept for a while. Facts
-- of tasks only; titles and descriptions are not in it, names of labels and projects stand masked.
CREATE TABLE policy_decisions (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id      BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    policy       TEXT    NOT NULL,
    version      TEXT    NOT NULL,
    params       TEXT,                          -- JSON: values of parameters that somebody set; NULL when nobody did
    data_version INTEGER NOT NULL,              -- the user's: while it stands, nothing has become of it
    shown_at     INTEGER NOT NULL,
    time_zone    TEXT    NOT NULL,              -- IANA name
    context      TEXT    NOT NULL,              -- JSON: what the policy knew beside the tasks
    candidates   TEXT    NOT NULL,              -- JSON: the first tasks, best first, with scores and facts
    total        INTEGER NOT NULL,              -- how many tasks were ranked
    task_id      BLOB    NOT NULL CHECK (length(task_id) = 16), -- the first of them
    snoozes      INTEGER NOT NULL,              -- how often it had been put off before
    outcome      TEXT    CHECK (outcome IN ('done', 'snoozed', 'ignored')),
    outcome_at   INTEGER,
    instead_id   BLOB    CHECK (length(instead_id) = 16), -- the task that was completed instead
    CHECK ((outcome IS NULL) = (outcome_at IS NULL))
) STRICT;
CREATE INDEX policy_decisions_policy ON policy_decisions (policy, shown_at, id);
CREATE INDEX policy_decisions_user ON policy_decisions (user_id, policy, shown_at, id);
CREATE INDEX policy_decisions_open ON policy_decisions (user_id) WHERE outcome IS NULL;
