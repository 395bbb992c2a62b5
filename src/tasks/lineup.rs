//! What rankings are made from: somebody's open tasks, and what a policy may look at of each.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use chrono_tz::Tz;

use crate::accounts::Caller;
use crate::calendar::Windows;
use crate::clock::Timestamp;
use crate::ids::ProjectId;
use crate::scoring::{Candidate, Crowd, Dates, Moment};

use super::groups::Project;
use super::task::{Status, Task};
use super::waits::Waits;

/// Everything of somebody that is or may become a candidate, at one version of their data.
pub(super) struct Lineup {
    pub(super) data_version: i64,
    pub(super) tasks: Vec<Task>,
    zone: Tz,
    project_names: HashMap<ProjectId, Arc<str>>,
    waits: Waits,
    /// For each task what a policy may look at, from the first ranking on.
    known: OnceLock<Vec<(Candidate, Dates)>>,
}

impl Lineup {
    pub(super) fn new(caller: &Caller, tasks: Vec<Task>, projects: Vec<Project>) -> Self {
        let names = projects.into_iter().map(|project| (project.id, Arc::from(project.name)));
        Self {
            data_version: caller.data_version,
            zone: caller.zone,
            project_names: names.collect(),
            waits: Waits::among(tasks.iter().map(|task| (task.id, task.parent_id))),
            known: OnceLock::new(),
            tasks,
        }
    }

    /// What a policy may look at, of each task in their order.
    pub(super) fn known(&self) -> &[(Candidate, Dates)] {
        self.known.get_or_init(|| {
            let known = |task| {
                let candidate = self.candidate(task);
                let dates = Dates::of(&candidate, self.zone);
                (candidate, dates)
            };
            self.tasks.iter().map(known).collect()
        })
    }

    /// What a policy may look at, of any task of the same person.
    pub(super) fn candidate(&self, task: &Task) -> Candidate {
        Candidate {
            status: task.status,
            due: task.due,
            effort_minutes: task.effort_minutes,
            preferred_time: task.preferred_time,
            snooze_count: task.snooze_count,
            labels: task.labels.iter().map(|label| Arc::from(label.as_str())).collect(),
            project: task.project_id.and_then(|id| self.project_names.get(&id).cloned()),
            blocked_by: self.waits.blocked_by(task.id),
            blocks: self.waits.blocks(task.id),
            ..Candidate::new(task.id, task.priority, task.created_at)
        }
    }

    /// The places of the tasks that can be recommended at a moment.
    pub(super) fn awake(&self, at: Timestamp) -> impl Iterator<Item = usize> {
        self.tasks.iter().enumerate().filter(move |(_, task)| is_candidate(task, at)).map(|(row, _)| row)
    }

    /// A moment of the person whose tasks these are, with the windows that they set.
    pub(super) fn moment(&self, windows: Option<Windows>, at: Timestamp, minutes_available: Option<u32>) -> Moment {
        let (mut open_tasks, mut overdue_tasks) = (0_u32, 0_u32);
        let known = self.known();
        for (_, dates) in self.awake(at).filter_map(|row| known.get(row)) {
            open_tasks = open_tasks.saturating_add(1);
            overdue_tasks = overdue_tasks.saturating_add(dates.overdue_from.is_some_and(|from| from <= at).into());
        }
        Moment { windows, minutes_available, open_tasks, overdue_tasks, ..Moment::new(at, self.zone) }
    }

    /// The numbers of open and of overdue tasks at other moments.
    pub(super) fn crowd(&self) -> Crowd {
        let open = self.tasks.iter().zip(self.known()).filter(|(task, _)| task.status != Status::Completed);
        Crowd::new(open.map(|(task, (_, dates))| (task.snoozed_until, dates.overdue_from)))
    }

    /// The first moment after `at` at which a task wakes from its snooze.
    pub(super) fn next_wake(&self, at: Timestamp) -> Option<Timestamp> {
        self.tasks.iter().filter_map(|task| task.snoozed_until).filter(|until| *until > at).min()
    }
}

/// Whether a task can be recommended: open, and awake.
pub(super) fn is_candidate(task: &Task, at: Timestamp) -> bool {
    match task.status {
        Status::Pending | Status::InProgress => true,
        Status::Snoozed => task.snoozed_until.is_some_and(|until| until <= at),
        Status::Completed => false,
    }
}
