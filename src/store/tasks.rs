//! Tasks: one row each, their labels in a table of their own.

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Sql, Store, StoreError, StoreResult, Tx, on_database};
use crate::calendar::{Due, TimeOfDay};
use crate::clock::Timestamp;
use crate::ids::{LabelId, ProjectId, TaskId, UserId};
use crate::tasks::search::words;
use crate::tasks::task::{Status, Task};
use crate::tasks::text::name_key;

/// What [`TaskRow`] reads, from a table called `t`. A label's name has no line break, so one separates them.
macro_rules! task_columns {
    () => {
        "t.id, t.project_id, t.parent_id, t.title, t.description, t.status, t.priority, t.due_on, t.due_at,
         t.effort_minutes, t.preferred_time, t.snoozed_until, t.snooze_count, t.completed_at, t.version, t.created_at,
         t.updated_at, t.deleted_at,
         (SELECT string_agg(l.name, '\n') FROM task_labels x JOIN labels l ON l.id = x.label_id
           WHERE x.task_id = t.id AND l.user_id = t.user_id) AS labels"
    };
}
pub(super) use task_columns;

/// `$1` owner, `$2` task. At most one row, deleted or not.
const FIND_TASK: &str = concat!("SELECT ", task_columns!(), " FROM tasks t WHERE t.user_id = $1 AND t.id = $2");

/// `$1` owner, `$2` tasks as a JSON array of ids. The rows that exist, in no order.
pub(super) const FIND_TASKS: Sql = Sql {
    // SQLite has no arrays; ids are compared as the bytes that they are kept as.
    sqlite: concat!(
        "SELECT ",
        task_columns!(),
        " FROM tasks t WHERE t.user_id = $1 AND t.id IN (SELECT unhex(value) FROM json_each($2))"
    ),
    postgres: concat!(
        "SELECT ",
        task_columns!(),
        " FROM tasks t WHERE t.user_id = $1 AND t.id IN (SELECT value::uuid FROM json_array_elements_text($2::json))"
    ),
};

/// `$1` owner, `$2` task. The task and everything below it that is not deleted.
///
/// SQLite takes CROSS JOIN as an order: without it, it reads all tasks and looks for each among the few.
const FIND_SUBTREE: &str = concat!(
    "WITH RECURSIVE down (id) AS (
        SELECT id FROM tasks WHERE id = $2 AND user_id = $1 AND deleted_at IS NULL
        UNION
        SELECT s.id FROM down CROSS JOIN tasks s
         WHERE s.parent_id = down.id AND s.user_id = $1 AND s.deleted_at IS NULL
     ) SELECT ",
    task_columns!(),
    " FROM down CROSS JOIN tasks t WHERE t.id = down.id AND t.user_id = $1"
);

/// `$1` owner, `$2` task. The ids of the task and of everything above it.
const FIND_ANCESTORS: &str = "
    WITH RECURSIVE up (id, parent_id) AS (
        SELECT id, parent_id FROM tasks WHERE id = $2 AND user_id = $1
        UNION
        SELECT t.id, t.parent_id FROM tasks t JOIN up ON t.id = up.parent_id WHERE t.user_id = $1
    ) SELECT id FROM up
";

/// `$1` task, `$2` owner, then the columns in this order.
pub(super) const INSERT_TASK: &str = "
    INSERT INTO tasks (id, user_id, project_id, parent_id, title, description, status, priority, due_on, due_at,
                       effort_minutes, preferred_time, snoozed_until, snooze_count, completed_at, search_title,
                       search_body, version, created_at, updated_at, deleted_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
";

/// `$1` task, `$2` owner, then the columns as in [`INSERT_TASK`].
const UPDATE_TASK: &str = "
    UPDATE tasks
       SET project_id = $3, parent_id = $4, title = $5, description = $6, status = $7, priority = $8, due_on = $9,
           due_at = $10, effort_minutes = $11, preferred_time = $12, snoozed_until = $13, snooze_count = $14,
           completed_at = $15, search_title = $16, search_body = $17, version = $18, created_at = $19,
           updated_at = $20, deleted_at = $21
     WHERE id = $1 AND user_id = $2
";

/// `$1` owner, `$2` labels as a JSON array of `{id, name, key}`, `$3` now. Makes those that do not exist, and
/// returns their ids.
const INSERT_MISSING_LABELS: Sql = Sql {
    // The functions that take JSON apart have other names.
    sqlite: "
        INSERT INTO labels (id, user_id, name, name_key, version, created_at, updated_at)
        SELECT unhex(value ->> 'id'), $1, value ->> 'name', value ->> 'key', 1, $3, $3 FROM json_each($2) WHERE true
            ON CONFLICT (user_id, name_key) DO NOTHING RETURNING id
    ",
    postgres: "
        INSERT INTO labels (id, user_id, name, name_key, version, created_at, updated_at)
        SELECT (value ->> 'id')::uuid, $1, value ->> 'name', value ->> 'key', 1, $3, $3
          FROM json_array_elements($2::json)
            ON CONFLICT (user_id, name_key) DO NOTHING RETURNING id
    ",
};

/// `$1` owner, `$2` task.
const CLEAR_LABELS: &str = "
    DELETE FROM task_labels
     WHERE task_id = $2 AND EXISTS (SELECT 1 FROM tasks t WHERE t.id = $2 AND t.user_id = $1)
";

/// `$1` owner, `$2` task, `$3` the labels' keys as a JSON array.
const ATTACH_LABELS: Sql = Sql {
    sqlite: "
        INSERT INTO task_labels (task_id, label_id)
        SELECT $2, id FROM labels WHERE user_id = $1 AND name_key IN (SELECT value FROM json_each($3))
    ",
    postgres: "
        INSERT INTO task_labels (task_id, label_id)
        SELECT $2, id FROM labels WHERE user_id = $1 AND name_key IN (SELECT json_array_elements_text($3::json))
    ",
};

/// `$1` owner. The days for which the user has tasks that are due on a date alone.
const LIST_DUE_DAYS: &str = "SELECT DISTINCT due_on FROM tasks WHERE user_id = $1 AND due_on IS NOT NULL";

/// `$1` owner, `$2` a JSON array of `{on, at}`: the last moment of each day, in another zone than before.
const MOVE_DUE_DAYS: Sql = Sql {
    sqlite: "
        UPDATE tasks SET due_at = d.value ->> 'at' FROM json_each($2) d
         WHERE tasks.user_id = $1 AND tasks.due_on = d.value ->> 'on'
    ",
    postgres: "
        UPDATE tasks SET due_at = (d.value ->> 'at')::bigint FROM json_array_elements($2::json) d
         WHERE tasks.user_id = $1 AND tasks.due_on = d.value ->> 'on'
    ",
};

pub(super) const STATEMENTS: &[(&str, Sql)] = &[
    ("FIND_TASK", Sql::same(FIND_TASK)),
    ("FIND_TASKS", FIND_TASKS),
    ("FIND_SUBTREE", Sql::same(FIND_SUBTREE)),
    ("FIND_ANCESTORS", Sql::same(FIND_ANCESTORS)),
    ("INSERT_TASK", Sql::same(INSERT_TASK)),
    ("UPDATE_TASK", Sql::same(UPDATE_TASK)),
    ("INSERT_MISSING_LABELS", INSERT_MISSING_LABELS),
    ("CLEAR_LABELS", Sql::same(CLEAR_LABELS)),
    ("ATTACH_LABELS", ATTACH_LABELS),
    ("LIST_DUE_DAYS", Sql::same(LIST_DUE_DAYS)),
    ("MOVE_DUE_DAYS", MOVE_DUE_DAYS),
];

/// A row of [`task_columns!`].
#[derive(FromRow)]
pub(super) struct TaskRow {
    id: Uuid,
    project_id: Option<Uuid>,
    parent_id: Option<Uuid>,
    title: String,
    description: Option<String>,
    status: String,
    priority: i16,
    due_on: Option<String>,
    due_at: Option<i64>,
    effort_minutes: Option<i32>,
    preferred_time: Option<String>,
    snoozed_until: Option<i64>,
    snooze_count: i32,
    completed_at: Option<i64>,
    version: i64,
    created_at: i64,
    updated_at: i64,
    deleted_at: Option<i64>,
    labels: Option<String>,
}

impl TryFrom<TaskRow> for Task {
    type Error = StoreError;

    fn try_from(row: TaskRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: TaskId(row.id),
            status: read_status(&row.status)?,
            priority: u8::try_from(row.priority)
                .map_err(|_| StoreError::corrupt("priority", row.priority.to_string()))?,
            due: read_due(row.due_on.as_deref(), row.due_at)?,
            effort_minutes: row.effort_minutes.and_then(|minutes| u32::try_from(minutes).ok()),
            preferred_time: read_time(row.preferred_time.as_deref())?,
            snoozed_until: row.snoozed_until.map(Timestamp::from_micros),
            snooze_count: u32::try_from(row.snooze_count).unwrap_or(0),
            labels: row.labels.as_deref().map(read_labels).unwrap_or_default(),
            project_id: row.project_id.map(ProjectId),
            parent_id: row.parent_id.map(TaskId),
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
            completed_at: row.completed_at.map(Timestamp::from_micros),
            deleted_at: row.deleted_at.map(Timestamp::from_micros),
            version: row.version,
            title: row.title,
            description: row.description,
        })
    }
}

/// Sorted here, since PostgreSQL would sort by the rules of its server's language.
fn read_labels(names: &str) -> Vec<String> {
    let mut names: Vec<String> = names.split('\n').map(str::to_owned).collect();
    names.sort_by_cached_key(|name| name_key(name));
    names
}

pub(super) fn read_status(text: &str) -> StoreResult<Status> {
    Status::parse(text).ok_or_else(|| StoreError::corrupt("status", text))
}

pub(super) fn read_time(text: Option<&str>) -> StoreResult<Option<TimeOfDay>> {
    text.map(|text| TimeOfDay::parse(text).ok_or_else(|| StoreError::corrupt("preferred_time", text))).transpose()
}

pub(super) fn read_due(on: Option<&str>, at: Option<i64>) -> StoreResult<Option<Due>> {
    match (on, at) {
        (Some(on), _) => {
            on.parse::<NaiveDate>().map(|date| Some(Due::On(date))).map_err(|_| StoreError::corrupt("due_on", on))
        }
        (None, Some(at)) => Ok(Some(Due::At(Timestamp::from_micros(at)))),
        (None, None) => Ok(None),
    }
}

pub(super) fn read_tasks(rows: Vec<TaskRow>) -> StoreResult<Vec<Task>> {
    rows.into_iter().map(Task::try_from).collect()
}

/// Ids as a JSON array: plain hexadecimal, which both databases read.
pub(super) fn ids_json(ids: &[TaskId]) -> String {
    ids.iter().map(|id| id.0.simple().to_string()).collect::<serde_json::Value>().to_string()
}

impl Store {
    /// The owner's task, if there is one that is not deleted.
    pub async fn find_task(&self, owner: UserId, id: TaskId) -> StoreResult<Option<Task>> {
        let row: Option<TaskRow> = on_database!(self.reader, |db| {
            sqlx::query_as(FIND_TASK).bind(owner.0).bind(id.0).fetch_optional(db).await?
        });
        let task = row.map(Task::try_from).transpose()?;
        Ok(task.filter(|task| task.deleted_at.is_none()))
    }

    /// The owner's tasks among `ids` that are not deleted, in the order of `ids`.
    pub async fn find_tasks(&self, owner: UserId, ids: &[TaskId]) -> StoreResult<Vec<Task>> {
        let statement = FIND_TASKS.on(self.dialect());
        let rows = on_database!(self.reader, |db| {
            sqlx::query_as(statement).bind(owner.0).bind(ids_json(ids)).fetch_all(db).await?
        });
        let mut tasks = read_tasks(rows)?;
        tasks.retain(|task| task.deleted_at.is_none());
        let places: HashMap<TaskId, usize> = ids.iter().copied().zip(0..).collect();
        tasks.sort_unstable_by_key(|task| places.get(&task.id).copied());
        Ok(tasks)
    }
}

impl Tx<'_> {
    /// The owner's task, deleted or not.
    pub async fn find_task(&mut self, owner: UserId, id: TaskId) -> StoreResult<Option<Task>> {
        let row: Option<TaskRow> =
            on_database!(self, |db| sqlx::query_as(FIND_TASK).bind(owner.0).bind(id.0).fetch_optional(db).await?);
        row.map(Task::try_from).transpose()
    }

    /// The owner's tasks among `ids`, deleted or not, oldest first.
    pub async fn find_tasks(&mut self, owner: UserId, ids: &[TaskId]) -> StoreResult<Vec<Task>> {
        let statement = FIND_TASKS.on(self.dialect());
        let rows = on_database!(self, |db| {
            sqlx::query_as(statement).bind(owner.0).bind(ids_json(ids)).fetch_all(db).await?
        });
        let mut tasks = read_tasks(rows)?;
        tasks.sort_unstable_by_key(|task| task.id);
        Ok(tasks)
    }

    /// The owner's task and all of its parts that are not deleted.
    pub async fn find_subtree(&mut self, owner: UserId, id: TaskId) -> StoreResult<Vec<Task>> {
        let rows = on_database!(self, |db| sqlx::query_as(FIND_SUBTREE).bind(owner.0).bind(id.0).fetch_all(db).await?);
        read_tasks(rows)
    }

    /// The ids of the owner's task and of all that it is a part of.
    pub async fn find_ancestors(&mut self, owner: UserId, id: TaskId) -> StoreResult<Vec<TaskId>> {
        let ids: Vec<Uuid> = on_database!(self, |db| {
            sqlx::query_scalar(FIND_ANCESTORS).bind(owner.0).bind(id.0).fetch_all(db).await?
        });
        Ok(ids.into_iter().map(TaskId).collect())
    }

    /// Writes a new row; `due_at` is the last moment at which it is not late, in the owner's zone.
    /// Returns the labels that came to be with it.
    pub async fn insert_task(
        &mut self,
        owner: UserId,
        task: &Task,
        due_at: Option<Timestamp>,
    ) -> StoreResult<Vec<LabelId>> {
        self.write_task(INSERT_TASK, owner, task, due_at).await?;
        self.attach_labels(owner, task).await
    }

    /// Replaces a row and its labels. Returns the labels that came to be with it.
    pub async fn update_task(
        &mut self,
        owner: UserId,
        task: &Task,
        due_at: Option<Timestamp>,
    ) -> StoreResult<Vec<LabelId>> {
        self.write_task(UPDATE_TASK, owner, task, due_at).await?;
        on_database!(self, |db| sqlx::query(CLEAR_LABELS).bind(owner.0).bind(task.id.0).execute(db).await.map(drop))?;
        self.attach_labels(owner, task).await
    }

    pub(super) async fn write_task(
        &mut self,
        statement: &'static str,
        owner: UserId,
        task: &Task,
        due_at: Option<Timestamp>,
    ) -> StoreResult<()> {
        let due_on = match task.due {
            Some(due @ Due::On(_)) => Some(due.to_string()),
            _ => None,
        };
        on_database!(self, |db| {
            sqlx::query(statement)
                .bind(task.id.0)
                .bind(owner.0)
                .bind(task.project_id.map(|id| id.0))
                .bind(task.parent_id.map(|id| id.0))
                .bind(&task.title)
                .bind(&task.description)
                .bind(task.status.as_str())
                .bind(i16::from(task.priority))
                .bind(due_on)
                .bind(due_at.map(Timestamp::as_micros))
                .bind(task.effort_minutes.map(u32::cast_signed))
                .bind(task.preferred_time.map(TimeOfDay::as_str))
                .bind(task.snoozed_until.map(Timestamp::as_micros))
                .bind(task.snooze_count.cast_signed())
                .bind(task.completed_at.map(Timestamp::as_micros))
                .bind(words(&task.title))
                .bind(task.description.as_deref().map(words).unwrap_or_default())
                .bind(task.version)
                .bind(task.created_at.as_micros())
                .bind(task.updated_at.as_micros())
                .bind(task.deleted_at.map(Timestamp::as_micros))
                .execute(db)
                .await?;
        });
        Ok(())
    }

    /// Gives a task that has none its labels, making those that the owner does not have yet; returns these.
    async fn attach_labels(&mut self, owner: UserId, task: &Task) -> StoreResult<Vec<LabelId>> {
        if task.labels.is_empty() {
            return Ok(Vec::new());
        }
        let dialect = self.dialect();
        let labels = task.labels.iter().map(|name| {
            let id = LabelId::new(task.updated_at).0.simple().to_string();
            serde_json::json!({ "id": id, "name": name, "key": name_key(name) })
        });
        let labels = labels.collect::<serde_json::Value>().to_string();
        let keys = task.labels.iter().map(|name| name_key(name)).collect::<serde_json::Value>().to_string();
        let made: Vec<Uuid> = on_database!(self, |db| {
            let made = sqlx::query_scalar(INSERT_MISSING_LABELS.on(dialect)).bind(owner.0).bind(labels);
            let made = made.bind(task.updated_at.as_micros()).fetch_all(&mut *db).await?;
            sqlx::query(ATTACH_LABELS.on(dialect)).bind(owner.0).bind(task.id.0).bind(keys).execute(db).await?;
            made
        });
        Ok(made.into_iter().map(LabelId).collect())
    }

    /// Moves what is due on a date alone to the end of that day in another zone.
    pub async fn move_due_days(&mut self, owner: UserId, zone: chrono_tz::Tz) -> StoreResult<()> {
        let dialect = self.dialect();
        let days: Vec<String> =
            on_database!(self, |db| sqlx::query_scalar(LIST_DUE_DAYS).bind(owner.0).fetch_all(db).await?);
        let days = days.iter().map(|on| {
            let date = on.parse().map_err(|_| StoreError::corrupt("due_on", on))?;
            Ok(serde_json::json!({ "on": on, "at": Due::On(date).last_moment(zone).as_micros() }))
        });
        let days = serde_json::Value::Array(days.collect::<StoreResult<_>>()?).to_string();
        on_database!(self, |db| {
            sqlx::query(MOVE_DUE_DAYS.on(dialect)).bind(owner.0).bind(days).execute(db).await?;
        });
        Ok(())
    }
}
