-- What people were recommended, by which version of which policy, and what became of it: a sample, kept for a while. Facts
-- of tasks only; titles and descriptions are not in it, names of labels and projects stand masked.
CREATE TABLE policy_decisions (
    id           UUID   NOT NULL PRIMARY KEY,
    user_id      UUID   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    policy       TEXT   NOT NULL,
    version      TEXT   NOT NULL,
    params       TEXT,                          -- JSON: values of parameters that somebody set; NULL when nobody did
    data_version BIGINT NOT NULL,              -- the user's: while it stands, nothing has become of it
    shown_at     BIGINT NOT NULL,
    time_zone    TEXT   NOT NULL,              -- IANA name
    context      TEXT   NOT NULL,              -- JSON: what the policy knew beside the tasks
    candidates   TEXT   NOT NULL,              -- JSON: the first tasks, best first, with scores and facts
    total        BIGINT NOT NULL,              -- how many tasks were ranked
    task_id      UUID   NOT NULL, -- the first of them
    snoozes      BIGINT NOT NULL,              -- how often it had been put off before
    outcome      TEXT   CHECK (outcome IN ('done', 'snoozed', 'ignored')),
    outcome_at   BIGINT,
    instead_id   UUID,  -- the task that was completed instead
    CHECK ((outcome IS NULL) = (outcome_at IS NULL))
);
CREATE INDEX policy_decisions_policy ON policy_decisions (policy, shown_at, id);
CREATE INDEX policy_decisions_user ON policy_decisions (user_id, policy, shown_at, id);
CREATE INDEX policy_decisions_open ON policy_decisions (user_id) WHERE outcome IS NULL;
