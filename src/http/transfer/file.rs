//! The file that an import takes: an export, or something like it written by hand.

use chrono_tz::Tz;
use poem_openapi::Object;
use poem_openapi::types::Example;
use uuid::Uuid;

use crate::calendar::{DateError, TimeOfDay, parse_due, parse_moment};
use crate::clock::Timestamp;
use crate::http::fields::{Description, JsonObject, Moment, Name, Title};
use crate::http::task_views::{StatusName, TimeOfDayName};
use crate::tasks::edit::{PRIORITY_DEFAULT, Patch, TaskPatch};
use crate::tasks::transfer::plan::{ImportFile, LabelEntry, ProjectEntry, TaskEntry};
use crate::tasks::{Fault, Status};

const SOME_PROJECT: Uuid = Uuid::from_u128(0x019a_a4f2_9d40_7c3e_8f21_6b1d_54e7_a0c3);
const SOME_TASK: Uuid = Uuid::from_u128(0x019a_a4f2_9d42_7c3e_8f21_6b1d_54e7_a0c3);

/// Everything to add: the JSON form of an export.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "Import", deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ImportInput {
    /// The version of this form.
    #[oai(validator(minimum(value = "1"), maximum(value = "1")))]
    pub version: u8,
    /// When the file was made; not looked at.
    pub exported_at: Option<Moment>,
    /// The projects that the tasks belong to.
    #[oai(validator(max_items = 1000))]
    pub projects: Option<Vec<ImportProject>>,
    /// The labels; tasks may have others too.
    #[oai(validator(max_items = 5000))]
    pub labels: Option<Vec<ImportLabel>>,
    /// The tasks.
    #[oai(validator(max_items = 5000))]
    pub tasks: Vec<ImportTask>,
    /// Not looked at: the files themselves are not in an export.
    #[oai(validator(max_items = 50000))]
    pub attachments: Option<Vec<ImportAttachment>>,
    /// Not looked at: what was recommended to whom stays where it was.
    #[oai(validator(max_items = 50000))]
    pub decisions: Option<Vec<JsonObject>>,
}

/// An attachment of a file; not looked at.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct ImportAttachment {
    /// Its id.
    pub id: Option<Uuid>,
    /// The task that it belonged to.
    pub task_id: Option<Uuid>,
    /// What it is called.
    pub file_name: Option<String>,
    /// As what it is served.
    pub content_type: Option<String>,
    /// How many bytes it has.
    #[oai(validator(minimum(value = "0"), maximum(value = "9007199254740991")))]
    pub size_bytes: Option<u64>,
    /// SHA-256 of its bytes.
    pub sha256: Option<String>,
    /// When it was attached.
    pub created_at: Option<Moment>,
}

/// A project of a file.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct ImportProject {
    /// What the tasks of the file call it.
    pub id: Option<Uuid>,
    /// Its name; a project of this name that exists is used as it is.
    pub name: Name,
    /// What it is about.
    #[oai(nullable)]
    pub description: Option<Description>,
    /// When it was made; now, when left out.
    pub created_at: Option<Moment>,
    /// Not looked at.
    pub updated_at: Option<Moment>,
    /// Not looked at.
    pub version: Option<i64>,
}

/// A label of a file.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct ImportLabel {
    /// Not looked at: tasks name their labels.
    pub id: Option<Uuid>,
    /// Its name; a label of this name that exists is used as it is.
    pub name: Name,
    /// When it was made; now, when left out.
    pub created_at: Option<Moment>,
    /// Not looked at.
    pub updated_at: Option<Moment>,
    /// Not looked at.
    pub version: Option<i64>,
}

/// A task of a file.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct ImportTask {
    /// What other tasks of the file call it.
    pub id: Option<Uuid>,
    /// What is to be done.
    pub title: Title,
    /// More about it.
    #[oai(nullable)]
    pub description: Option<Description>,
    /// Where it stands; `snoozed` needs `snoozed_until`.
    pub status: Option<StatusName>,
    /// 1 (low) to 5 (high); 3 when left out.
    #[oai(validator(minimum(value = "1"), maximum(value = "5")))]
    pub priority: Option<u8>,
    /// When it is due: a date alone, or a date-time; without offset it is read in the user's zone.
    #[oai(nullable)]
    pub due_date: Option<Moment>,
    /// How long it will take, in minutes.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "525600")))]
    pub effort_estimate_minutes: Option<u32>,
    /// The part of the day in which it is best done.
    #[oai(nullable)]
    pub preferred_time: Option<TimeOfDayName>,
    /// From when on a snoozed task is a candidate again; may have passed.
    #[oai(nullable)]
    pub snoozed_until: Option<Moment>,
    /// How often it was put off; when left out, once for a snoozed task and never for another.
    #[oai(validator(minimum(value = "0"), maximum(value = "2147483647")))]
    pub snooze_count: Option<u32>,
    /// Its labels; those that do not exist yet are made.
    #[oai(validator(max_items = 20))]
    pub labels: Option<Vec<Name>>,
    /// One of the file's projects.
    #[oai(nullable)]
    pub project_id: Option<Uuid>,
    /// One of the file's tasks, of which this is a part.
    #[oai(nullable)]
    pub parent_id: Option<Uuid>,
    /// When it was made; now, when left out.
    pub created_at: Option<Moment>,
    /// Not looked at.
    pub updated_at: Option<Moment>,
    /// When it was completed, only for a completed task; now, when left out.
    #[oai(nullable)]
    pub completed_at: Option<Moment>,
    /// Not looked at.
    pub version: Option<i64>,
}

impl Example for ImportInput {
    fn example() -> Self {
        let project = ImportProject {
            id: Some(SOME_PROJECT),
            name: Name("House".to_owned()),
            description: None,
            created_at: None,
            updated_at: None,
            version: None,
        };
        let task = ImportTask {
            id: Some(SOME_TASK),
            title: Title("Call the plumber".to_owned()),
            description: None,
            status: Some(StatusName::Pending),
            priority: Some(4),
            due_date: Some(Moment("2026-11-24".to_owned())),
            effort_estimate_minutes: Some(10),
            preferred_time: None,
            snoozed_until: None,
            snooze_count: None,
            labels: Some(vec![Name("phone".to_owned())]),
            project_id: Some(SOME_PROJECT),
            parent_id: None,
            created_at: Some(Moment("2026-11-21T07:00:00Z".to_owned())),
            updated_at: None,
            completed_at: None,
            version: None,
        };
        Self {
            version: 1,
            exported_at: None,
            projects: Some(vec![project]),
            labels: None,
            tasks: vec![task],
            attachments: None,
            decisions: None,
        }
    }
}

impl ImportInput {
    /// The same for the domain; dates that do not exist become faults of the file.
    pub(super) fn read(self, zone: Tz) -> ImportFile {
        let mut dates = Dates { zone, faults: Vec::new() };
        let projects = self.projects.unwrap_or_default().into_iter().enumerate().map(|(index, project)| ProjectEntry {
            id: project.id,
            name: project.name.0,
            description: project.description.map(|text| text.0),
            created_at: dates.moment(&format!("/projects/{index}/created_at"), project.created_at),
        });
        let projects = projects.collect();
        let labels = self.labels.unwrap_or_default().into_iter().enumerate().map(|(index, label)| LabelEntry {
            name: label.name.0,
            created_at: dates.moment(&format!("/labels/{index}/created_at"), label.created_at),
        });
        let labels = labels.collect();
        let tasks = self.tasks.into_iter().enumerate();
        let tasks = tasks.map(|(index, task)| task.read(&format!("/tasks/{index}"), &mut dates)).collect();
        ImportFile { projects, labels, tasks, faults: dates.faults }
    }
}

impl ImportTask {
    fn read(self, place: &str, dates: &mut Dates) -> TaskEntry {
        let due = dates.read(&format!("{place}/due_date"), self.due_date, parse_due);
        TaskEntry {
            id: self.id,
            project_id: self.project_id,
            parent_id: self.parent_id,
            status: self.status.map_or(Status::Pending, Status::from),
            snoozed_until: dates.moment(&format!("{place}/snoozed_until"), self.snoozed_until),
            snooze_count: self.snooze_count,
            completed_at: dates.moment(&format!("{place}/completed_at"), self.completed_at),
            created_at: dates.moment(&format!("{place}/created_at"), self.created_at),
            fields: TaskPatch {
                title: Some(self.title.0),
                description: Patch::replace(self.description.map(|text| text.0)),
                priority: Some(self.priority.unwrap_or(PRIORITY_DEFAULT)),
                due: Patch::replace(due),
                effort_minutes: Patch::replace(self.effort_estimate_minutes),
                preferred_time: Patch::replace(self.preferred_time.map(TimeOfDay::from)),
                labels: Some(self.labels.unwrap_or_default().into_iter().map(|label| label.0).collect()),
                ..TaskPatch::default()
            },
        }
    }
}

/// Reads dates, collecting what is wrong with them.
struct Dates {
    zone: Tz,
    faults: Vec<Fault>,
}

impl Dates {
    fn moment(&mut self, place: &str, field: Option<Moment>) -> Option<Timestamp> {
        self.read(place, field, parse_moment)
    }

    fn read<T>(
        &mut self,
        place: &str,
        field: Option<Moment>,
        parse: fn(&str, Tz) -> Result<T, DateError>,
    ) -> Option<T> {
        match parse(&field?.0, self.zone) {
            Ok(value) => Some(value),
            Err(error) => {
                self.faults.push(Fault::new(place, error.to_string()));
                None
            }
        }
    }
}
