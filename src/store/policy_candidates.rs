//! Versions of policies on trial beside the one in force.

use uuid::Uuid;

use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::UserId;

/// A version on trial.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CandidateRecord {
    /// The policy.
    pub policy: String,
    /// `rollout` or `shadow`.
    pub kind: String,
    /// The version.
    pub version: String,
    /// With a user's id it says who belongs to the share.
    pub salt: String,
    /// The share, of people or of rankings.
    pub percent: i64,
    /// JSON: ids of people.
    pub users: String,
    /// JSON: roles.
    pub roles: String,
    /// `running`, `ended` or `rolled_back`.
    pub state: String,
    /// What was seen of it.
    #[sqlx(flatten)]
    pub counts: TrialCounts,
    /// Who began it.
    pub actor_id: Option<Uuid>,
    /// Microseconds since the epoch.
    pub started_at: i64,
    /// Microseconds since the epoch.
    pub updated_at: i64,
    /// The version's text.
    pub source: Option<String>,
}

/// What was seen of a version on trial.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct TrialCounts {
    /// Rankings that were compared.
    pub rankings: i64,
    /// Those of them of which another task is the first.
    pub first_changes: i64,
    /// Tasks in them.
    pub tasks: i64,
    /// Tasks at another place.
    pub moved: i64,
    /// Tasks on which the version failed.
    pub faults: i64,
    /// What the version in force cost.
    pub live_nanos: i64,
    /// What the version on trial cost.
    pub candidate_nanos: i64,
    /// How it failed last.
    pub last_fault: Option<String>,
}

/// A trial to begin, or to go on with another share.
#[derive(Clone, Debug)]
pub struct NewCandidate {
    /// The policy.
    pub policy: String,
    /// `rollout` or `shadow`.
    pub kind: &'static str,
    /// The version.
    pub version: String,
    /// Used when the version was not on trial already.
    pub salt: String,
    /// The share, of people or of rankings.
    pub percent: i64,
    /// JSON: ids of people.
    pub users: String,
    /// JSON: roles.
    pub roles: String,
    /// Who begins it.
    pub actor: Option<UserId>,
    /// Now.
    pub at: Timestamp,
}

macro_rules! candidates {
    ($where:literal) => {
        concat!(
            "SELECT c.policy, c.kind, c.version, c.salt, c.percent, c.users, c.roles, c.state, c.rankings,
                    c.first_changes, c.tasks, c.moved, c.faults, c.live_nanos, c.candidate_nanos, c.last_fault,
                    c.actor_id, c.started_at, c.updated_at, v.source
               FROM policy_candidates c
               LEFT JOIN policy_versions v ON v.policy = c.policy AND v.version = c.version
              WHERE ",
            $where
        )
    };
}

/// `$1` policy, `$2` kind. At most one row.
const FIND_CANDIDATE: &str = candidates!("c.policy = $1 AND c.kind = $2");
/// Everything on trial now: two a policy at most.
const LIST_CANDIDATE_VERSIONS: &str = candidates!("c.state = 'running' ORDER BY c.policy, c.kind");
/// `$1` to `$9`: policy, kind, version, salt, share, users, roles, who, now. What was seen of another version is forgotten.
const PUT_CANDIDATE: &str = "
    INSERT INTO policy_candidates
           (policy, kind, version, salt, percent, users, roles, state, actor_id, started_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'running', $8, $9, $9)
        ON CONFLICT (policy, kind) DO UPDATE
       SET salt = excluded.salt, version = excluded.version, percent = excluded.percent, users = excluded.users,
           roles = excluded.roles, state = 'running', actor_id = excluded.actor_id, started_at = excluded.started_at,
           updated_at = excluded.updated_at, rankings = 0, first_changes = 0, tasks = 0, moved = 0, faults = 0,
           live_nanos = 0, candidate_nanos = 0, last_fault = NULL
";
/// `$1` policy, `$2` kind, `$3` share, `$4` users, `$5` roles, `$6` now.
const ADVANCE_CANDIDATE: &str = "
    UPDATE policy_candidates SET percent = $3, users = $4, roles = $5, updated_at = $6
     WHERE policy = $1 AND kind = $2 AND state = 'running'
";
/// `$1` policy, `$2` kind, `$3` state, `$4` now.
const END_CANDIDATE: &str = "
    UPDATE policy_candidates SET state = $3, updated_at = $4 WHERE policy = $1 AND kind = $2 AND state = 'running'
";
/// `$1` policy, `$2` kind, `$3` version, `$4` to `$10` what was seen, `$11` how it failed last or NULL.
const ADD_TRIAL_COUNTS: &str = "
    UPDATE policy_candidates
       SET rankings = rankings + $4, first_changes = first_changes + $5, tasks = tasks + $6, moved = moved + $7,
           faults = faults + $8, live_nanos = live_nanos + $9, candidate_nanos = candidate_nanos + $10,
           last_fault = COALESCE($11, last_fault)
     WHERE policy = $1 AND kind = $2 AND version = $3
";

/// `$1` ids as a JSON array. How many of them have an account.
const COUNT_KNOWN_USERS: Sql = Sql {
    // SQLite has no arrays; ids are compared as the bytes that they are kept as.
    sqlite: "SELECT COUNT(*) FROM users WHERE id IN (SELECT unhex(value) FROM json_each($1))",
    postgres: "SELECT COUNT(*) FROM users WHERE id IN (SELECT value::uuid FROM json_array_elements_text($1::json))",
};

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("FIND_CANDIDATE", Sql::same(FIND_CANDIDATE)),
    ("LIST_CANDIDATE_VERSIONS", Sql::same(LIST_CANDIDATE_VERSIONS)),
    ("PUT_CANDIDATE", Sql::same(PUT_CANDIDATE)),
    ("ADVANCE_CANDIDATE", Sql::same(ADVANCE_CANDIDATE)),
    ("END_CANDIDATE", Sql::same(END_CANDIDATE)),
    ("ADD_TRIAL_COUNTS", Sql::same(ADD_TRIAL_COUNTS)),
    ("COUNT_KNOWN_USERS", COUNT_KNOWN_USERS),
];

impl Store {
    /// How many of these people have an account.
    pub async fn count_known_users(&self, users: &[UserId]) -> StoreResult<i64> {
        let statement = COUNT_KNOWN_USERS.on(self.dialect());
        let users: serde_json::Value = users.iter().map(|id| id.0.simple().to_string()).collect();
        Ok(on_database!(self.reader, |db| {
            sqlx::query_scalar(statement).bind(users.to_string()).fetch_one(db).await
        })?)
    }

    /// The trial of a policy, also one that is over.
    pub async fn find_candidate(&self, policy: &str, kind: &str) -> StoreResult<Option<CandidateRecord>> {
        Ok(on_database!(self.reader, |db| {
            sqlx::query_as(FIND_CANDIDATE).bind(policy).bind(kind).fetch_optional(db).await
        })?)
    }

    /// Everything on trial now.
    pub async fn list_candidate_versions(&self) -> StoreResult<Vec<CandidateRecord>> {
        Ok(on_database!(self.reader, |db| sqlx::query_as(LIST_CANDIDATE_VERSIONS).fetch_all(db).await)?)
    }
}

impl Tx<'_> {
    /// The trial of a policy, also one that is over.
    pub async fn find_candidate(&mut self, policy: &str, kind: &str) -> StoreResult<Option<CandidateRecord>> {
        Ok(on_database!(self, |db| {
            sqlx::query_as(FIND_CANDIDATE).bind(policy).bind(kind).fetch_optional(db).await
        })?)
    }

    /// Begins a trial in the place of the one that there was.
    pub async fn put_candidate(&mut self, new: &NewCandidate) -> StoreResult<()> {
        on_database!(self, |db| {
            sqlx::query(PUT_CANDIDATE)
                .bind(&new.policy)
                .bind(new.kind)
                .bind(&new.version)
                .bind(&new.salt)
                .bind(new.percent)
                .bind(&new.users)
                .bind(&new.roles)
                .bind(new.actor.map(|id| id.0))
                .bind(new.at.as_micros())
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Goes on with another share.
    pub async fn advance_candidate(&mut self, new: &NewCandidate) -> StoreResult<()> {
        on_database!(self, |db| {
            sqlx::query(ADVANCE_CANDIDATE)
                .bind(&new.policy)
                .bind(new.kind)
                .bind(new.percent)
                .bind(&new.users)
                .bind(&new.roles)
                .bind(new.at.as_micros())
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Ends a trial that is running; says whether there was one.
    pub async fn end_candidate(&mut self, policy: &str, kind: &str, state: &str, at: Timestamp) -> StoreResult<bool> {
        let ended = on_database!(self, |db| {
            let query = sqlx::query(END_CANDIDATE).bind(policy).bind(kind).bind(state).bind(at.as_micros());
            query.execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(ended > 0)
    }

    /// Adds what was seen of a version on trial.
    pub async fn add_trial_counts(
        &mut self,
        (policy, kind, version): (&str, &str, &str),
        counts: &TrialCounts,
    ) -> StoreResult<()> {
        on_database!(self, |db| {
            sqlx::query(ADD_TRIAL_COUNTS)
                .bind(policy)
                .bind(kind)
                .bind(version)
                .bind(counts.rankings)
                .bind(counts.first_changes)
                .bind(counts.tasks)
                .bind(counts.moved)
                .bind(counts.faults)
                .bind(counts.live_nanos)
                .bind(counts.candidate_nanos)
                .bind(&counts.last_fault)
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}
