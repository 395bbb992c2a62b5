//! Undo: what a change replaced, and the way back.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::accounts::secrets::hash_secret;
use crate::clock::Timestamp;
use crate::ids::{AttachmentId, LabelId, ProjectId, TaskId};
use crate::store::{StoreError, StoreResult, Tx, UndoRow};

use super::change::{Ask, Changed, Work};
use super::error::TaskError;
use super::groups::{Label, Project};
use super::task::Task;
use super::transfer::import::{self, Made};
use super::transfer::plan::Plan;
use super::{Tasks, attachments};

/// How long an undo token is known beyond its end, so that its late use can be told from nonsense.
const REMEMBERED_FOR: Duration = Duration::from_hours(24);

/// What a change left behind and what was there before.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Before {
    /// A task; without `before` it was made by the change. `after` is a digest of what the change left.
    Task {
        id: TaskId,
        version: i64,
        before: Option<Box<Task>>,
        #[serde(default)]
        after: Option<String>,
    },
    /// A project; without `version` it was removed, and `tasks` were in it.
    Project { id: ProjectId, version: Option<i64>, before: Option<Project>, tasks: Vec<TaskId> },
    /// A label; without `version` it was removed, and `tasks` had it.
    Label { id: LabelId, version: Option<i64>, before: Option<Label>, tasks: Vec<TaskId> },
    /// An attachment; `deleted_at` is what the change left of it.
    Attachment { id: AttachmentId, task: TaskId, deleted_at: Option<Timestamp> },
    /// Everything that an import made.
    Import(Made),
    /// Everything that went when an import was taken back.
    Removal(Box<Plan>),
}

/// Everything that one change replaced.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Snapshot(Vec<Before>);

impl Snapshot {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn push(&mut self, before: Before) {
        self.0.push(before);
    }

    /// Notes a task; when a batch changes one twice, the first `before` and the last version count.
    pub(super) fn task(&mut self, task: &Task, replaced: Option<Task>) {
        let known = self.0.iter_mut().find_map(|item| match item {
            Before::Task { id, version, after, .. } if *id == task.id => Some((version, after)),
            _ => None,
        });
        let left = Some(digest(task));
        if let Some((version, after)) = known {
            (*version, *after) = (task.version, left);
        } else {
            let before = replaced.map(Box::new);
            self.0.push(Before::Task { id: task.id, version: task.version, before, after: left });
        }
    }
}

/// A digest of everything that people see of a task: alike whenever the task is as it was, however often it was changed
/// and changed back meanwhile.
fn digest(task: &Task) -> String {
    let content = Task { version: 0, updated_at: task.created_at, ..task.clone() };
    URL_SAFE_NO_PAD.encode(hash_secret(&serde_json::json!(content).to_string()))
}

/// What an undo brought back.
#[derive(Clone, Debug)]
pub struct Undone {
    /// What was taken back, such as `task.deleted`.
    pub action: String,
    /// The tasks as they are again; one that the change had made is gone and not among them.
    pub tasks: Vec<Task>,
    /// The tasks that the change had made, as they were when they went.
    pub gone: Vec<Task>,
}

impl Tasks {
    /// Forgets undo tokens and receipts that are of no use any more, as a part of a transaction. To be called now and then.
    pub async fn forget_in(tx: &mut Tx<'_>, now: Timestamp) -> StoreResult<()> {
        tx.delete_expired_undo(now.minus(REMEMBERED_FOR)).await?;
        tx.delete_expired_receipts(now).await
    }

    /// Takes back the change that gave this token.
    ///
    /// # Errors
    ///
    /// [`TaskError::NotFound`] for a token that is not the caller's, [`TaskError::UndoSpent`] for one that was used or is
    /// older than 24 hours, [`TaskError::UndoOvertaken`] when what it would restore has been changed since.
    pub async fn undo(&self, ask: Ask<Undone>, token: String) -> Result<Changed<Undone>, TaskError> {
        self.changes
            .run("change.undone", ask, move |work| {
                Box::pin(async move {
                    let user = work.caller.user_id;
                    let row = work.tx.find_undo(user, &hash_secret(&token)).await?;
                    let row = row.ok_or(TaskError::NotFound("undo token"))?;
                    if row.used_at.is_some() {
                        return Err(TaskError::UndoSpent("was used already"));
                    }
                    if Timestamp::from_micros(row.expires_at) <= work.now {
                        return Err(TaskError::UndoSpent("is older than 24 hours"));
                    }
                    take_back(work, row).await
                })
            })
            .await
    }

    /// Takes back the caller's latest change that came through [`Channel::Mcp`](super::change::Channel) and is not older
    /// than `within`. Asked again, it goes on with the one before; what was taken back stays so.
    ///
    /// # Errors
    ///
    /// [`TaskError::NotFound`] when there is none, [`TaskError::UndoOvertaken`] when what it would restore has been changed
    /// since.
    pub async fn undo_latest(&self, ask: Ask<Undone>, within: Duration) -> Result<Changed<Undone>, TaskError> {
        self.changes
            .run("change.undone", ask, move |work| {
                Box::pin(async move {
                    let since = work.now.minus(within);
                    let row = work.tx.find_latest_undo(work.caller.user_id, since).await?;
                    take_back(work, row.ok_or(TaskError::NotFound("change to undo"))?).await
                })
            })
            .await
    }
}

async fn take_back(work: &mut Work<'_, '_>, row: UndoRow) -> Result<Undone, TaskError> {
    let snapshot: Snapshot =
        serde_json::from_str(&row.snapshot).map_err(|_| StoreError::corrupt("snapshot", "an undo token"))?;
    work.tx.spend_undo(work.caller.user_id, &row.token_hash, work.now).await?;
    let mut tasks = Vec::new();
    let mut returned = Vec::new();
    for item in snapshot.0 {
        tasks.extend(restore(work, item, &mut returned).await?);
    }
    let (tasks, gone): (Vec<_>, Vec<_>) = tasks.into_iter().partition(|task| task.deleted_at.is_none());
    refuse_torn_off(work, &gone, &returned).await?;
    Ok(Undone { action: row.action, tasks, gone })
}

/// Every part has its whole, once all is taken back: what goes leaves no part behind, and what returned is a part of
/// something that is there.
async fn refuse_torn_off(work: &mut Work<'_, '_>, gone: &[Task], returned: &[Task]) -> Result<(), TaskError> {
    let owner = work.caller.user_id;
    let gone: Vec<TaskId> = gone.iter().map(|task| task.id).collect();
    if !gone.is_empty() && work.tx.count_other_parts(owner, &gone).await? > 0 {
        return Err(TaskError::UndoOvertaken("task, which has parts now,"));
    }
    let wholes: BTreeSet<TaskId> = returned.iter().filter_map(|task| task.parent_id).collect();
    let wholes: Vec<TaskId> = wholes.into_iter().collect();
    if wholes.is_empty() {
        return Ok(());
    }
    let found = work.tx.find_tasks(owner, &wholes).await?;
    let there = found.iter().filter(|whole| whole.deleted_at.is_none()).count();
    if there == wholes.len() { Ok(()) } else { Err(TaskError::UndoOvertaken("task of which it was a part")) }
}

/// Takes one thing back; notes the tasks that were deleted and are not any more.
async fn restore(work: &mut Work<'_, '_>, item: Before, returned: &mut Vec<Task>) -> Result<Vec<Task>, TaskError> {
    let ids = match item {
        Before::Task { id, version, before, after } => {
            let current = work.tx.find_task(work.caller.user_id, id).await?;
            let is_as_left = |task: &Task| task.version == version || after.is_some_and(|after| after == digest(task));
            let current = current.filter(is_as_left).ok_or(TaskError::UndoOvertaken("task"))?;
            let was_gone = current.deleted_at.is_some();
            let task = restore_task(work, current, before).await?;
            returned.extend(Some(&task).filter(|task| was_gone && task.deleted_at.is_none()).cloned());
            return Ok(vec![task]);
        }
        Before::Project { id, version, before, tasks } => {
            let moved = restore_project(work, id, version, before, &tasks).await?;
            work.tasks_changed(&moved, "project_id").await?;
            tasks
        }
        Before::Label { id, version, before, tasks } => {
            let changed = restore_label(work, id, version, before, &tasks).await?;
            work.tasks_changed(&changed, "labels").await?;
            tasks
        }
        Before::Attachment { id, task, deleted_at } => {
            vec![attachments::take_back(work, id, task, deleted_at).await?]
        }
        Before::Import(made) => return import::take_back(work, made).await.map(|()| Vec::new()),
        Before::Removal(plan) => return import::make_again(work, *plan).await,
    };
    let mut tasks = work.tx.find_tasks(work.caller.user_id, &ids).await?;
    tasks.retain(|task| task.deleted_at.is_none());
    Ok(tasks)
}

async fn restore_task(work: &mut Work<'_, '_>, current: Task, before: Option<Box<Task>>) -> Result<Task, TaskError> {
    let wanted = match before {
        Some(before) => *before,
        None => Task { deleted_at: Some(work.now), ..current.clone() },
    };
    match work.save("task.restored", current, wanted).await {
        // The request has no such field: what the task belonged to has gone, or has become a part of it.
        Err(TaskError::Invalid(_)) => Err(TaskError::UndoOvertaken("project or task that it belonged to")),
        saved => saved,
    }
}

async fn restore_project(
    work: &mut Work<'_, '_>,
    id: ProjectId,
    version: Option<i64>,
    before: Option<Project>,
    tasks: &[TaskId],
) -> Result<Vec<TaskId>, TaskError> {
    let owner = work.caller.user_id;
    let current = work.tx.find_project(owner, id).await?;
    if current.as_ref().map(|project| project.version) != version {
        return Err(TaskError::UndoOvertaken("project"));
    }
    let (version, left, joined) = match before {
        None => (None, work.tx.delete_project(owner, id, work.now).await?, Vec::new()),
        Some(project) => {
            let version = version.unwrap_or(project.version) + 1;
            let project = Project { version, updated_at: work.now, ..project };
            work.tx.save_project(owner, &project).await.map_err(|error| TaskError::taken("project", error))?;
            work.tx.add_to_project(owner, id, tasks, work.now).await?;
            (Some(version), Vec::new(), tasks.to_vec())
        }
    };
    let kind = match (&current, version) {
        (_, None) => "project.deleted",
        (None, _) => "project.restored",
        _ => "project.updated",
    };
    work.happened(kind, "project", id.0, Vec::new());
    work.log("project.restored", "project", id.0, None);
    work.remember(Before::Project { id, version, before: current, tasks: left.clone() });
    Ok(if joined.is_empty() { left } else { joined })
}

async fn restore_label(
    work: &mut Work<'_, '_>,
    id: LabelId,
    version: Option<i64>,
    before: Option<Label>,
    tasks: &[TaskId],
) -> Result<Vec<TaskId>, TaskError> {
    let owner = work.caller.user_id;
    let current = work.tx.find_label(owner, id).await?;
    if current.as_ref().map(|label| label.version) != version {
        return Err(TaskError::UndoOvertaken("label"));
    }
    let (version, left, marked) = match before {
        None => (None, work.tx.delete_label(owner, id, work.now).await?, Vec::new()),
        Some(label) => {
            let version = version.unwrap_or(label.version) + 1;
            let label = Label { version, updated_at: work.now, ..label };
            work.tx.save_label(owner, &label).await.map_err(|error| TaskError::taken("label", error))?;
            work.tx.add_label(owner, id, tasks, work.now).await?;
            (Some(version), Vec::new(), work.tx.list_label_tasks(owner, id).await?)
        }
    };
    let kind = match (&current, version) {
        (_, None) => "label.deleted",
        (None, _) => "label.restored",
        _ => "label.updated",
    };
    work.happened(kind, "label", id.0, Vec::new());
    work.log("label.restored", "label", id.0, None);
    work.remember(Before::Label { id, version, before: current, tasks: left.clone() });
    Ok(if marked.is_empty() { left } else { marked })
}
