//! Projects and labels: named groups of tasks, alike but for the way tasks refer to them.

use sqlx::FromRow;
use uuid::Uuid;

use super::tasks::ids_json;
use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::{LabelId, ProjectId, TaskId, UserId};
use crate::tasks::filter::Position;
use crate::tasks::groups::{Label, Project};
use crate::tasks::text::name_key;

/// `$1` owner, `$2` project.
const FIND_PROJECT: &str = "
    SELECT id, name, description, version, created_at, updated_at FROM projects WHERE user_id = $1 AND id = $2
";
/// `$1` owner, `$2`, `$3` the last row shown or NULL, `$4` how many rows.
const LIST_PROJECTS: &str = "
    SELECT id, name, description, version, created_at, updated_at FROM projects
     WHERE user_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR (created_at, id) > ($2, $3))
     ORDER BY created_at, id LIMIT $4
";
/// `$1` owner.
const COUNT_PROJECTS: &str = "SELECT COUNT(*) FROM projects WHERE user_id = $1";
/// `$1` project, `$2` owner, `$3` name, `$4` its key, `$5` description, `$6` version, `$7` created, `$8` updated.
const UPSERT_PROJECT: &str = "
    INSERT INTO projects (id, user_id, name, name_key, description, version, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (id) DO UPDATE
       SET name = excluded.name, name_key = excluded.name_key, description = excluded.description,
           version = excluded.version, updated_at = excluded.updated_at
     WHERE projects.user_id = excluded.user_id
";
/// `$1` owner, `$2` project.
const DELETE_PROJECT: &str = "DELETE FROM projects WHERE user_id = $1 AND id = $2";
/// `$1` owner, `$2` project.
const LIST_PROJECT_TASKS: &str = "SELECT id FROM tasks WHERE user_id = $1 AND project_id = $2";
/// `$1` owner, `$2` project, `$3` tasks as a JSON array of ids, `$4` now.
const ADD_TO_PROJECT: Sql = Sql {
    // SQLite has no arrays; ids are compared as the bytes that they are kept as.
    sqlite: "
        UPDATE tasks SET project_id = $2, version = version + 1, updated_at = $4
         WHERE user_id = $1 AND project_id IS NULL AND id IN (SELECT unhex(value) FROM json_each($3))
    ",
    postgres: "
        UPDATE tasks SET project_id = $2, version = version + 1, updated_at = $4
         WHERE user_id = $1 AND project_id IS NULL
           AND id IN (SELECT value::uuid FROM json_array_elements_text($3::json))
    ",
};
/// `$1` owner, `$2` project, `$3` now. Before the project goes, so that its tasks are seen to change.
const LEAVE_PROJECT: &str = "
    UPDATE tasks SET project_id = NULL, version = version + 1, updated_at = $3 WHERE user_id = $1 AND project_id = $2
";

/// `$1` owner, `$2` label.
const FIND_LABEL: &str = "SELECT id, name, version, created_at, updated_at FROM labels WHERE user_id = $1 AND id = $2";
/// `$1` owner, `$2`, `$3` the last row shown or NULL, `$4` how many rows.
const LIST_LABELS: &str = "
    SELECT id, name, version, created_at, updated_at FROM labels
     WHERE user_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR (created_at, id) > ($2, $3))
     ORDER BY created_at, id LIMIT $4
";
/// `$1` owner.
const COUNT_LABELS: &str = "SELECT COUNT(*) FROM labels WHERE user_id = $1";
/// `$1` label, `$2` owner, `$3` name, `$4` its key, `$5` version, `$6` created, `$7` updated.
const UPSERT_LABEL: &str = "
    INSERT INTO labels (id, user_id, name, name_key, version, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (id) DO UPDATE
       SET name = excluded.name, name_key = excluded.name_key, version = excluded.version,
           updated_at = excluded.updated_at
     WHERE labels.user_id = excluded.user_id
";
/// `$1` owner, `$2` label.
const DELETE_LABEL: &str = "DELETE FROM labels WHERE user_id = $1 AND id = $2";
/// `$1` owner, `$2` label.
const LIST_LABEL_TASKS: &str = "
    SELECT x.task_id FROM task_labels x JOIN labels l ON l.id = x.label_id WHERE l.user_id = $1 AND l.id = $2
";
/// `$1` owner, `$2` label, `$3` now. Its tasks show its name, so they change with it.
const TOUCH_LABEL_TASKS: &str = "
    UPDATE tasks SET version = version + 1, updated_at = $3
     WHERE user_id = $1 AND id IN (SELECT task_id FROM task_labels WHERE label_id = $2)
";
/// `$1` owner, `$2` label, `$3` tasks as a JSON array of ids.
const ADD_LABEL: Sql = Sql {
    sqlite: "
        INSERT INTO task_labels (task_id, label_id)
        SELECT id, $2 FROM tasks WHERE user_id = $1 AND id IN (SELECT unhex(value) FROM json_each($3))
    ",
    postgres: "
        INSERT INTO task_labels (task_id, label_id)
        SELECT id, $2 FROM tasks
         WHERE user_id = $1 AND id IN (SELECT value::uuid FROM json_array_elements_text($3::json))
    ",
};

pub(super) const STATEMENTS: &[(&str, Sql)] = &[
    ("FIND_PROJECT", Sql::same(FIND_PROJECT)),
    ("LIST_PROJECTS", Sql::same(LIST_PROJECTS)),
    ("COUNT_PROJECTS", Sql::same(COUNT_PROJECTS)),
    ("UPSERT_PROJECT", Sql::same(UPSERT_PROJECT)),
    ("DELETE_PROJECT", Sql::same(DELETE_PROJECT)),
    ("LIST_PROJECT_TASKS", Sql::same(LIST_PROJECT_TASKS)),
    ("ADD_TO_PROJECT", ADD_TO_PROJECT),
    ("LEAVE_PROJECT", Sql::same(LEAVE_PROJECT)),
    ("FIND_LABEL", Sql::same(FIND_LABEL)),
    ("LIST_LABELS", Sql::same(LIST_LABELS)),
    ("COUNT_LABELS", Sql::same(COUNT_LABELS)),
    ("UPSERT_LABEL", Sql::same(UPSERT_LABEL)),
    ("DELETE_LABEL", Sql::same(DELETE_LABEL)),
    ("LIST_LABEL_TASKS", Sql::same(LIST_LABEL_TASKS)),
    ("TOUCH_LABEL_TASKS", Sql::same(TOUCH_LABEL_TASKS)),
    ("ADD_LABEL", ADD_LABEL),
];

#[derive(FromRow)]
pub(super) struct ProjectRow {
    id: Uuid,
    name: String,
    description: Option<String>,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

impl From<ProjectRow> for Project {
    fn from(row: ProjectRow) -> Self {
        Self {
            id: ProjectId(row.id),
            name: row.name,
            description: row.description,
            version: row.version,
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        }
    }
}

#[derive(FromRow)]
pub(super) struct LabelRow {
    id: Uuid,
    name: String,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

impl From<LabelRow> for Label {
    fn from(row: LabelRow) -> Self {
        Self {
            id: LabelId(row.id),
            name: row.name,
            version: row.version,
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        }
    }
}

impl Store {
    /// The owner's project.
    pub async fn find_project(&self, owner: UserId, id: ProjectId) -> StoreResult<Option<Project>> {
        let row: Option<ProjectRow> = on_database!(self.reader, |db| {
            sqlx::query_as(FIND_PROJECT).bind(owner.0).bind(id.0).fetch_optional(db).await?
        });
        Ok(row.map(Project::from))
    }

    /// The owner's projects after a position, oldest first.
    pub async fn list_projects(&self, owner: UserId, after: Option<Position>, limit: u32) -> StoreResult<Vec<Project>> {
        let rows: Vec<ProjectRow> = on_database!(self.reader, |db| {
            let query = sqlx::query_as(LIST_PROJECTS).bind(owner.0).bind(after.map(|at| at.key));
            query.bind(after.map(|at| at.id)).bind(i64::from(limit)).fetch_all(db).await?
        });
        Ok(rows.into_iter().map(Project::from).collect())
    }

    /// How many projects the owner has.
    pub async fn count_projects(&self, owner: UserId) -> StoreResult<u64> {
        let count: i64 =
            on_database!(self.reader, |db| sqlx::query_scalar(COUNT_PROJECTS).bind(owner.0).fetch_one(db).await?);
        Ok(count.unsigned_abs())
    }

    /// The owner's label.
    pub async fn find_label(&self, owner: UserId, id: LabelId) -> StoreResult<Option<Label>> {
        let row: Option<LabelRow> = on_database!(self.reader, |db| {
            sqlx::query_as(FIND_LABEL).bind(owner.0).bind(id.0).fetch_optional(db).await?
        });
        Ok(row.map(Label::from))
    }

    /// The owner's labels after a position, oldest first.
    pub async fn list_labels(&self, owner: UserId, after: Option<Position>, limit: u32) -> StoreResult<Vec<Label>> {
        let rows: Vec<LabelRow> = on_database!(self.reader, |db| {
            let query = sqlx::query_as(LIST_LABELS).bind(owner.0).bind(after.map(|at| at.key));
            query.bind(after.map(|at| at.id)).bind(i64::from(limit)).fetch_all(db).await?
        });
        Ok(rows.into_iter().map(Label::from).collect())
    }

    /// How many labels the owner has.
    pub async fn count_labels(&self, owner: UserId) -> StoreResult<u64> {
        let count: i64 =
            on_database!(self.reader, |db| sqlx::query_scalar(COUNT_LABELS).bind(owner.0).fetch_one(db).await?);
        Ok(count.unsigned_abs())
    }
}

impl Tx<'_> {
    /// The owner's project.
    pub async fn find_project(&mut self, owner: UserId, id: ProjectId) -> StoreResult<Option<Project>> {
        let row: Option<ProjectRow> = on_database!(self, |db| {
            sqlx::query_as(FIND_PROJECT).bind(owner.0).bind(id.0).fetch_optional(db).await?
        });
        Ok(row.map(Project::from))
    }

    /// Writes a project, new or changed.
    pub async fn save_project(&mut self, owner: UserId, project: &Project) -> StoreResult<()> {
        on_database!(self, |db| {
            sqlx::query(UPSERT_PROJECT)
                .bind(project.id.0)
                .bind(owner.0)
                .bind(&project.name)
                .bind(name_key(&project.name))
                .bind(&project.description)
                .bind(project.version)
                .bind(project.created_at.as_micros())
                .bind(project.updated_at.as_micros())
                .execute(db)
                .await?;
        });
        Ok(())
    }

    /// Removes a project; its tasks stay. Returns their ids.
    pub async fn delete_project(&mut self, owner: UserId, id: ProjectId, now: Timestamp) -> StoreResult<Vec<TaskId>> {
        let tasks: Vec<Uuid> = on_database!(self, |db| {
            let tasks = sqlx::query_scalar(LIST_PROJECT_TASKS).bind(owner.0).bind(id.0).fetch_all(&mut *db).await?;
            sqlx::query(LEAVE_PROJECT).bind(owner.0).bind(id.0).bind(now.as_micros()).execute(&mut *db).await?;
            sqlx::query(DELETE_PROJECT).bind(owner.0).bind(id.0).execute(db).await?;
            tasks
        });
        Ok(tasks.into_iter().map(TaskId).collect())
    }

    /// Puts tasks that have no project into this one.
    pub async fn add_to_project(
        &mut self,
        owner: UserId,
        id: ProjectId,
        tasks: &[TaskId],
        now: Timestamp,
    ) -> StoreResult<()> {
        let statement = ADD_TO_PROJECT.on(self.dialect());
        on_database!(self, |db| {
            let query = sqlx::query(statement).bind(owner.0).bind(id.0).bind(ids_json(tasks));
            query.bind(now.as_micros()).execute(db).await?;
        });
        Ok(())
    }

    /// The owner's label.
    pub async fn find_label(&mut self, owner: UserId, id: LabelId) -> StoreResult<Option<Label>> {
        let row: Option<LabelRow> =
            on_database!(self, |db| sqlx::query_as(FIND_LABEL).bind(owner.0).bind(id.0).fetch_optional(db).await?);
        Ok(row.map(Label::from))
    }

    /// Writes a label, new or changed; the tasks that have it change with it.
    pub async fn save_label(&mut self, owner: UserId, label: &Label) -> StoreResult<()> {
        on_database!(self, |db| {
            sqlx::query(UPSERT_LABEL)
                .bind(label.id.0)
                .bind(owner.0)
                .bind(&label.name)
                .bind(name_key(&label.name))
                .bind(label.version)
                .bind(label.created_at.as_micros())
                .bind(label.updated_at.as_micros())
                .execute(&mut *db)
                .await?;
            let query = sqlx::query(TOUCH_LABEL_TASKS).bind(owner.0).bind(label.id.0);
            query.bind(label.updated_at.as_micros()).execute(db).await?;
        });
        Ok(())
    }

    /// The tasks that have a label, deleted ones too.
    pub async fn list_label_tasks(&mut self, owner: UserId, id: LabelId) -> StoreResult<Vec<TaskId>> {
        let tasks: Vec<Uuid> = on_database!(self, |db| {
            sqlx::query_scalar(LIST_LABEL_TASKS).bind(owner.0).bind(id.0).fetch_all(db).await?
        });
        Ok(tasks.into_iter().map(TaskId).collect())
    }

    /// Removes a label from its tasks and from the list. Returns the tasks.
    pub async fn delete_label(&mut self, owner: UserId, id: LabelId, now: Timestamp) -> StoreResult<Vec<TaskId>> {
        let tasks: Vec<Uuid> = on_database!(self, |db| {
            let tasks = sqlx::query_scalar(LIST_LABEL_TASKS).bind(owner.0).bind(id.0).fetch_all(&mut *db).await?;
            sqlx::query(TOUCH_LABEL_TASKS).bind(owner.0).bind(id.0).bind(now.as_micros()).execute(&mut *db).await?;
            sqlx::query(DELETE_LABEL).bind(owner.0).bind(id.0).execute(db).await?;
            tasks
        });
        Ok(tasks.into_iter().map(TaskId).collect())
    }

    /// Gives a label to tasks that do not have it.
    pub async fn add_label(&mut self, owner: UserId, id: LabelId, tasks: &[TaskId], now: Timestamp) -> StoreResult<()> {
        let statement = ADD_LABEL.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(statement).bind(owner.0).bind(id.0).bind(ids_json(tasks)).execute(&mut *db).await?;
            sqlx::query(TOUCH_LABEL_TASKS).bind(owner.0).bind(id.0).bind(now.as_micros()).execute(db).await?;
        });
        Ok(())
    }
}
