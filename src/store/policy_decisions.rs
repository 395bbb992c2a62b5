//! What people were recommended, and what became of it.

use uuid::Uuid;

use super::audit::Slice;
use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::UserId;

/// A recommendation that was shown.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct DecisionRecord {
    /// Its id.
    pub id: Uuid,
    /// To whom.
    pub user_id: Uuid,
    /// The policy.
    pub policy: String,
    /// Its version.
    pub version: String,
    /// JSON: values of parameters that somebody set.
    pub params: Option<String>,
    /// Microseconds since the epoch.
    pub shown_at: i64,
    /// IANA name.
    pub time_zone: String,
    /// JSON: what the policy knew beside the tasks.
    pub context: String,
    /// JSON: the first tasks, best first.
    pub candidates: String,
    /// How many tasks were ranked.
    pub total: i64,
    /// `done`, `snoozed`, `ignored`; absent while that is open.
    pub outcome: Option<String>,
    /// Microseconds since the epoch.
    pub outcome_at: Option<i64>,
    /// The task that was completed instead.
    pub instead_id: Option<Uuid>,
}

/// Which recommendations are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// The policy.
    pub policy: String,
    /// Those of this person alone.
    pub user: Option<UserId>,
    /// Of this version.
    pub version: Option<String>,
    /// With this outcome; `open` is none yet.
    pub outcome: Option<&'static str>,
    /// Shown at this moment or later.
    pub from: Option<Timestamp>,
    /// Shown before this moment.
    pub to: Option<Timestamp>,
}

impl DecisionFilter {
    fn span(&self) -> (i64, i64) {
        let micros = |moment: Option<Timestamp>, other| moment.map_or(other, Timestamp::as_micros);
        (micros(self.from, i64::MIN), micros(self.to, i64::MAX))
    }
}

/// What became of the recommendations of a version.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OutcomeCounts {
    /// The version.
    pub version: String,
    /// How many were shown.
    pub shown: i64,
    /// The recommended task was completed.
    pub done: i64,
    /// It was put off.
    pub snoozed: i64,
    /// Another one was completed, or nothing happened.
    pub ignored: i64,
    /// When the first was shown, in microseconds since the epoch.
    pub first_at: i64,
    /// When the last was shown.
    pub last_at: i64,
}

macro_rules! filtered {
    ($select:literal, $whose:literal, $rest:literal) => {
        concat!(
            $select,
            " FROM policy_decisions
              WHERE policy = $1 AND shown_at >= $2 AND shown_at < $3 AND version = COALESCE($4, version)
                AND COALESCE(outcome, 'open') = COALESCE($5, COALESCE(outcome, 'open'))",
            $whose,
            $rest
        )
    };
}
macro_rules! listed {
    ($whose:literal, $rest:literal) => {
        filtered!(
            "SELECT id, user_id, policy, version, params, shown_at, time_zone, context, candidates, total, outcome,
                    outcome_at, instead_id",
            $whose,
            $rest
        )
    };
}
macro_rules! counted {
    ($whose:literal) => {
        filtered!(
            "SELECT version, COUNT(*) AS shown, COUNT(CASE WHEN outcome = 'done' THEN 1 END) AS done,
                    COUNT(CASE WHEN outcome = 'snoozed' THEN 1 END) AS snoozed,
                    COUNT(CASE WHEN outcome = 'ignored' THEN 1 END) AS ignored, MIN(shown_at) AS first_at,
                    MAX(shown_at) AS last_at",
            $whose,
            " GROUP BY version ORDER BY MAX(shown_at) DESC, version LIMIT $6"
        )
    };
}

macro_rules! settle {
    ($whose:literal) => {
        concat!(
            "
            UPDATE policy_decisions
               SET outcome = s.outcome, outcome_at = s.outcome_at, instead_id = s.instead_id
              FROM (
                SELECT x.id,
                       CASE WHEN x.own_at <= COALESCE(o.completed_at, x.own_at) THEN x.own ELSE 'ignored' END AS outcome,
                       CASE WHEN x.own_at <= COALESCE(o.completed_at, x.own_at) THEN x.own_at
                            ELSE COALESCE(o.completed_at, x.ends_at) END AS outcome_at,
                       CASE WHEN x.own_at <= COALESCE(o.completed_at, x.own_at) THEN NULL ELSE o.id END AS instead_id
                  FROM (
                    SELECT d.id, d.user_id, d.shown_at + $2 AS ends_at,
                           CASE WHEN t.completed_at BETWEEN d.shown_at AND d.shown_at + $2 THEN t.completed_at
                                WHEN t.snooze_count > d.snoozes AND t.updated_at <= d.shown_at + $2 THEN t.updated_at
                           END AS own_at,
                           CASE WHEN t.completed_at BETWEEN d.shown_at AND d.shown_at + $2 THEN 'done' ELSE 'snoozed' END AS own,
                           (SELECT c.id FROM tasks c
                             WHERE c.user_id = d.user_id AND c.deleted_at IS NULL AND c.updated_at > d.shown_at
                               AND c.completed_at > d.shown_at AND c.completed_at <= d.shown_at + $2 AND c.id <> d.task_id
                             ORDER BY c.completed_at, c.id LIMIT 1) AS other_id
                      FROM policy_decisions d
                      JOIN users u ON u.id = d.user_id
                      LEFT JOIN tasks t ON t.id = d.task_id AND t.user_id = d.user_id
                     WHERE d.outcome IS NULL AND (u.data_version <> d.data_version OR d.shown_at <= $1 - $2)",
            $whose,
            "
                  ) x LEFT JOIN tasks o ON o.id = x.other_id AND o.user_id = x.user_id
                 WHERE x.own_at IS NOT NULL OR o.id IS NOT NULL OR x.ends_at <= $1
                 LIMIT $3
              ) s
             WHERE policy_decisions.id = s.id AND policy_decisions.outcome IS NULL
        "
        )
    };
}

/// `$1` policy, `$2` and `$3` from when and until when, `$4` version or NULL, `$5` outcome or NULL, `$6` and `$7` the last
/// row that was seen, `$8` how many. Newest first.
const LIST_DECISIONS: &str = listed!("", " AND (shown_at, id) < ($6, $7) ORDER BY shown_at DESC, id DESC LIMIT $8");
/// The same, and `$9` user.
const LIST_OWN_DECISIONS: &str =
    listed!(" AND user_id = $9", " AND (shown_at, id) < ($6, $7) ORDER BY shown_at DESC, id DESC LIMIT $8");
/// `$1` to `$5` as in [`LIST_DECISIONS`].
const COUNT_DECISIONS: &str = filtered!("SELECT COUNT(*)", "", "");
/// The same, and `$6` user.
const COUNT_OWN_DECISIONS: &str = filtered!("SELECT COUNT(*)", " AND user_id = $6", "");
/// `$1` to `$5` as in [`LIST_DECISIONS`], `$6` how many versions. Those shown last come first.
const COUNT_OUTCOMES: &str = counted!("");
/// The same, and `$7` user.
const COUNT_OWN_OUTCOMES: &str = counted!(" AND user_id = $7");
/// `$1` user. All of theirs, oldest first.
pub(super) const EXPORT_DECISIONS: &str = "
    SELECT id, user_id, policy, version, params, shown_at, time_zone, context, candidates, total, outcome, outcome_at,
           instead_id
      FROM policy_decisions WHERE user_id = $1 ORDER BY shown_at, id
";
/// `$1` rows as a JSON array. Those of people who are gone meanwhile are left out.
const INSERT_DECISIONS: Sql = Sql {
    // The functions that take JSON apart have other names.
    sqlite: "
        INSERT INTO policy_decisions (id, user_id, policy, version, params, data_version, shown_at, time_zone, context,
                                      candidates, total, task_id, snoozes)
        SELECT unhex(d.value ->> 'id'), u.id, d.value ->> 'policy', d.value ->> 'version', d.value ->> 'params',
               d.value ->> 'data_version', d.value ->> 'shown_at', d.value ->> 'time_zone', d.value ->> 'context',
               d.value ->> 'candidates', d.value ->> 'total', unhex(d.value ->> 'task'), d.value ->> 'snoozes'
          FROM json_each($1) d CROSS JOIN users u WHERE u.id = unhex(d.value ->> 'user')
    ",
    postgres: "
        INSERT INTO policy_decisions (id, user_id, policy, version, params, data_version, shown_at, time_zone, context,
                                      candidates, total, task_id, snoozes)
        SELECT (d.value ->> 'id')::uuid, u.id, d.value ->> 'policy', d.value ->> 'version', d.value ->> 'params',
               (d.value ->> 'data_version')::bigint, (d.value ->> 'shown_at')::bigint, d.value ->> 'time_zone',
               d.value ->> 'context', d.value ->> 'candidates', (d.value ->> 'total')::bigint,
               (d.value ->> 'task')::uuid, (d.value ->> 'snoozes')::bigint
          FROM json_array_elements($1::json) d JOIN users u ON u.id = (d.value ->> 'user')::uuid
    ",
};
/// `$1` now, `$2` how long one waits for an outcome, `$3` how many rows at most. What happened first counts: the recommended
/// task was completed or put off, or another one was completed; after the wait, nothing did.
const SETTLE_DECISIONS: &str = settle!("");
/// The same, and `$4` user.
const SETTLE_OWN_DECISIONS: &str = settle!(" AND d.user_id = $4");
/// `$1` an id, `$2` how many. Ids begin with the moment at which they were made, so no other index is needed.
const DELETE_OLD_DECISIONS: &str = "
    DELETE FROM policy_decisions WHERE id IN (SELECT id FROM policy_decisions WHERE id < $1 ORDER BY id LIMIT $2)
";

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("LIST_DECISIONS", Sql::same(LIST_DECISIONS)),
    ("LIST_OWN_DECISIONS", Sql::same(LIST_OWN_DECISIONS)),
    ("COUNT_DECISIONS", Sql::same(COUNT_DECISIONS)),
    ("COUNT_OWN_DECISIONS", Sql::same(COUNT_OWN_DECISIONS)),
    ("COUNT_OUTCOMES", Sql::same(COUNT_OUTCOMES)),
    ("COUNT_OWN_OUTCOMES", Sql::same(COUNT_OWN_OUTCOMES)),
    ("EXPORT_DECISIONS", Sql::same(EXPORT_DECISIONS)),
    ("INSERT_DECISIONS", INSERT_DECISIONS),
    ("SETTLE_DECISIONS", Sql::same(SETTLE_DECISIONS)),
    ("SETTLE_OWN_DECISIONS", Sql::same(SETTLE_OWN_DECISIONS)),
    ("DELETE_OLD_DECISIONS", Sql::same(DELETE_OLD_DECISIONS)),
];

/// Binds `$1` to `$5` of the statements that choose recommendations.
macro_rules! bind_filter {
    ($query:expr, $filter:ident) => {{
        let (from, to) = $filter.span();
        $query.bind(&$filter.policy).bind(from).bind(to).bind(&$filter.version).bind($filter.outcome)
    }};
}

impl Store {
    /// Recommendations, newest first.
    pub async fn list_decisions(&self, filter: &DecisionFilter, slice: Slice) -> StoreResult<Vec<DecisionRecord>> {
        let (at, id) = slice.bounds();
        let statement = if filter.user.is_some() { LIST_OWN_DECISIONS } else { LIST_DECISIONS };
        Ok(on_database!(self.reader, |db| {
            let query = bind_filter!(sqlx::query_as(statement), filter).bind(at).bind(id).bind(slice.limit);
            let query = if let Some(user) = filter.user { query.bind(user.0) } else { query };
            query.fetch_all(db).await
        })?)
    }

    /// How many recommendations there are.
    pub async fn count_decisions(&self, filter: &DecisionFilter) -> StoreResult<i64> {
        let statement = if filter.user.is_some() { COUNT_OWN_DECISIONS } else { COUNT_DECISIONS };
        Ok(on_database!(self.reader, |db| {
            let query = bind_filter!(sqlx::query_scalar(statement), filter);
            let query = if let Some(user) = filter.user { query.bind(user.0) } else { query };
            query.fetch_one(db).await
        })?)
    }

    /// What became of recommendations, by version.
    pub async fn count_outcomes(&self, filter: &DecisionFilter, most: i64) -> StoreResult<Vec<OutcomeCounts>> {
        let statement = if filter.user.is_some() { COUNT_OWN_OUTCOMES } else { COUNT_OUTCOMES };
        Ok(on_database!(self.reader, |db| {
            let query = bind_filter!(sqlx::query_as(statement), filter).bind(most);
            let query = if let Some(user) = filter.user { query.bind(user.0) } else { query };
            query.fetch_all(db).await
        })?)
    }
}

impl Tx<'_> {
    /// Keeps recommendations: a JSON array of rows.
    pub async fn insert_decisions(&mut self, rows: &str) -> StoreResult<u64> {
        let statement = INSERT_DECISIONS.on(self.dialect());
        Ok(on_database!(self, |db| {
            sqlx::query(statement).bind(rows).execute(db).await.map(|done| done.rows_affected())
        })?)
    }

    /// Notes what became of at most `most` recommendations, of one person or of all, `wait` microseconds after they were
    /// shown at the latest; says of how many.
    pub async fn settle_decisions(
        &mut self,
        user: Option<UserId>,
        (now, wait): (Timestamp, i64),
        most: i64,
    ) -> StoreResult<u64> {
        let statement = if user.is_some() { SETTLE_OWN_DECISIONS } else { SETTLE_DECISIONS };
        Ok(on_database!(self, |db| {
            let query = sqlx::query(statement).bind(now.as_micros()).bind(wait).bind(most);
            let query = if let Some(user) = user { query.bind(user.0) } else { query };
            query.execute(db).await.map(|done| done.rows_affected())
        })?)
    }

    /// Deletes at most `most` rows with lesser ids than `before`, the oldest first; says how many.
    pub async fn delete_old_decisions(&mut self, before: Uuid, most: i64) -> StoreResult<u64> {
        Ok(on_database!(self, |db| {
            sqlx::query(DELETE_OLD_DECISIONS).bind(before).bind(most).execute(db).await.map(|done| done.rows_affected())
        })?)
    }
}
