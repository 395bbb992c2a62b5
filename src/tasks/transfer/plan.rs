//! From a file to what will be kept: new ids, references that lead somewhere, every fault found.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::ids::{LabelId, ProjectId, TaskId};
use crate::tasks::edit::{Patch, TaskPatch, needs_moment, only_snoozed};
use crate::tasks::error::Fault;
use crate::tasks::groups::{Label, Project};
use crate::tasks::task::{Status, Task};
use crate::tasks::text::{self, DESCRIPTION_MAX, several_lines};

/// The most tasks of one file.
pub const TASKS_MAX: usize = 5000;

/// A file to import. Its ids only say what belongs together.
#[derive(Clone, Debug, Default)]
pub struct ImportFile {
    /// The projects.
    pub projects: Vec<ProjectEntry>,
    /// The labels; tasks may name further ones.
    pub labels: Vec<LabelEntry>,
    /// The tasks.
    pub tasks: Vec<TaskEntry>,
    /// What was wrong with it already when it was read.
    pub faults: Vec<Fault>,
}

/// A project of a file.
#[derive(Clone, Debug, Default)]
pub struct ProjectEntry {
    /// What the file's tasks call it.
    pub id: Option<Uuid>,
    /// See [`Project::name`].
    pub name: String,
    /// See [`Project::description`].
    pub description: Option<String>,
    /// When it was made; now, when the file does not say.
    pub created_at: Option<Timestamp>,
}

/// A label of a file.
#[derive(Clone, Debug, Default)]
pub struct LabelEntry {
    /// See [`Label::name`].
    pub name: String,
    /// When it was made; now, when the file does not say.
    pub created_at: Option<Timestamp>,
}

/// A task of a file.
#[derive(Clone, Debug)]
pub struct TaskEntry {
    /// What the file's other tasks call it.
    pub id: Option<Uuid>,
    /// One of the file's projects.
    pub project_id: Option<Uuid>,
    /// One of the file's tasks.
    pub parent_id: Option<Uuid>,
    /// Where it stands.
    pub status: Status,
    /// Needed exactly for [`Status::Snoozed`]; may have passed.
    pub snoozed_until: Option<Timestamp>,
    /// See [`Task::snooze_count`]; when the file does not say, once for a snoozed task and never for another.
    pub snooze_count: Option<u32>,
    /// Only for [`Status::Completed`]; now, when the file does not say.
    pub completed_at: Option<Timestamp>,
    /// When it was made; now, when the file does not say.
    pub created_at: Option<Timestamp>,
    /// Everything else; status, project and parent are left alone here.
    pub fields: TaskPatch,
}

/// What is to be made, with ids of its own. Every task comes after the task that it is a part of.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::tasks) struct Plan {
    pub(super) projects: Vec<Project>,
    pub(super) labels: Vec<Label>,
    pub(super) tasks: Vec<Task>,
}

impl Plan {
    /// Checks a file and gives everything in it a new id.
    ///
    /// # Errors
    ///
    /// Every fault of the file, under `/tasks/<index>` and the like.
    pub(super) fn make(file: ImportFile, now: Timestamp) -> Result<Self, Vec<Fault>> {
        let mut faults = file.faults;
        let (projects, project_ids) = make_projects(file.projects, now, &mut faults);
        let labels = make_labels(file.labels, now, &mut faults);
        let tasks = make_tasks(file.tasks, &project_ids, now, &mut faults);
        if faults.is_empty() { Ok(Self { projects, labels, tasks }) } else { Err(faults) }
    }
}

/// So many ids whose order is that of the file, so that what is alike in time stays in order.
fn ordered<T: Ord>(count: usize, make: impl FnMut() -> T) -> Vec<T> {
    let mut ids: Vec<T> = std::iter::repeat_with(make).take(count).collect();
    ids.sort_unstable();
    ids
}

fn make_projects(
    entries: Vec<ProjectEntry>,
    now: Timestamp,
    faults: &mut Vec<Fault>,
) -> (Vec<Project>, HashMap<Uuid, ProjectId>) {
    let ids = ordered(entries.len(), || ProjectId::new(now));
    let mut known = HashMap::with_capacity(ids.len());
    let mut projects = Vec::with_capacity(ids.len());
    for ((index, entry), id) in entries.into_iter().enumerate().zip(ids) {
        let place = format!("/projects/{index}");
        let mut keep = |fault: Fault| faults.push(fault.under(&place));
        if let Some(own) = entry.id
            && known.insert(own, id).is_some()
        {
            keep(Fault::new("/id", "must not be the id of two projects"));
        }
        let name = text::name("/name", &entry.name).map_err(&mut keep);
        let description = entry.description.map(|text| several_lines("/description", &text, DESCRIPTION_MAX));
        let description = description.transpose().map_err(&mut keep);
        if let (Ok(name), Ok(description)) = (name, description) {
            let created_at = entry.created_at.unwrap_or(now);
            projects.push(Project { id, name, description, version: 1, created_at, updated_at: now });
        }
    }
    (projects, known)
}

fn make_labels(entries: Vec<LabelEntry>, now: Timestamp, faults: &mut Vec<Fault>) -> Vec<Label> {
    let ids = ordered(entries.len(), || LabelId::new(now));
    let mut labels = Vec::with_capacity(ids.len());
    for ((index, entry), id) in entries.into_iter().enumerate().zip(ids) {
        match text::name("/name", &entry.name) {
            Ok(name) => {
                let created_at = entry.created_at.unwrap_or(now);
                labels.push(Label { id, name, version: 1, created_at, updated_at: now });
            }
            Err(fault) => faults.push(fault.under(&format!("/labels/{index}"))),
        }
    }
    labels
}

fn make_tasks(
    entries: Vec<TaskEntry>,
    projects: &HashMap<Uuid, ProjectId>,
    now: Timestamp,
    faults: &mut Vec<Fault>,
) -> Vec<Task> {
    let ids = ordered(entries.len(), || TaskId::new(now));
    let mut places = HashMap::with_capacity(ids.len());
    for (index, own) in entries.iter().enumerate().filter_map(|(index, entry)| Some((index, entry.id?))) {
        if *places.entry(own).or_insert(index) != index {
            faults.push(Fault::new(format!("/tasks/{index}/id"), "must not be the id of two tasks"));
        }
    }
    let mut parents = Vec::with_capacity(ids.len());
    let mut tasks = Vec::with_capacity(ids.len());
    for (index, entry) in entries.into_iter().enumerate() {
        let parent = entry.parent_id.map(|parent| places.get(&parent).copied());
        let project = entry.project_id.map(|project| projects.get(&project).copied());
        let place = format!("/tasks/{index}");
        if parent == Some(None) {
            let fault = Fault::new("/parent_id", "must be the id of one of the file's tasks").under(&place);
            faults.push(fault.because_of("/tasks/*/id"));
        }
        if project == Some(None) {
            let fault = Fault::new("/project_id", "must be the id of one of the file's projects").under(&place);
            faults.push(fault.because_of("/projects/*/id"));
        }
        let mut found = Vec::new();
        let parent = parent.flatten();
        let task = make_task(ids[index], entry, now, &mut found);
        faults.extend(found.into_iter().map(|fault| fault.under(&place)));
        parents.push(parent);
        tasks.push(Task { project_id: project.flatten(), parent_id: parent.map(|parent| ids[parent]), ..task });
    }
    parents_first(tasks, &parents, faults)
}

fn make_task(id: TaskId, entry: TaskEntry, now: Timestamp, faults: &mut Vec<Fault>) -> Task {
    let TaskEntry { status, snoozed_until, completed_at, .. } = entry;
    let snoozed = status == Status::Snoozed;
    if snoozed && snoozed_until.is_none() {
        faults.push(needs_moment());
    }
    if !snoozed && snoozed_until.is_some() {
        faults.push(only_snoozed());
    }
    let completed = status == Status::Completed;
    if !completed && completed_at.is_some() {
        let message = "is only allowed together with the status `completed`";
        faults.push(Fault::new("/completed_at", message).because_of("/status"));
    }
    let task = Task {
        status,
        snoozed_until,
        snooze_count: entry.snooze_count.unwrap_or(u32::from(snoozed)),
        completed_at: completed.then_some(completed_at.unwrap_or(now)),
        created_at: entry.created_at.unwrap_or(now),
        ..Task::blank(id, now)
    };
    // The status stands already: its history is the file's, not a change that happens now.
    let fields = TaskPatch {
        status: None,
        snoozed_until: Patch::Keep,
        project_id: Patch::Keep,
        parent_id: Patch::Keep,
        ..entry.fields
    };
    match task.edited(fields, now) {
        Ok(task) => task,
        Err(found) => {
            faults.extend(found);
            task
        }
    }
}

/// Puts every task after the one that it is a part of; what is a part of itself is a fault.
fn parents_first(tasks: Vec<Task>, parents: &[Option<usize>], faults: &mut Vec<Fault>) -> Vec<Task> {
    let mut parts: Vec<Vec<usize>> = vec![Vec::new(); tasks.len()];
    let mut next = VecDeque::with_capacity(tasks.len());
    for (index, parent) in parents.iter().enumerate() {
        match parent {
            Some(parent) => parts[*parent].push(index),
            None => next.push_back(index),
        }
    }
    let mut tasks: Vec<Option<Task>> = tasks.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(tasks.len());
    while let Some(index) = next.pop_front() {
        ordered.extend(tasks[index].take());
        next.extend(std::mem::take(&mut parts[index]));
    }
    let left = tasks.iter().enumerate().filter_map(|(index, task)| task.as_ref().map(|_| index));
    for index in left.filter(|index| is_above_itself(*index, parents)) {
        let message = "must not be the task itself or one of its own parts";
        faults.push(Fault::new(format!("/tasks/{index}/parent_id"), message));
    }
    ordered
}

fn is_above_itself(task: usize, parents: &[Option<usize>]) -> bool {
    let above = std::iter::successors(parents[task], |index| parents[*index]);
    above.take(parents.len()).any(|index| index == task)
}

#[cfg(test)]
mod tests;
