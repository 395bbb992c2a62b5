//! The way of every change: one transaction holds the change, its audit rows, its undo token and its receipt.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::accounts::Caller;
use crate::accounts::secrets::{hash_secret, random_secret};
use crate::clock::{Clock, Timestamp};
use crate::events::{Happening, Happenings};
use crate::fault::Purpose;
use crate::ids::{LabelId, ProjectId, TaskId};
use crate::store::audit::AuditEntry;
use crate::store::{NewUndo, Store, StoreError, Tx};

use super::error::{Fault, TaskError};
use super::operations::name_of_move;
use super::receipts::{Answer, RetryKey, Running};
use super::task::{Status, Task};
use super::undo::{Before, Snapshot};

/// How long an undo token and a receipt are kept.
const KEPT: Duration = Duration::from_hours(24);

/// What a change left behind.
#[derive(Clone, Debug)]
pub struct Changed<T> {
    /// What there is now.
    pub value: T,
    /// Takes the change back, once, within 24 hours; `None` when nothing changed.
    pub undo_token: Option<String>,
}

/// How the edge writes an outcome down for a retry.
pub type Render<T> = Arc<dyn Fn(Result<&Changed<T>, &TaskError>) -> Answer + Send + Sync>;

/// A request that may be sent again.
pub struct Retry<T> {
    /// What identifies it.
    pub key: RetryKey,
    /// How its outcome is written down.
    pub render: Render<T>,
}

// Not derived: that would ask it of `T`.
impl<T> Clone for Retry<T> {
    fn clone(&self) -> Self {
        Self { key: self.key.clone(), render: Arc::clone(&self.render) }
    }
}

impl<T> fmt::Debug for Retry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry").field("key", &self.key).finish_non_exhaustive()
    }
}

/// The edge through which a change comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The REST API, or anything else of one's own making.
    #[default]
    Api,
    /// A tool that a model called.
    Mcp,
}

impl Channel {
    /// The name in the database and in the log of what was done.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Mcp => "mcp",
        }
    }
}

/// What must hold for the version of a thing before it is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It is one of these, which the caller knows (`If-Match`).
    OneOf(Vec<i64>),
    /// It is none of these (`If-None-Match`).
    NoneOf(Vec<i64>),
    /// There is none: whatever exists stays as it is (`If-None-Match: *`).
    Absent,
}

impl Condition {
    fn holds(&self, current: i64) -> bool {
        match self {
            Self::OneOf(known) => known.contains(&current),
            Self::NoneOf(unwanted) => !unwanted.contains(&current),
            Self::Absent => false,
        }
    }
}

/// Who asks for a change, and on what conditions.
#[derive(Debug)]
pub struct Ask<T> {
    /// Who asks.
    pub caller: Caller,
    /// Set when the request may be sent again.
    pub retry: Option<Retry<T>>,
    /// What must hold for the version of what is changed.
    pub conditions: Vec<Condition>,
    /// Whether the change may happen. A rehearsal goes the whole way, keeps nothing, and ends in
    /// [`TaskError::Rehearsed`] where the change would have succeeded.
    pub purpose: Purpose,
    /// How the request came.
    pub channel: Channel,
}

impl<T> Ask<T> {
    /// An unconditional request that is sent once.
    pub const fn new(caller: Caller) -> Self {
        Self { caller, retry: None, conditions: Vec::new(), purpose: Purpose::Act, channel: Channel::Api }
    }

    /// The same request, through another channel.
    #[must_use]
    pub fn through(self, channel: Channel) -> Self {
        Self { channel, ..self }
    }
}

/// Carries changes out; shared by tasks, projects and labels.
#[derive(Clone, Debug)]
pub struct Changes {
    pub(super) store: Store,
    pub(super) clock: Clock,
    running: Running,
}

impl Changes {
    /// Changes that go to `store`, at the times that `clock` shows.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, running: Running::default() }
    }

    /// Runs `work` for the caller; see the module's documentation for what goes with it.
    pub(super) async fn run<T, F>(&self, action: &'static str, ask: Ask<T>, work: F) -> Result<Changed<T>, TaskError>
    where
        T: Send + Sync + 'static,
        F: for<'w, 'a, 'b> FnOnce(&'w mut Work<'a, 'b>) -> BoxFuture<'w, Result<T, TaskError>> + Send + 'static,
    {
        let user = ask.caller.user_id;
        let retry = ask.retry.clone();
        let _running = match &retry {
            Some(retry) => Some(self.running.enter(user, &retry.key.key).ok_or(TaskError::KeyRunning)?),
            None => None,
        };
        let now = self.clock.now();
        let outcome = self
            .store
            .write_of(user, move |tx| Box::pin(async move { carry_out(tx, now, action, ask, work).await }))
            .await;
        if let (Err(error), Some(retry)) = (&outcome, retry)
            && error.is_answer()
        {
            let answer = (retry.render)(Err(error));
            let kept = self.store.write::<_, StoreError, _>(move |tx| {
                Box::pin(async move { tx.insert_receipt(user, &retry.key, &answer, (now, now.plus(KEPT))).await })
            });
            kept.await?;
        }
        outcome
    }
}

async fn carry_out<T, F>(
    tx: &mut Tx<'_>,
    now: Timestamp,
    action: &'static str,
    ask: Ask<T>,
    work: F,
) -> Result<Changed<T>, TaskError>
where
    F: for<'w, 'a, 'b> FnOnce(&'w mut Work<'a, 'b>) -> BoxFuture<'w, Result<T, TaskError>>,
{
    let (user, purpose) = (ask.caller.user_id, ask.purpose);
    let number = tx.bump_data_version(user).await?.ok_or(TaskError::AccountGone)?;
    if let Some(retry) = &ask.retry
        && let Some((fingerprint, answer)) = tx.find_receipt(user, &retry.key.key, now).await?
    {
        let same = fingerprint == retry.key.fingerprint;
        return Err(if same { TaskError::Replayed(Box::new(answer)) } else { TaskError::KeyReused });
    }
    let mut work_state = Work {
        tx,
        now,
        caller: ask.caller,
        conditions: ask.conditions,
        origin: (ask.channel, number),
        before: Snapshot::default(),
        audit: Vec::new(),
        events: Vec::new(),
    };
    let value = work(&mut work_state).await?;
    if purpose == Purpose::Rehearse {
        return Err(TaskError::Rehearsed);
    }
    let undo_token = work_state.finish(action).await?;
    let changed = Changed { value, undo_token };
    if let Some(retry) = &ask.retry {
        let answer = (retry.render)(Ok(&changed));
        tx.insert_receipt(user, &retry.key, &answer, (now, now.plus(KEPT))).await?;
    }
    Ok(changed)
}

/// A change under way: the transaction, and what it has replaced so far.
#[derive(Debug)]
pub(super) struct Work<'a, 'b> {
    pub(super) tx: &'a mut Tx<'b>,
    pub(super) now: Timestamp,
    pub(super) caller: Caller,
    conditions: Vec<Condition>,
    /// How the change came, and which of the user's changes it is.
    origin: (Channel, i64),
    before: Snapshot,
    audit: Vec<AuditEntry>,
    events: Vec<Happening>,
}

impl Work<'_, '_> {
    /// The caller's task; it must exist and be of a version that the caller knows.
    pub(super) async fn get_task(&mut self, id: TaskId) -> Result<Task, TaskError> {
        let task = self.tx.find_task(self.caller.user_id, id).await?.filter(|task| task.deleted_at.is_none());
        let task = task.ok_or(TaskError::NotFound("task"))?;
        self.check_version("task", task.version)?;
        Ok(task)
    }

    /// Sets the versions that the next reads accept; `None` accepts all.
    pub(super) fn expect_versions(&mut self, versions: Option<Vec<i64>>) {
        self.conditions = versions.map(Condition::OneOf).into_iter().collect();
    }

    /// Refuses a version at which the caller does not want the change.
    pub(super) fn check_version(&self, what: &'static str, current: i64) -> Result<(), TaskError> {
        match self.conditions.iter().find(|condition| !condition.holds(current)) {
            None => Ok(()),
            Some(Condition::OneOf(_)) => Err(TaskError::Changed { what, current }),
            Some(Condition::NoneOf(_) | Condition::Absent) => Err(TaskError::Present { what, current }),
        }
    }

    /// Writes a task that is new.
    pub(super) async fn insert(&mut self, task: Task) -> Result<Task, TaskError> {
        self.check_relations(None, &task).await?;
        let labels = self.tx.insert_task(self.caller.user_id, &task, self.due_at(&task)).await?;
        self.labels_made(&labels);
        self.note("task.created", "task", task.id.0, None);
        let task = self.stored(task).await?;
        self.before.task(&task, None);
        Ok(task)
    }

    /// Writes what became of a task; nothing happens when it is what it was.
    pub(super) async fn save(&mut self, action: &'static str, before: Task, mut task: Task) -> Result<Task, TaskError> {
        if task == before {
            return Ok(before);
        }
        self.check_relations(Some(&before), &task).await?;
        task.version = before.version + 1;
        task.updated_at = self.now;
        let labels = self.tx.update_task(self.caller.user_id, &task, self.due_at(&task)).await?;
        self.labels_made(&labels);
        let fields = changed_fields(&before, &task);
        let details = serde_json::json!({ "fields": fields });
        self.happened(kind_of(action, &before, &task), "task", task.id.0, fields);
        self.log(action, "task", task.id.0, Some(details));
        if task.deleted_at != before.deleted_at {
            self.tx.attachments_follow(self.caller.user_id, task.id, task.deleted_at).await?;
        }
        let task = self.stored(task).await?;
        self.before.task(&task, Some(before));
        Ok(task)
    }

    /// Tells of labels that came to be with a task.
    fn labels_made(&mut self, labels: &[LabelId]) {
        for label in labels {
            self.happened("label.created", "label", label.0, Vec::new());
        }
    }

    /// Tells of tasks that changed with the project or label that they have; deleted ones are not seen to change.
    pub(super) async fn tasks_changed(&mut self, ids: &[TaskId], field: &'static str) -> Result<(), TaskError> {
        if ids.is_empty() {
            return Ok(());
        }
        let tasks = self.tx.find_tasks(self.caller.user_id, ids).await?;
        for task in tasks.iter().filter(|task| task.deleted_at.is_none()) {
            self.happened("task.updated", "task", task.id.0, vec![field]);
        }
        Ok(())
    }

    /// A label that exists already keeps the case in which it was first written, so labels are read back.
    async fn stored(&mut self, task: Task) -> Result<Task, TaskError> {
        if task.labels.is_empty() {
            return Ok(task);
        }
        self.tx.find_task(self.caller.user_id, task.id).await?.ok_or(TaskError::NotFound("task"))
    }

    /// Notes what a change replaced that is not a single task.
    pub(super) fn remember(&mut self, before: Before) {
        self.before.push(before);
    }

    /// Adds a row to the audit log of this change, and tells those who listen.
    pub(super) fn note(
        &mut self,
        action: &'static str,
        entity: &'static str,
        id: Uuid,
        details: Option<serde_json::Value>,
    ) {
        self.happened(action, entity, id, Vec::new());
        self.log(action, entity, id, details);
    }

    /// Tells those who listen.
    pub(super) fn happened(&mut self, kind: &'static str, entity: &'static str, id: Uuid, fields: Vec<&'static str>) {
        let fields = fields.into_iter().map(Into::into).collect();
        self.events.push(Happening { kind: kind.into(), entity: entity.into(), id, fields });
    }

    /// Adds a row to the audit log of this change.
    pub(super) fn log(
        &mut self,
        action: &'static str,
        entity: &'static str,
        id: Uuid,
        details: Option<serde_json::Value>,
    ) {
        let entry = AuditEntry { entity, ..AuditEntry::by(&self.caller, action, self.now).on(id) };
        let entry = match details {
            Some(details) => entry.with(details),
            None => entry,
        };
        self.audit.push(match self.origin.0 {
            Channel::Api => entry,
            Channel::Mcp => entry.with(serde_json::json!({ "via": Channel::Mcp.as_str() })),
        });
    }

    /// The last moment at which the task is not late, in the caller's zone.
    pub(super) fn due_at(&self, task: &Task) -> Option<Timestamp> {
        task.due.map(|due| due.last_moment(self.caller.zone))
    }

    /// Projects and parents must be the caller's own, and a task is never a part of itself.
    pub(super) async fn check_relations(&mut self, before: Option<&Task>, task: &Task) -> Result<(), TaskError> {
        let mut faults = Vec::new();
        if let Some(id) = task.project_id.filter(|id| before.and_then(|task| task.project_id) != Some(*id)) {
            faults.extend(self.project_fault(id).await?);
        }
        if let Some(id) = task.parent_id.filter(|id| before.and_then(|task| task.parent_id) != Some(*id)) {
            faults.extend(self.parent_fault(task.id, id).await?);
        }
        if faults.is_empty() { Ok(()) } else { Err(TaskError::Invalid(faults)) }
    }

    async fn project_fault(&mut self, id: ProjectId) -> Result<Option<Fault>, TaskError> {
        let project = self.tx.find_project(self.caller.user_id, id).await?;
        Ok(project.is_none().then(|| Fault::new("/project_id", "must be the id of one of your projects")))
    }

    async fn parent_fault(&mut self, task: TaskId, parent: TaskId) -> Result<Option<Fault>, TaskError> {
        let found = self.tx.find_task(self.caller.user_id, parent).await?;
        if found.is_none_or(|parent| parent.deleted_at.is_some()) {
            return Ok(Some(Fault::new("/parent_id", "must be the id of one of your tasks")));
        }
        let circle = self.tx.find_ancestors(self.caller.user_id, parent).await?.contains(&task);
        Ok(circle.then(|| Fault::new("/parent_id", "must not be the task itself or one of its own parts")))
    }

    /// Writes the audit rows, the events and, when something was replaced, the undo token.
    async fn finish(self, action: &'static str) -> Result<Option<String>, TaskError> {
        let (channel, number) = self.origin;
        let request_id = self.caller.request_id.to_string().into();
        let events = Happenings { request_id, via: channel.as_str().into(), events: self.events };
        events.keep(self.tx, self.caller.user_id, number, self.now).await?;
        for entry in &self.audit {
            self.tx.insert_audit(entry).await?;
        }
        if self.before.is_empty() {
            return Ok(None);
        }
        let token = random_secret("").map_err(|_| StoreError::Dropped)?;
        let life = (self.now, self.now.plus(KEPT));
        let snapshot = serde_json::json!(self.before).to_string();
        let undo = NewUndo { token_hash: hash_secret(&token), action, snapshot, life, origin: self.origin };
        self.tx.insert_undo(self.caller.user_id, &undo).await?;
        Ok(Some(token))
    }
}

/// The names of the fields that differ: what happened, without what was written.
fn changed_fields(before: &Task, after: &Task) -> Vec<&'static str> {
    let fields = [
        ("title", before.title != after.title),
        ("description", before.description != after.description),
        ("status", before.status != after.status),
        ("priority", before.priority != after.priority),
        ("due_date", before.due != after.due),
        ("effort_estimate_minutes", before.effort_minutes != after.effort_minutes),
        ("preferred_time", before.preferred_time != after.preferred_time),
        ("snoozed_until", before.snoozed_until != after.snoozed_until),
        ("labels", before.labels != after.labels),
        ("project_id", before.project_id != after.project_id),
        ("parent_id", before.parent_id != after.parent_id),
    ];
    fields.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
}

/// What a change of a task is to those who listen: what became of it counts, not the way.
fn kind_of(action: &'static str, before: &Task, after: &Task) -> &'static str {
    match (before.deleted_at.is_some(), after.deleted_at.is_some()) {
        (false, true) => "task.deleted",
        (true, false) => "task.restored",
        _ if before.status == after.status && action == "task.restored" => "task.updated",
        _ if before.status == after.status => action,
        _ if after.status == Status::Snoozed => "task.snoozed",
        _ => name_of_move(after.status),
    }
}
