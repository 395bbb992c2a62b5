//! What can be done to one task, inside a change under way.

use crate::clock::Timestamp;
use crate::ids::TaskId;

use super::change::Work;
use super::edit::TaskPatch;
use super::error::{Fault, TaskError};
use super::task::{Status, Task};

/// Makes a task.
pub(super) async fn create(work: &mut Work<'_, '_>, patch: TaskPatch) -> Result<Task, TaskError> {
    let untitled = patch.title.is_none().then(|| Fault::new("/title", "is required"));
    let blank = Task::blank(TaskId::new(work.now), work.now);
    let task = edited(work, &blank, patch, untitled).await?;
    work.insert(task).await
}

/// Changes fields of a task.
pub(super) async fn edit(work: &mut Work<'_, '_>, id: TaskId, patch: TaskPatch) -> Result<Task, TaskError> {
    let before = work.get_task(id).await?;
    let task = edited(work, &before, patch, None).await?;
    work.save("task.updated", before, task).await
}

/// The task as the patch wants it, or every fault: those known before, of the fields, and of what they refer to.
async fn edited(
    work: &mut Work<'_, '_>,
    before: &Task,
    patch: TaskPatch,
    known: Option<Fault>,
) -> Result<Task, TaskError> {
    let relations = TaskPatch { project_id: patch.project_id, parent_id: patch.parent_id, ..TaskPatch::default() };
    let mut faults = match (before.edited(patch, work.now), known) {
        (Ok(task), None) => return Ok(task),
        (Ok(_), Some(known)) => vec![known],
        (Err(faults), known) => known.into_iter().chain(faults).collect(),
    };
    if let Ok(related) = before.edited(relations, work.now)
        && let Err(TaskError::Invalid(more)) = work.check_relations(Some(before), &related).await
    {
        faults.extend(more);
    }
    Err(TaskError::Invalid(faults))
}

/// Completes, reopens or starts a task; idempotent.
pub(super) async fn move_to(work: &mut Work<'_, '_>, id: TaskId, status: Status) -> Result<Task, TaskError> {
    let before = work.get_task(id).await?;
    match (status, before.status) {
        (Status::InProgress, Status::Completed) => return Err(TaskError::Completed(id)),
        // Reopening leaves a task that is open as it is.
        (Status::Pending, Status::InProgress) => return Ok(before),
        _ => {}
    }
    let task = before.moved_to(status, work.now);
    work.save(name_of_move(status), before, task).await
}

/// What moving a task to a status is called.
pub(super) const fn name_of_move(status: Status) -> &'static str {
    match status {
        Status::Completed => "task.completed",
        Status::InProgress => "task.started",
        Status::Pending | Status::Snoozed => "task.reopened",
    }
}

/// Puts a task off.
pub(super) async fn snooze(work: &mut Work<'_, '_>, id: TaskId, until: Timestamp) -> Result<Task, TaskError> {
    if until <= work.now {
        return Err(TaskError::Invalid(vec![Fault::new("/until", "must be in the future")]));
    }
    let before = work.get_task(id).await?;
    let task = before.put_off(until);
    work.save("task.snoozed", before, task).await
}

/// Deletes a task and everything that is a part of it; all of it can be restored.
pub(super) async fn delete(work: &mut Work<'_, '_>, id: TaskId) -> Result<(), TaskError> {
    work.get_task(id).await?;
    for before in work.tx.find_subtree(work.caller.user_id, id).await? {
        let task = Task { deleted_at: Some(work.now), ..before.clone() };
        work.save("task.deleted", before, task).await?;
    }
    Ok(())
}

/// Brings a deleted task back, alone; idempotent. When what it was a part of is still deleted, it comes back for itself.
pub(super) async fn restore(work: &mut Work<'_, '_>, id: TaskId) -> Result<Task, TaskError> {
    let before = work.tx.find_task(work.caller.user_id, id).await?.ok_or(TaskError::NotFound("task"))?;
    work.check_version("task", before.version)?;
    let mut task = Task { deleted_at: None, ..before.clone() };
    if let Some(whole) = task.parent_id.filter(|_| before.deleted_at.is_some()) {
        let whole = work.tx.find_task(work.caller.user_id, whole).await?.filter(|whole| whole.deleted_at.is_none());
        task.parent_id = whole.map(|whole| whole.id);
    }
    work.save("task.restored", before, task).await
}
