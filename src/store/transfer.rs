//! Everything of one owner at once: read in one snapshot for an export, written in bulk for an import.

use futures_util::TryStreamExt;
use serde_json::{Value, json};
use sqlx::FromRow;

use super::attachments::{AttachmentRow, EXPORT_ATTACHMENTS};
use super::groups::{LabelRow, ProjectRow};
use super::policy_decisions::{DecisionRecord, EXPORT_DECISIONS};
use super::tasks::{INSERT_TASK, TaskRow, ids_json, task_columns};
use super::{Dialect, Sql, Store, StoreError, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::{LabelId, ProjectId, TaskId, UserId};
use crate::tasks::attachments::Attachment;
use crate::tasks::groups::{Label, Project};
use crate::tasks::task::Task;
use crate::tasks::text::name_key;

/// `$1` owner. All projects, oldest first.
const EXPORT_PROJECTS: &str = "
    SELECT id, name, description, version, created_at, updated_at FROM projects WHERE user_id = $1
     ORDER BY created_at, id
";
/// `$1` owner. All labels, oldest first.
const EXPORT_LABELS: &str = "
    SELECT id, name, version, created_at, updated_at FROM labels WHERE user_id = $1 ORDER BY created_at, id
";
/// `$1` owner. All tasks that are not deleted, oldest first; a deleted parent is not among them, so it is not named.
const EXPORT_TASKS: &str = concat!(
    "SELECT EXISTS (SELECT 1 FROM tasks p WHERE p.id = t.parent_id AND p.user_id = $1 AND p.deleted_at IS NULL)
            AS has_parent, ",
    task_columns!(),
    " FROM tasks t WHERE t.user_id = $1 AND t.deleted_at IS NULL ORDER BY t.created_at, t.id"
);

/// `$1` owner, `$2` labels as a JSON array. Makes those whose name the owner does not have yet.
const INSERT_LABELS: Sql = Sql {
    // The functions that take JSON apart have other names.
    sqlite: "
        INSERT INTO labels (id, user_id, name, name_key, version, created_at, updated_at)
        SELECT unhex(value ->> 'id'), $1, value ->> 'name', value ->> 'key', value ->> 'version', value ->> 'created',
               value ->> 'updated'
          FROM json_each($2) WHERE true
            ON CONFLICT (user_id, name_key) DO NOTHING
    ",
    postgres: "
        INSERT INTO labels (id, user_id, name, name_key, version, created_at, updated_at)
        SELECT (value ->> 'id')::uuid, $1, value ->> 'name', value ->> 'key', (value ->> 'version')::bigint,
               (value ->> 'created')::bigint, (value ->> 'updated')::bigint
          FROM json_array_elements($2::json)
            ON CONFLICT (user_id, name_key) DO NOTHING
    ",
};
/// `$1` owner, `$2` pairs of a task and a label as a JSON array.
const INSERT_TASK_LABELS: Sql = Sql {
    // CROSS JOIN keeps SQLite from going through all labels for each pair.
    sqlite: "
        INSERT INTO task_labels (task_id, label_id)
        SELECT unhex(pair.value ->> 0), l.id
          FROM json_each($2) pair CROSS JOIN labels l ON l.id = unhex(pair.value ->> 1) AND l.user_id = $1
    ",
    postgres: "
        INSERT INTO task_labels (task_id, label_id)
        SELECT (pair.value ->> 0)::uuid, l.id
          FROM json_array_elements($2::json) pair
          JOIN labels l ON l.id = (pair.value ->> 1)::uuid AND l.user_id = $1
    ",
};

/// `$1` owner, `$2` tasks as a JSON array of ids. How many other tasks that are not deleted are parts of them.
const COUNT_OTHER_PARTS: Sql = Sql {
    // SQLite has no arrays; ids are compared as the bytes that they are kept as.
    sqlite: "
        WITH these (id) AS (SELECT unhex(value) FROM json_each($2))
        SELECT COUNT(*) FROM tasks
         WHERE user_id = $1 AND deleted_at IS NULL AND parent_id IN (SELECT id FROM these)
           AND id NOT IN (SELECT id FROM these)
    ",
    postgres: "
        WITH these (id) AS (SELECT value::uuid FROM json_array_elements_text($2::json))
        SELECT COUNT(*) FROM tasks
         WHERE user_id = $1 AND deleted_at IS NULL AND parent_id IN (SELECT id FROM these)
           AND id NOT IN (SELECT id FROM these)
    ",
};
/// `$1` owner, `$2` tasks as a JSON array of ids.
const DELETE_TASKS: Sql = Sql {
    sqlite: "DELETE FROM tasks WHERE user_id = $1 AND id IN (SELECT unhex(value) FROM json_each($2))",
    postgres: "
        DELETE FROM tasks
         WHERE user_id = $1 AND id IN (SELECT value::uuid FROM json_array_elements_text($2::json))
    ",
};
/// `$1` owner, `$2` projects as a JSON array of ids. Those that were never changed and hold no task.
const DELETE_UNUSED_PROJECTS: Sql = Sql {
    sqlite: "
        DELETE FROM projects
         WHERE user_id = $1 AND id IN (SELECT unhex(value) FROM json_each($2)) AND version = 1
           AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.project_id = projects.id AND t.user_id = $1)
    ",
    postgres: "
        DELETE FROM projects
         WHERE user_id = $1 AND id IN (SELECT value::uuid FROM json_array_elements_text($2::json)) AND version = 1
           AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.project_id = projects.id AND t.user_id = $1)
    ",
};
/// `$1` owner, `$2` labels as a JSON array of ids. Those that were never changed and that no task has.
const DELETE_UNUSED_LABELS: Sql = Sql {
    sqlite: "
        DELETE FROM labels
         WHERE user_id = $1 AND id IN (SELECT unhex(value) FROM json_each($2)) AND version = 1
           AND NOT EXISTS (SELECT 1 FROM task_labels x WHERE x.label_id = labels.id)
    ",
    postgres: "
        DELETE FROM labels
         WHERE user_id = $1 AND id IN (SELECT value::uuid FROM json_array_elements_text($2::json)) AND version = 1
           AND NOT EXISTS (SELECT 1 FROM task_labels x WHERE x.label_id = labels.id)
    ",
};

pub(super) const STATEMENTS: &[(&str, Sql)] = &[
    ("EXPORT_PROJECTS", Sql::same(EXPORT_PROJECTS)),
    ("EXPORT_LABELS", Sql::same(EXPORT_LABELS)),
    ("EXPORT_TASKS", Sql::same(EXPORT_TASKS)),
    ("INSERT_LABELS", INSERT_LABELS),
    ("INSERT_TASK_LABELS", INSERT_TASK_LABELS),
    ("COUNT_OTHER_PARTS", COUNT_OTHER_PARTS),
    ("DELETE_TASKS", DELETE_TASKS),
    ("DELETE_UNUSED_PROJECTS", DELETE_UNUSED_PROJECTS),
    ("DELETE_UNUSED_LABELS", DELETE_UNUSED_LABELS),
];

/// One row of an export.
#[derive(Clone, Debug)]
pub enum Exported {
    /// A project.
    Project(Project),
    /// A label.
    Label(Label),
    /// A task that is not deleted.
    Task(Box<Task>),
    /// A file of a task, without its bytes.
    Attachment(Box<Attachment>),
    /// A recommendation that was kept.
    Decision(Box<DecisionRecord>),
}

#[derive(FromRow)]
struct ExportedTask {
    has_parent: bool,
    #[sqlx(flatten)]
    task: TaskRow,
}

impl TryFrom<ExportedTask> for Task {
    type Error = StoreError;

    fn try_from(row: ExportedTask) -> Result<Self, StoreError> {
        let task = Self::try_from(row.task)?;
        Ok(Self { parent_id: task.parent_id.filter(|_| row.has_parent), ..task })
    }
}

impl Store {
    /// Shows everything of the owner's to `take`: projects, then labels, tasks, what is attached to them, and kept
    /// recommendations, each kind
    /// oldest first, all as they stood at one moment. One row is held at a time.
    pub async fn export(&self, owner: UserId, mut take: impl FnMut(Exported) + Send) -> StoreResult<()> {
        let snapshot = match self.dialect() {
            Dialect::Sqlite => "BEGIN",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        on_database!(self.reader, |db| {
            let mut tx = db.begin_with(snapshot).await?;
            let mut projects = sqlx::query_as::<_, ProjectRow>(EXPORT_PROJECTS).bind(owner.0).fetch(&mut *tx);
            while let Some(row) = projects.try_next().await? {
                take(Exported::Project(row.into()));
            }
            drop(projects);
            let mut labels = sqlx::query_as::<_, LabelRow>(EXPORT_LABELS).bind(owner.0).fetch(&mut *tx);
            while let Some(row) = labels.try_next().await? {
                take(Exported::Label(row.into()));
            }
            drop(labels);
            let mut tasks = sqlx::query_as::<_, ExportedTask>(EXPORT_TASKS).bind(owner.0).fetch(&mut *tx);
            while let Some(row) = tasks.try_next().await? {
                take(Exported::Task(Box::new(row.try_into()?)));
            }
            drop(tasks);
            let mut files = sqlx::query_as::<_, AttachmentRow>(EXPORT_ATTACHMENTS).bind(owner.0).fetch(&mut *tx);
            while let Some(row) = files.try_next().await? {
                take(Exported::Attachment(Box::new(row.try_into()?)));
            }
            drop(files);
            let mut decisions = sqlx::query_as::<_, DecisionRecord>(EXPORT_DECISIONS).bind(owner.0).fetch(&mut *tx);
            while let Some(row) = decisions.try_next().await? {
                take(Exported::Decision(Box::new(row)));
            }
            drop(decisions);
            tx.commit().await?;
        });
        Ok(())
    }
}

impl Tx<'_> {
    /// All of the owner's projects.
    pub async fn list_projects(&mut self, owner: UserId) -> StoreResult<Vec<Project>> {
        let rows: Vec<ProjectRow> =
            on_database!(self, |db| sqlx::query_as(EXPORT_PROJECTS).bind(owner.0).fetch_all(db).await?);
        Ok(rows.into_iter().map(Project::from).collect())
    }

    /// All of the owner's labels.
    pub async fn list_labels(&mut self, owner: UserId) -> StoreResult<Vec<Label>> {
        let rows: Vec<LabelRow> =
            on_database!(self, |db| sqlx::query_as(EXPORT_LABELS).bind(owner.0).fetch_all(db).await?);
        Ok(rows.into_iter().map(Label::from).collect())
    }

    /// Makes labels; one whose name the owner has already is left out.
    pub async fn insert_labels(&mut self, owner: UserId, labels: &[Label]) -> StoreResult<()> {
        let labels = labels.iter().map(|label| {
            json!({
                "id": label.id.0.simple().to_string(), "name": label.name, "key": name_key(&label.name),
                "version": label.version, "created": label.created_at.as_micros(),
                "updated": label.updated_at.as_micros(),
            })
        });
        self.run_with_list(INSERT_LABELS, owner, labels.collect::<Value>().to_string()).await
    }

    /// Writes a new row without its labels, for [`Tx::insert_task_labels`] to give them to all at once.
    pub async fn insert_task_row(&mut self, owner: UserId, task: &Task, due_at: Option<Timestamp>) -> StoreResult<()> {
        self.write_task(INSERT_TASK, owner, task, due_at).await
    }

    /// Gives tasks labels that they do not have yet.
    pub async fn insert_task_labels(&mut self, owner: UserId, pairs: &[(TaskId, LabelId)]) -> StoreResult<()> {
        let pairs =
            pairs.iter().map(|(task, label)| json!([task.0.simple().to_string(), label.0.simple().to_string()]));
        self.run_with_list(INSERT_TASK_LABELS, owner, pairs.collect::<Value>().to_string()).await
    }

    /// How many of the owner's other tasks are parts of these.
    pub async fn count_other_parts(&mut self, owner: UserId, ids: &[TaskId]) -> StoreResult<u64> {
        let statement = COUNT_OTHER_PARTS.on(self.dialect());
        let count: i64 = on_database!(self, |db| {
            sqlx::query_scalar(statement).bind(owner.0).bind(ids_json(ids)).fetch_one(db).await?
        });
        Ok(count.unsigned_abs())
    }

    /// Removes tasks for good, and has their files removed.
    pub async fn delete_tasks(&mut self, owner: UserId, ids: &[TaskId]) -> StoreResult<()> {
        self.doom_objects_of_tasks(owner, ids).await?;
        self.run_with_list(DELETE_TASKS, owner, ids_json(ids)).await
    }

    /// Removes those of the projects that were never changed and that hold no task.
    pub async fn delete_unused_projects(&mut self, owner: UserId, ids: &[ProjectId]) -> StoreResult<()> {
        let ids = ids.iter().map(|id| id.0.simple().to_string()).collect::<Value>().to_string();
        self.run_with_list(DELETE_UNUSED_PROJECTS, owner, ids).await
    }

    /// Removes those of the labels that were never changed and that no task has.
    pub async fn delete_unused_labels(&mut self, owner: UserId, ids: &[LabelId]) -> StoreResult<()> {
        let ids = ids.iter().map(|id| id.0.simple().to_string()).collect::<Value>().to_string();
        self.run_with_list(DELETE_UNUSED_LABELS, owner, ids).await
    }

    async fn run_with_list(&mut self, statement: Sql, owner: UserId, list: String) -> StoreResult<()> {
        let statement = statement.on(self.dialect());
        on_database!(self, |db| sqlx::query(statement).bind(owner.0).bind(list).execute(db).await.map(drop))?;
        Ok(())
    }
}
