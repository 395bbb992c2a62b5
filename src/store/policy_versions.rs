//! Versions of policies, who approved them, and which of them came into force.

use uuid::Uuid;

use super::audit::Slice;
use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::{UserId, new_uuid};

/// A version as it is listed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct VersionRecord {
    /// Its row.
    pub id: Uuid,
    /// The policy.
    pub policy: String,
    /// The hash of its text.
    pub version: String,
    /// The version that was in force when it came.
    pub parent: Option<String>,
    /// `file`, `api`, `shell` or `shipped`.
    pub origin: String,
    /// Who proposed it.
    pub author_id: Option<Uuid>,
    /// Their address.
    pub author: Option<String>,
    /// What they said of it.
    pub message: String,
    /// Microseconds since the epoch.
    pub created_at: i64,
    /// Whether it ever was in force.
    pub used: bool,
    /// How many approved it.
    pub approvals: i64,
}

/// A version to keep.
#[derive(Clone, Debug)]
pub struct NewVersion {
    /// The policy.
    pub policy: String,
    /// The hash of its text.
    pub version: String,
    /// The version in force.
    pub parent: Option<String>,
    /// Its text.
    pub source: String,
    /// `file`, `api`, `shell` or `shipped`.
    pub origin: &'static str,
    /// Who proposes it.
    pub author: Option<UserId>,
    /// What they say of it.
    pub message: String,
    /// Now.
    pub at: Timestamp,
}

/// What came into force, and how.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ActivationRecord {
    /// Its number in the ledger.
    pub number: i64,
    /// The policy.
    pub policy: String,
    /// The version.
    pub version: String,
    /// The activation to which a roll-back returns.
    pub prior: Option<i64>,
    /// The version of the policy's file at that time.
    pub file_version: Option<String>,
    /// `file`, `activated` or `rolled_back`.
    pub action: String,
    /// How they came.
    pub actor: String,
    /// Who it was.
    pub actor_id: Option<Uuid>,
    /// Their address.
    pub actor_email: Option<String>,
    /// Microseconds since the epoch.
    pub created_at: i64,
}

/// The newest activation of a policy, with the text that it is about.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CurrentRecord {
    /// Its number in the ledger.
    pub number: i64,
    /// The policy.
    pub policy: String,
    /// The version.
    pub version: String,
    /// The version of the policy's file at that time.
    pub file_version: Option<String>,
    /// `file`, `activated` or `rolled_back`.
    pub action: String,
    /// The version's text; absent for what a file brought.
    pub source: Option<String>,
}

/// An activation to keep.
#[derive(Clone, Debug)]
pub struct NewActivation {
    /// The policy.
    pub policy: String,
    /// The version.
    pub version: String,
    /// The activation to which a roll-back returns.
    pub prior: Option<i64>,
    /// The version of the policy's file.
    pub file_version: Option<String>,
    /// `file`, `activated` or `rolled_back`.
    pub action: &'static str,
    /// How they come.
    pub actor: &'static str,
    /// Who it is.
    pub actor_id: Option<UserId>,
    /// Now.
    pub at: Timestamp,
}

macro_rules! versions {
    ($where:literal) => {
        concat!(
            "SELECT v.id, v.policy, v.version, v.parent, v.origin, v.author_id, u.email AS author, v.message, v.created_at,
                    EXISTS (SELECT 1 FROM policy_activations a WHERE a.policy = v.policy AND a.version = v.version) AS used,
                    (SELECT COUNT(*) FROM policy_approvals p WHERE p.version_id = v.id) AS approvals
               FROM policy_versions v LEFT JOIN users u ON u.id = v.author_id
              WHERE ",
            $where
        )
    };
}
macro_rules! activations {
    ($where:literal) => {
        concat!(
            "SELECT a.number, a.policy, a.version, a.prior, a.file_version, a.action, a.actor, a.actor_id,
                    u.email AS actor_email, a.created_at
               FROM policy_activations a LEFT JOIN users u ON u.id = a.actor_id
              WHERE ",
            $where
        )
    };
}

/// `$1` policy, `$2` and `$3` the last row that was seen, `$4` how many. Newest first.
const LIST_POLICY_VERSIONS: &str =
    versions!("v.policy = $1 AND (v.created_at, v.id) < ($2, $3) ORDER BY v.created_at DESC, v.id DESC LIMIT $4");
/// `$1` policy.
const COUNT_POLICY_VERSIONS: &str = "SELECT COUNT(*) FROM policy_versions WHERE policy = $1";
/// `$1` policy, `$2` version. At most one row.
const FIND_POLICY_VERSION: &str = versions!("v.policy = $1 AND v.version = $2");
/// `$1` policy, `$2` version. At most one row: the text.
const FIND_POLICY_SOURCE: &str = "SELECT source FROM policy_versions WHERE policy = $1 AND version = $2";
/// The policies of which there are versions, at most `$1`.
const LIST_POLICY_NAMES: &str = "SELECT DISTINCT policy FROM policy_versions ORDER BY policy LIMIT $1";
/// `$1` to `$9`: the columns in order. No row when the text is there already.
const INSERT_POLICY_VERSION: &str = "
    INSERT INTO policy_versions (id, policy, version, parent, source, origin, author_id, message, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (policy, version) DO NOTHING
";
/// `$1` policy, `$2` version. A version that was in force, or is on trial, stays.
const DELETE_POLICY_DRAFT: &str = "
    DELETE FROM policy_versions
     WHERE policy = $1 AND version = $2
       AND NOT EXISTS (SELECT 1 FROM policy_activations a WHERE a.policy = $1 AND a.version = $2)
       AND NOT EXISTS (SELECT 1 FROM policy_candidates c
                        WHERE c.policy = $1 AND c.version = $2 AND c.state = 'running')
";
/// `$1` version's row, `$2` user, `$3` now.
const APPROVE_POLICY_VERSION: &str = "
    INSERT INTO policy_approvals (version_id, user_id, created_at) VALUES ($1, $2, $3)
        ON CONFLICT (version_id, user_id) DO NOTHING
";
/// `$1` version's row. The addresses of those who approved it.
const LIST_POLICY_APPROVALS: &str = "
    SELECT u.email FROM policy_approvals p JOIN users u ON u.id = p.user_id WHERE p.version_id = $1
     ORDER BY p.created_at, u.email
";
/// One row, also the first time. Holds the row until the transaction ends, so changes of policies come one after another.
const TURN_POLICY_LEDGER: &str = "
    INSERT INTO policy_ledger (id, number) VALUES (1, 1)
        ON CONFLICT (id) DO UPDATE SET number = policy_ledger.number + 1
    RETURNING number
";
/// At most one row.
const READ_POLICY_LEDGER: &str = "SELECT number FROM policy_ledger WHERE id = 1";
/// `$1` to `$9`: the columns in order.
const INSERT_POLICY_ACTIVATION: &str = "
    INSERT INTO policy_activations
           (number, policy, version, prior, file_version, action, actor, actor_id, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
";
/// `$1` policy. At most one row: the newest.
const FIND_LAST_ACTIVATION: &str =
    activations!("a.policy = $1 AND a.number = (SELECT MAX(number) FROM policy_activations b WHERE b.policy = $1)");
/// `$1` policy, `$2` number. At most one row.
const FIND_ACTIVATION: &str = activations!("a.policy = $1 AND a.number = $2");
/// `$1` policy, `$2` the number that was seen last, `$3` how many. Newest first.
const LIST_POLICY_ACTIVATIONS: &str = activations!("a.policy = $1 AND a.number < $2 ORDER BY a.number DESC LIMIT $3");
/// `$1` policy.
const COUNT_POLICY_ACTIVATIONS: &str = "SELECT COUNT(*) FROM policy_activations WHERE policy = $1";
/// The newest of each policy, with the text of what was activated.
const LIST_CURRENT_ACTIVATIONS: &str = "
    SELECT a.number, a.policy, a.version, a.file_version, a.action, v.source
      FROM policy_activations a
      LEFT JOIN policy_versions v ON v.policy = a.policy AND v.version = a.version AND a.action <> 'file'
     WHERE a.number IN (SELECT MAX(number) FROM policy_activations GROUP BY policy)
     ORDER BY a.policy
";

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("LIST_POLICY_VERSIONS", Sql::same(LIST_POLICY_VERSIONS)),
    ("COUNT_POLICY_VERSIONS", Sql::same(COUNT_POLICY_VERSIONS)),
    ("FIND_POLICY_VERSION", Sql::same(FIND_POLICY_VERSION)),
    ("FIND_POLICY_SOURCE", Sql::same(FIND_POLICY_SOURCE)),
    ("LIST_POLICY_NAMES", Sql::same(LIST_POLICY_NAMES)),
    ("INSERT_POLICY_VERSION", Sql::same(INSERT_POLICY_VERSION)),
    ("DELETE_POLICY_DRAFT", Sql::same(DELETE_POLICY_DRAFT)),
    ("APPROVE_POLICY_VERSION", Sql::same(APPROVE_POLICY_VERSION)),
    ("LIST_POLICY_APPROVALS", Sql::same(LIST_POLICY_APPROVALS)),
    ("TURN_POLICY_LEDGER", Sql::same(TURN_POLICY_LEDGER)),
    ("READ_POLICY_LEDGER", Sql::same(READ_POLICY_LEDGER)),
    ("INSERT_POLICY_ACTIVATION", Sql::same(INSERT_POLICY_ACTIVATION)),
    ("FIND_LAST_ACTIVATION", Sql::same(FIND_LAST_ACTIVATION)),
    ("FIND_ACTIVATION", Sql::same(FIND_ACTIVATION)),
    ("LIST_POLICY_ACTIVATIONS", Sql::same(LIST_POLICY_ACTIVATIONS)),
    ("COUNT_POLICY_ACTIVATIONS", Sql::same(COUNT_POLICY_ACTIVATIONS)),
    ("LIST_CURRENT_ACTIVATIONS", Sql::same(LIST_CURRENT_ACTIVATIONS)),
];

impl Store {
    /// Versions of a policy, newest first.
    pub async fn list_policy_versions(&self, policy: &str, slice: Slice) -> StoreResult<Vec<VersionRecord>> {
        let (at, id) = slice.bounds();
        Ok(on_database!(self.reader, |db| {
            let query = sqlx::query_as(LIST_POLICY_VERSIONS).bind(policy).bind(at).bind(id);
            query.bind(slice.limit).fetch_all(db).await
        })?)
    }

    /// How many versions a policy has.
    pub async fn count_policy_versions(&self, policy: &str) -> StoreResult<i64> {
        Ok(on_database!(self.reader, |db| {
            sqlx::query_scalar(COUNT_POLICY_VERSIONS).bind(policy).fetch_one(db).await
        })?)
    }

    /// One version.
    pub async fn find_policy_version(&self, policy: &str, version: &str) -> StoreResult<Option<VersionRecord>> {
        Ok(on_database!(self.reader, |db| {
            sqlx::query_as(FIND_POLICY_VERSION).bind(policy).bind(version).fetch_optional(db).await
        })?)
    }

    /// The text of one version.
    pub async fn find_policy_source(&self, policy: &str, version: &str) -> StoreResult<Option<String>> {
        Ok(on_database!(self.reader, |db| {
            sqlx::query_scalar(FIND_POLICY_SOURCE).bind(policy).bind(version).fetch_optional(db).await
        })?)
    }

    /// The policies of which there are versions, by name.
    pub async fn list_policy_names(&self, most: i64) -> StoreResult<Vec<String>> {
        Ok(on_database!(self.reader, |db| sqlx::query_scalar(LIST_POLICY_NAMES).bind(most).fetch_all(db).await)?)
    }

    /// The addresses of those who approved a version.
    pub async fn list_policy_approvals(&self, version: Uuid) -> StoreResult<Vec<String>> {
        Ok(on_database!(self.reader, |db| {
            sqlx::query_scalar(LIST_POLICY_APPROVALS).bind(version).fetch_all(db).await
        })?)
    }

    /// A number that changes whenever something about policies does.
    pub async fn policy_ledger(&self) -> StoreResult<i64> {
        let number: Option<i64> =
            on_database!(self.reader, |db| sqlx::query_scalar(READ_POLICY_LEDGER).fetch_optional(db).await)?;
        Ok(number.unwrap_or(0))
    }

    /// What came into force for a policy before the activation `before`, newest first.
    pub async fn list_policy_activations(
        &self,
        policy: &str,
        before: i64,
        limit: i64,
    ) -> StoreResult<Vec<ActivationRecord>> {
        Ok(on_database!(self.reader, |db| {
            let query = sqlx::query_as(LIST_POLICY_ACTIVATIONS).bind(policy).bind(before);
            query.bind(limit).fetch_all(db).await
        })?)
    }

    /// How often something came into force for a policy.
    pub async fn count_policy_activations(&self, policy: &str) -> StoreResult<i64> {
        Ok(on_database!(self.reader, |db| {
            sqlx::query_scalar(COUNT_POLICY_ACTIVATIONS).bind(policy).fetch_one(db).await
        })?)
    }

    /// The newest activation of each policy.
    pub async fn list_current_activations(&self) -> StoreResult<Vec<CurrentRecord>> {
        Ok(on_database!(self.reader, |db| sqlx::query_as(LIST_CURRENT_ACTIVATIONS).fetch_all(db).await)?)
    }
}

impl Tx<'_> {
    /// Counts a change of what is in force, and keeps others from changing it until this transaction ends.
    pub async fn turn_policy_ledger(&mut self) -> StoreResult<i64> {
        Ok(on_database!(self, |db| sqlx::query_scalar(TURN_POLICY_LEDGER).fetch_one(db).await)?)
    }

    /// Keeps a version, unless its text is there already; says whether it is new.
    pub async fn insert_policy_version(&mut self, new: &NewVersion) -> StoreResult<bool> {
        let done = on_database!(self, |db| {
            sqlx::query(INSERT_POLICY_VERSION)
                .bind(new_uuid(new.at))
                .bind(&new.policy)
                .bind(&new.version)
                .bind(&new.parent)
                .bind(&new.source)
                .bind(new.origin)
                .bind(new.author.map(|id| id.0))
                .bind(&new.message)
                .bind(new.at.as_micros())
                .execute(db)
                .await
                .map(|done| done.rows_affected())
        })?;
        Ok(done > 0)
    }

    /// One version.
    pub async fn find_policy_version(&mut self, policy: &str, version: &str) -> StoreResult<Option<VersionRecord>> {
        Ok(on_database!(self, |db| {
            sqlx::query_as(FIND_POLICY_VERSION).bind(policy).bind(version).fetch_optional(db).await
        })?)
    }

    /// Deletes a version that never was in force; says whether there was one.
    pub async fn delete_policy_draft(&mut self, policy: &str, version: &str) -> StoreResult<bool> {
        let done = on_database!(self, |db| {
            let query = sqlx::query(DELETE_POLICY_DRAFT).bind(policy).bind(version);
            query.execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(done > 0)
    }

    /// Notes that somebody approved a version; again, it changes nothing.
    pub async fn approve_policy_version(&mut self, version: Uuid, user: UserId, at: Timestamp) -> StoreResult<()> {
        on_database!(self, |db| {
            let query = sqlx::query(APPROVE_POLICY_VERSION).bind(version).bind(user.0).bind(at.as_micros());
            query.execute(db).await.map(drop)
        })?;
        Ok(())
    }

    /// The newest activation of a policy.
    pub async fn find_last_activation(&mut self, policy: &str) -> StoreResult<Option<ActivationRecord>> {
        Ok(on_database!(self, |db| sqlx::query_as(FIND_LAST_ACTIVATION).bind(policy).fetch_optional(db).await)?)
    }

    /// One activation of a policy.
    pub async fn find_activation(&mut self, policy: &str, number: i64) -> StoreResult<Option<ActivationRecord>> {
        Ok(on_database!(self, |db| {
            sqlx::query_as(FIND_ACTIVATION).bind(policy).bind(number).fetch_optional(db).await
        })?)
    }

    /// Keeps an activation under a number of the ledger.
    pub async fn insert_policy_activation(&mut self, number: i64, new: &NewActivation) -> StoreResult<()> {
        on_database!(self, |db| {
            sqlx::query(INSERT_POLICY_ACTIVATION)
                .bind(number)
                .bind(&new.policy)
                .bind(&new.version)
                .bind(new.prior)
                .bind(&new.file_version)
                .bind(new.action)
                .bind(new.actor)
                .bind(new.actor_id.map(|id| id.0))
                .bind(new.at.as_micros())
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}
