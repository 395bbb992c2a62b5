//! Attachments as tasks know them: which files belong to a task. What is in the files is for
//! [`attachments`](crate::attachments) to know.

use crate::accounts::Caller;
use crate::clock::Timestamp;
use crate::ids::{AttachmentId, TaskId};
use crate::paging::Page;

use super::Tasks;
use super::change::{Ask, Changed, Work};
use super::error::TaskError;
use super::filter::Position;
use super::lists::{asked, page, read_cursor};
use super::undo::Before;

/// A file of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its id.
    pub id: AttachmentId,
    /// Whose file it is.
    pub task_id: TaskId,
    /// Where it lies in the object store.
    pub object_key: String,
    /// What it is called.
    pub file_name: String,
    /// As what it is served; never anything that a browser would run.
    pub media_type: String,
    /// How many bytes it has; at least one.
    pub size_bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// When it was attached.
    pub created_at: Timestamp,
    /// When it was taken away by itself.
    pub deleted_at: Option<Timestamp>,
    /// When it was taken away, by itself or with its task.
    pub gone_at: Option<Timestamp>,
}

/// How much somebody has attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of what is there.
    pub shown_bytes: u64,
    /// The same, and of what can still be brought back.
    pub kept_bytes: u64,
    /// Files of the task.
    pub of_task: u64,
}

/// How much somebody may attach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The most bytes of all files together; what can still be brought back may take as much again. `None` is no limit.
    pub quota_bytes: Option<u64>,
    /// The most files of one task.
    pub per_task: u32,
}

impl Room {
    /// Whether `size_bytes` more fit into what `usage` leaves.
    ///
    /// # Errors
    ///
    /// [`TaskError::TooManyAttachments`] and [`TaskError::QuotaUsedUp`].
    pub fn holds(self, usage: Usage, size_bytes: u64) -> Result<(), TaskError> {
        if usage.of_task >= u64::from(self.per_task) {
            return Err(TaskError::TooManyAttachments(self.per_task));
        }
        let Some(quota) = self.quota_bytes else { return Ok(()) };
        let shown = usage.shown_bytes.saturating_add(size_bytes);
        let kept = usage.kept_bytes.saturating_add(size_bytes);
        if shown > quota || kept > quota.saturating_mul(2) {
            return Err(TaskError::QuotaUsedUp { quota_bytes: quota, shown_bytes: usage.shown_bytes });
        }
        Ok(())
    }
}

impl Tasks {
    /// Whether the caller may attach `size_bytes` more to a task, as far as that can be told before they have come.
    ///
    /// # Errors
    ///
    /// [`TaskError::NotFound`] for a task that is not the caller's, else as [`Room::holds`].
    pub async fn check_room(
        &self,
        caller: &Caller,
        task: TaskId,
        size_bytes: u64,
        room: Room,
    ) -> Result<(), TaskError> {
        self.get_task(caller, task).await?;
        room.holds(self.store().attachment_usage(caller.user_id, task).await?, size_bytes)
    }

    /// Attaches a file that lies in the object store; its upload was announced there. `show` makes the answer of it.
    ///
    /// # Errors
    ///
    /// As [`Self::check_room`]; [`TaskError::UploadGivenUp`] when it took so long that the object may be gone.
    pub async fn attach<T, F>(
        &self,
        ask: Ask<T>,
        attachment: Attachment,
        room: Room,
        show: F,
    ) -> Result<Changed<T>, TaskError>
    where
        T: Send + Sync + 'static,
        F: FnOnce(Attachment) -> T + Send + 'static,
    {
        self.changes
            .run("attachment.created", ask, move |work| {
                Box::pin(async move {
                    work.get_task(attachment.task_id).await?;
                    let owner = work.caller.user_id;
                    let usage = work.tx.attachment_usage(owner, attachment.task_id).await?;
                    room.holds(usage, attachment.size_bytes)?;
                    if !work.tx.insert_attachment(owner, &attachment).await? {
                        return Err(TaskError::UploadGivenUp);
                    }
                    note(work, "attachment.created", &attachment);
                    Ok(show(attachment))
                })
            })
            .await
    }

    /// Takes an attachment away; for a day it can be brought back by the undo token.
    ///
    /// # Errors
    ///
    /// [`TaskError::NotFound`].
    pub async fn remove_attachment(&self, ask: Ask<()>, id: AttachmentId) -> Result<Changed<()>, TaskError> {
        self.changes
            .run("attachment.deleted", ask, move |work| {
                Box::pin(async move {
                    let owner = work.caller.user_id;
                    let found = work.tx.find_attachment(owner, id).await?;
                    let found =
                        found.filter(|found| found.gone_at.is_none()).ok_or(TaskError::NotFound("attachment"))?;
                    let gone = Some(work.now);
                    work.tx.set_attachment_gone(owner, id, gone).await?;
                    note(work, "attachment.deleted", &Attachment { deleted_at: gone, ..found });
                    Ok(())
                })
            })
            .await
    }

    /// The caller's attachment.
    ///
    /// # Errors
    ///
    /// [`TaskError::NotFound`].
    pub async fn get_attachment(&self, caller: &Caller, id: AttachmentId) -> Result<Attachment, TaskError> {
        self.store().find_attachment(caller.user_id, id).await?.ok_or(TaskError::NotFound("attachment"))
    }

    /// One page of a task's attachments, oldest first.
    ///
    /// # Errors
    ///
    /// [`TaskError::NotFound`] for a task that is not the caller's; a cursor of another list is a fault.
    pub async fn list_attachments(
        &self,
        caller: &Caller,
        task: TaskId,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<Attachment>, TaskError> {
        let asked = asked(caller, format!("attachments of {task}"));
        let after = cursor.map(|cursor| read_cursor(&asked, cursor)).transpose()?;
        self.get_task(caller, task).await?;
        let found = self.store().list_attachments(caller.user_id, task, after, limit.saturating_add(1)).await?;
        let total = self.store().count_attachments(caller.user_id, task).await?;
        let position = |one: &Attachment| Position { key: one.created_at.as_micros(), id: one.id.0 };
        Ok(page(&asked, found.into_iter().map(|one| (position(&one), one)).collect(), limit, total))
    }
}

/// Notes what became of an attachment, for the log and for the way back.
fn note(work: &mut Work<'_, '_>, action: &'static str, attachment: &Attachment) {
    let details = serde_json::json!({ "task_id": attachment.task_id, "size_bytes": attachment.size_bytes });
    work.note(action, "attachment", attachment.id.0, Some(details));
    let deleted_at = attachment.deleted_at;
    work.remember(Before::Attachment { id: attachment.id, task: attachment.task_id, deleted_at });
}

/// Takes back what a change did to an attachment: `deleted_at` is what it left. Gives the task.
///
/// # Errors
///
/// [`TaskError::UndoOvertaken`] when something happened to it or to its task since.
pub(super) async fn take_back(
    work: &mut Work<'_, '_>,
    id: AttachmentId,
    task: TaskId,
    deleted_at: Option<Timestamp>,
) -> Result<TaskId, TaskError> {
    let owner = work.caller.user_id;
    let found = work.tx.find_attachment(owner, id).await?.ok_or(TaskError::UndoOvertaken("attachment"))?;
    // What went with its task comes back with it.
    if found.deleted_at != deleted_at || found.gone_at != deleted_at {
        return Err(TaskError::UndoOvertaken("attachment"));
    }
    let gone = if deleted_at.is_some() { None } else { Some(work.now) };
    if gone.is_none() && work.tx.find_task(owner, task).await?.is_none_or(|task| task.deleted_at.is_some()) {
        return Err(TaskError::UndoOvertaken("task"));
    }
    work.tx.set_attachment_gone(owner, id, gone).await?;
    note(work, "attachment.restored", &Attachment { deleted_at: gone, ..found });
    Ok(task)
}
