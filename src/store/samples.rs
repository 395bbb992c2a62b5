//! A sample of people's tasks, for operators who try a policy: facts, without titles and texts.

use uuid::Uuid;

use super::tasks::{read_due, read_status, read_time};
use super::{Sql, Store, StoreResult, on_database};
use crate::clock::Timestamp;
use crate::ids::{TaskId, UserId};
use crate::scoring::{Candidate, Status};

/// Somebody of the sample, and how their days go.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SampledUser {
    /// Their id.
    pub id: Uuid,
    /// IANA name.
    pub time_zone: String,
    /// JSON; `None` leaves them to the policy.
    pub windows: Option<String>,
}

/// A task of somebody of the sample.
#[derive(Clone, Debug)]
pub struct SampledTask {
    /// Whose it is.
    pub user_id: UserId,
    /// What a policy sees of it, but for what it waits for.
    pub candidate: Candidate,
    /// The task that it is a part of.
    pub parent_id: Option<TaskId>,
    /// Until when it sleeps.
    pub snoozed_until: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct SampledRow {
    user_id: Uuid,
    id: Uuid,
    parent_id: Option<Uuid>,
    status: String,
    priority: i16,
    due_on: Option<String>,
    due_at: Option<i64>,
    effort_minutes: Option<i32>,
    preferred_time: Option<String>,
    snoozed_until: Option<i64>,
    snooze_count: i32,
    created_at: i64,
    project: Option<String>,
    labels: Option<String>,
}

macro_rules! sampled {
    ($users:literal) => {
        concat!(
            "SELECT t.user_id, t.id, t.parent_id, t.status, t.priority, t.due_on, t.due_at, t.effort_minutes, t.preferred_time,
                    t.snoozed_until, t.snooze_count, t.created_at, p.name AS project,
                    (SELECT string_agg(l.name, '\n') FROM task_labels x JOIN labels l ON l.id = x.label_id
                      WHERE x.task_id = t.id AND l.user_id = t.user_id) AS labels
               FROM tasks t LEFT JOIN projects p ON p.id = t.project_id AND p.user_id = t.user_id
              WHERE t.user_id IN (",
            $users,
            ") AND t.deleted_at IS NULL AND t.status <> 'completed'
              ORDER BY t.user_id, t.created_at, t.id LIMIT $2"
        )
    };
}

/// `$1` the first id, `$2` how many. People who may sign in, in the order of their ids.
const LIST_SAMPLED_USERS: &str = "
    SELECT id, time_zone, windows FROM users WHERE id >= $1 AND status = 'active' ORDER BY id LIMIT $2
";
/// One row: the first and the last id; NULL where there is nobody.
const BOUND_USERS: &str = "
    SELECT (SELECT id FROM users ORDER BY id LIMIT 1) AS first, (SELECT id FROM users ORDER BY id DESC LIMIT 1) AS last
";
/// `$1` users as a JSON array of ids, `$2` how many tasks at most.
const LIST_SAMPLED_TASKS: Sql = Sql {
    // SQLite has no arrays; ids are compared as the bytes that they are kept as.
    sqlite: sampled!("SELECT unhex(value) FROM json_each($1)"),
    postgres: sampled!("SELECT value::uuid FROM json_array_elements_text($1::json)"),
};

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("LIST_SAMPLED_USERS", Sql::same(LIST_SAMPLED_USERS)),
    ("BOUND_USERS", Sql::same(BOUND_USERS)),
    ("LIST_SAMPLED_TASKS", LIST_SAMPLED_TASKS),
];

impl Store {
    /// Some people, those of neighbouring ids; `share` of all ids, from 0 to 1, lies before the first of them.
    pub async fn sample_users(&self, share: f64, most: i64) -> StoreResult<Vec<SampledUser>> {
        let bounds: (Option<Uuid>, Option<Uuid>) =
            on_database!(self.reader, |db| sqlx::query_as(BOUND_USERS).fetch_one(db).await)?;
        let (Some(first), Some(last)) = bounds else { return Ok(Vec::new()) };
        let start = between(first, last, share);
        let found = self.users_from(start, most).await?;
        // Near the end there are too few; then those at the beginning are as good.
        let are_enough = i64::try_from(found.len()).is_ok_and(|count| count >= most);
        if are_enough || start == first { Ok(found) } else { self.users_from(first, most).await }
    }

    async fn users_from(&self, first: Uuid, most: i64) -> StoreResult<Vec<SampledUser>> {
        Ok(on_database!(self.reader, |db| {
            sqlx::query_as(LIST_SAMPLED_USERS).bind(first).bind(most).fetch_all(db).await
        })?)
    }

    /// The open tasks of some people, at most `most` together.
    pub async fn sample_tasks(&self, users: &[UserId], most: i64) -> StoreResult<Vec<SampledTask>> {
        let statement = LIST_SAMPLED_TASKS.on(self.dialect());
        let users: serde_json::Value = users.iter().map(|id| id.0.simple().to_string()).collect();
        let rows: Vec<SampledRow> = on_database!(self.reader, |db| {
            sqlx::query_as(statement).bind(users.to_string()).bind(most).fetch_all(db).await
        })?;
        rows.into_iter().map(SampledTask::try_from).collect()
    }
}

/// The id that lies at a share of the way from one id to another.
fn between(first: Uuid, last: Uuid, share: f64) -> Uuid {
    const STEPS: u128 = 1 << 20;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the share lies between 0 and 1")]
    let step = (share.clamp(0.0, 1.0) * 1_048_576.0) as u128;
    let width = last.as_u128().saturating_sub(first.as_u128());
    Uuid::from_u128(first.as_u128() + width / STEPS * step.min(STEPS))
}

impl TryFrom<SampledRow> for SampledTask {
    type Error = super::StoreError;

    fn try_from(row: SampledRow) -> StoreResult<Self> {
        let status: Status = read_status(&row.status)?;
        let priority =
            u8::try_from(row.priority).map_err(|_| super::StoreError::corrupt("priority", row.priority.to_string()))?;
        let labels = row.labels.as_deref().unwrap_or_default();
        let candidate = Candidate {
            status,
            due: read_due(row.due_on.as_deref(), row.due_at)?,
            effort_minutes: row.effort_minutes.and_then(|minutes| u32::try_from(minutes).ok()),
            preferred_time: read_time(row.preferred_time.as_deref())?,
            snooze_count: u32::try_from(row.snooze_count).unwrap_or(0),
            labels: labels.split('\n').filter(|name| !name.is_empty()).map(Into::into).collect(),
            project: row.project.map(Into::into),
            ..Candidate::new(TaskId(row.id), priority, Timestamp::from_micros(row.created_at))
        };
        let snoozed_until = row.snoozed_until.map(Timestamp::from_micros);
        Ok(Self { user_id: UserId(row.user_id), candidate, parent_id: row.parent_id.map(TaskId), snoozed_until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_way_lies_between_the_ends() {
        let (first, last) = (Uuid::from_u128(1 << 100), Uuid::from_u128(3 << 100));

        assert_eq!(between(first, last, 0.0), first);
        assert_eq!(between(first, last, 0.5), Uuid::from_u128(2 << 100));
        assert_eq!(between(first, last, 7.0), last);
        assert_eq!(between(last, first, 1.0), last);
    }
}
