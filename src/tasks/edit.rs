//! Edits: what a client wants a task to become, and the rules that decide.

use std::collections::BTreeMap;

use crate::calendar::{Due, TimeOfDay};
use crate::clock::Timestamp;
use crate::ids::{ProjectId, TaskId};

use super::error::Fault;
use super::task::{Status, Task};
use super::text::{self, DESCRIPTION_MAX, LABELS_MAX, TITLE_MAX, name_key, one_line, several_lines};

/// The longest estimate, in minutes: a year.
pub const EFFORT_MAX: u32 = 525_600;
/// The priority of a task that was given none.
pub const PRIORITY_DEFAULT: u8 = 3;

/// What to do with a field that can be empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Leave it as it is.
    #[default]
    Keep,
    /// Empty it.
    Clear,
    /// Set it.
    Set(T),
}

impl<T> Patch<T> {
    /// A field of a full replacement: what is absent becomes empty.
    pub fn replace(value: Option<T>) -> Self {
        value.map_or(Self::Clear, Self::Set)
    }

    fn apply(self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(value),
        }
    }

    const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

/// A wanted change of a task; what is not mentioned stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskPatch {
    /// See [`Task::title`].
    pub title: Option<String>,
    /// See [`Task::description`].
    pub description: Patch<String>,
    /// See [`Task::status`].
    pub status: Option<Status>,
    /// See [`Task::priority`].
    pub priority: Option<u8>,
    /// See [`Task::due`].
    pub due: Patch<Due>,
    /// See [`Task::effort_minutes`].
    pub effort_minutes: Patch<u32>,
    /// See [`Task::preferred_time`].
    pub preferred_time: Patch<TimeOfDay>,
    /// See [`Task::snoozed_until`].
    pub snoozed_until: Patch<Timestamp>,
    /// See [`Task::labels`].
    pub labels: Option<Vec<String>>,
    /// See [`Task::project_id`].
    pub project_id: Patch<ProjectId>,
    /// See [`Task::parent_id`].
    pub parent_id: Patch<TaskId>,
}

impl Task {
    /// A pending task of which nothing is known yet.
    pub fn blank(id: TaskId, now: Timestamp) -> Self {
        Self {
            id,
            title: String::new(),
            description: None,
            status: Status::Pending,
            priority: PRIORITY_DEFAULT,
            due: None,
            effort_minutes: None,
            preferred_time: None,
            snoozed_until: None,
            snooze_count: 0,
            labels: Vec::new(),
            project_id: None,
            parent_id: None,
            created_at: now,
            updated_at: now,
            completed_at: None,
            deleted_at: None,
            version: 1,
        }
    }

    /// The task as `patch` wants it.
    ///
    /// # Errors
    ///
    /// Every rule that the result would break; that projects and parents exist is checked where they are kept.
    pub fn edited(&self, patch: TaskPatch, now: Timestamp) -> Result<Self, Vec<Fault>> {
        let mut task = self.clone();
        let mut faults = Vec::new();
        faults.extend(edit_title(&mut task, patch.title).err());
        faults.extend(edit_description(&mut task, patch.description).err());
        faults.extend(edit_priority(&mut task, patch.priority).err());
        faults.extend(edit_effort(&mut task, patch.effort_minutes).err());
        edit_labels(&mut task, patch.labels, &mut faults);
        faults.extend(edit_status(&mut task, patch.status, patch.snoozed_until, now).err());
        patch.due.apply(&mut task.due);
        patch.preferred_time.apply(&mut task.preferred_time);
        patch.project_id.apply(&mut task.project_id);
        patch.parent_id.apply(&mut task.parent_id);
        if faults.is_empty() { Ok(task) } else { Err(faults) }
    }

    /// Moves the task to a status that needs nothing else; idempotent.
    #[must_use]
    pub fn moved_to(&self, status: Status, now: Timestamp) -> Self {
        let mut task = self.clone();
        if task.status != status {
            task.status = status;
            task.snoozed_until = None;
            task.completed_at = (status == Status::Completed).then_some(now);
        }
        task
    }

    /// Puts the task off.
    #[must_use]
    pub fn put_off(&self, until: Timestamp) -> Self {
        let mut task = self.clone();
        task.status = Status::Snoozed;
        task.completed_at = None;
        if task.snoozed_until != Some(until) {
            task.snoozed_until = Some(until);
            task.snooze_count = task.snooze_count.saturating_add(1);
        }
        task
    }
}

fn edit_title(task: &mut Task, title: Option<String>) -> Result<(), Fault> {
    if let Some(title) = title {
        task.title = one_line("/title", &title, TITLE_MAX)?;
    }
    Ok(())
}

fn edit_description(task: &mut Task, description: Patch<String>) -> Result<(), Fault> {
    if let Patch::Set(text) = &description {
        several_lines("/description", text, DESCRIPTION_MAX)?;
    }
    description.apply(&mut task.description);
    Ok(())
}

fn edit_priority(task: &mut Task, priority: Option<u8>) -> Result<(), Fault> {
    let priority = priority.unwrap_or(task.priority);
    if !(1..=5).contains(&priority) {
        return Err(Fault::new("/priority", "must be between 1 and 5"));
    }
    task.priority = priority;
    Ok(())
}

fn edit_effort(task: &mut Task, effort: Patch<u32>) -> Result<(), Fault> {
    if matches!(effort, Patch::Set(minutes) if !(1..=EFFORT_MAX).contains(&minutes)) {
        return Err(Fault::new("/effort_estimate_minutes", format!("must be between 1 and {EFFORT_MAX}")));
    }
    effort.apply(&mut task.effort_minutes);
    Ok(())
}

/// Labels are a set: a name that comes twice, whatever the case, counts once; one that the task has keeps its spelling.
fn edit_labels(task: &mut Task, labels: Option<Vec<String>>, faults: &mut Vec<Fault>) {
    let Some(labels) = labels else { return };
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    for (index, label) in labels.iter().enumerate() {
        match text::name(&format!("/labels/{index}"), label) {
            Ok(name) => {
                named.entry(name_key(&name)).or_insert(name);
            }
            Err(fault) => faults.push(fault),
        }
    }
    if named.len() > LABELS_MAX {
        faults.push(Fault::new("/labels", format!("must have at most {LABELS_MAX} labels")));
    }
    for own in &task.labels {
        if let Some(name) = named.get_mut(&name_key(own)) {
            name.clone_from(own);
        }
    }
    task.labels = named.into_values().collect();
}

fn edit_status(
    task: &mut Task,
    status: Option<Status>,
    snoozed_until: Patch<Timestamp>,
    now: Timestamp,
) -> Result<(), Fault> {
    if status.is_none() && snoozed_until.is_keep() {
        return Ok(());
    }
    let status = status.unwrap_or(task.status);
    if status != Status::Snoozed {
        if matches!(snoozed_until, Patch::Set(_)) {
            return Err(only_snoozed());
        }
        *task = task.moved_to(status, now);
        return Ok(());
    }
    let until = match snoozed_until {
        Patch::Keep => task.snoozed_until,
        Patch::Clear => None,
        Patch::Set(until) => Some(until),
    };
    let until = until.ok_or_else(needs_moment)?;
    if until <= now && task.snoozed_until != Some(until) {
        return Err(Fault::new("/snoozed_until", "must be in the future").because_of("/status"));
    }
    *task = task.put_off(until);
    Ok(())
}

/// A snoozed task that does not say until when.
pub(super) fn needs_moment() -> Fault {
    Fault::new("/snoozed_until", "is required for the status `snoozed`").because_of("/status")
}

/// A task that says until when it is snoozed, and is not.
pub(super) fn only_snoozed() -> Fault {
    Fault::new("/snoozed_until", "is only allowed together with the status `snoozed`").because_of("/status")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> Task {
        let now = Timestamp::from_micros(1_000_000_000_000);
        Task::blank(TaskId::new(now), now)
    }

    fn later(task: &Task) -> Timestamp {
        task.created_at.plus(std::time::Duration::from_mins(1))
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let patch = TaskPatch {
            title: Some(" ".into()),
            priority: Some(6),
            labels: Some(vec!["a".into(), String::new()]),
            status: Some(Status::Snoozed),
            ..TaskPatch::default()
        };

        let faults = task().edited(patch, Timestamp::MIN).unwrap_err();

        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["/title", "/priority", "/labels/1", "/snoozed_until"]);
    }

    #[test]
    fn completing_notes_the_time_and_reopening_forgets_it() {
        let task = task();

        let done = task.moved_to(Status::Completed, later(&task));
        let open = done.moved_to(Status::Pending, later(&task));

        assert_eq!(done.completed_at, Some(later(&task)));
        assert_eq!(done.moved_to(Status::Completed, Timestamp::MAX), done);
        assert_eq!(open, task);
    }

    #[test]
    fn a_snooze_lies_in_the_future_unless_it_is_the_one_that_stands() {
        let task = task();
        let snooze =
            |until| TaskPatch { status: Some(Status::Snoozed), snoozed_until: Patch::Set(until), ..Default::default() };

        let snoozed = task.edited(snooze(later(&task)), task.created_at).unwrap();

        assert_eq!((snoozed.status, snoozed.snooze_count), (Status::Snoozed, 1));
        assert!(task.edited(snooze(task.created_at), task.created_at).is_err());
        assert_eq!(snoozed.edited(snooze(later(&task)), Timestamp::MAX), Ok(snoozed.clone()));
        let woken =
            snoozed.edited(TaskPatch { status: Some(Status::InProgress), ..Default::default() }, Timestamp::MIN);
        assert_eq!(woken.map(|task| (task.status, task.snoozed_until)), Ok((Status::InProgress, None)));
    }

    #[test]
    fn labels_are_a_set_without_case() {
        let patch =
            TaskPatch { labels: Some(vec!["Zoo".into(), "home".into(), " HOME ".into()]), ..Default::default() };

        assert_eq!(task().edited(patch, Timestamp::MIN).unwrap().labels, ["home", "Zoo"]);
    }

    #[test]
    fn a_label_that_the_task_has_keeps_its_spelling() {
        let task = Task { labels: vec!["Home".into()], ..task() };
        let patch = TaskPatch { labels: Some(vec!["HOME".into()]), ..Default::default() };

        assert_eq!(task.edited(patch, Timestamp::MIN), Ok(task));
    }
}
