//! What an export and an import answer.

use std::io;

use chrono::{DateTime, Utc};
use poem_openapi::Object;
use poem_openapi::types::Example;
use serde::Serialize;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::http::attachments::AttachmentRecord;
use crate::http::changes::Shown;
use crate::http::fields::{Moment, Name, Title};
use crate::http::groups::{LabelView, ProjectView};
use crate::http::policies::decided::DecisionView;
use crate::http::task_views::{StatusName, TaskView};
use crate::policies::decisions::kept::Decision;
use crate::tasks::transfer::{Exported, Imported};

/// 2026-11-21T07:00:00Z
const SOME_TIME: i64 = 1_795_244_400;
const SOME_PROJECT: Uuid = Uuid::from_u128(0x019a_a4f2_9d40_7c3e_8f21_6b1d_54e7_a0c3);
const SOME_LABEL: Uuid = Uuid::from_u128(0x019a_a4f2_9d41_7c3e_8f21_6b1d_54e7_a0c3);
const SOME_TASK: Uuid = Uuid::from_u128(0x019a_a4f2_9d42_7c3e_8f21_6b1d_54e7_a0c3);

/// Everything of a user's.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Export", example)]
pub struct ExportView {
    /// The version of this form.
    #[oai(validator(minimum(value = "1"), maximum(value = "1")))]
    pub version: u8,
    /// The moment at which everything stood so.
    pub exported_at: DateTime<Utc>,
    /// All projects, oldest first.
    pub projects: Vec<ProjectView>,
    /// All labels, oldest first.
    pub labels: Vec<LabelView>,
    /// All tasks that are not deleted, oldest first.
    pub tasks: Vec<TaskView>,
    /// What is attached to them, oldest first, without the files themselves.
    pub attachments: Vec<AttachmentRecord>,
    /// What you were recommended, as far as it is kept, oldest first.
    pub decisions: Vec<DecisionView>,
}

impl Example for ExportView {
    fn example() -> Self {
        let at = DateTime::from_timestamp(SOME_TIME, 0).unwrap_or_default();
        let (created_at, updated_at, version) = (at, at, 1);
        let project = ProjectView {
            id: SOME_PROJECT,
            name: Name("House".to_owned()),
            description: None,
            created_at,
            updated_at,
            version,
        };
        let label = LabelView { id: SOME_LABEL, name: Name("phone".to_owned()), created_at, updated_at, version };
        let task = TaskView {
            id: SOME_TASK,
            title: Title("Call the plumber".to_owned()),
            description: None,
            status: StatusName::Pending,
            priority: 4,
            due_date: Some(Moment("2026-11-24".to_owned())),
            effort_estimate_minutes: Some(10),
            preferred_time: None,
            snoozed_until: None,
            snooze_count: 0,
            labels: vec![Name("phone".to_owned())],
            project_id: Some(SOME_PROJECT),
            parent_id: None,
            created_at,
            updated_at,
            completed_at: None,
            version,
            score: None,
        };
        Self {
            version: 1,
            exported_at: at,
            projects: vec![project],
            labels: vec![label],
            tasks: vec![task],
            attachments: Vec::new(),
            decisions: Vec::new(),
        }
    }
}

/// Writes an [`ExportView`] row by row, without holding it.
#[derive(Debug)]
pub(super) struct JsonWriter {
    projects: Rows,
    labels: Rows,
    tasks: Rows,
    attachments: Rows,
    decisions: Rows,
}

/// A list under way, without its brackets.
#[derive(Debug, Default)]
struct Rows(Vec<u8>);

impl Rows {
    fn push(&mut self, row: &impl Serialize) -> io::Result<()> {
        if !self.0.is_empty() {
            self.0.push(b',');
        }
        Ok(serde_json::to_writer(&mut self.0, row)?)
    }
}

impl JsonWriter {
    pub(super) fn new() -> Self {
        Self {
            projects: Rows::default(),
            labels: Rows::default(),
            tasks: Rows::default(),
            attachments: Rows::default(),
            decisions: Rows::default(),
        }
    }

    pub(super) fn take(&mut self, row: &Exported) -> io::Result<()> {
        match row {
            Exported::Project(project) => self.projects.push(&ProjectView::from(project)),
            Exported::Label(label) => self.labels.push(&LabelView::from(label)),
            Exported::Task(task) => self.tasks.push(&TaskView::from(&**task)),
            Exported::Attachment(file) => self.attachments.push(&AttachmentRecord::from(&**file)),
            Exported::Decision(row) => {
                let decision = Decision::try_from((**row).clone()).map_err(io::Error::other)?;
                self.decisions.push(&DecisionView::from(decision))
            }
        }
    }

    pub(super) fn finish(self, at: Timestamp) -> io::Result<Vec<u8>> {
        let mut whole = b"{\"version\":1,\"exported_at\":".to_vec();
        serde_json::to_writer(&mut whole, &at.to_utc())?;
        let rows = [
            ("projects", self.projects),
            ("labels", self.labels),
            ("tasks", self.tasks),
            ("attachments", self.attachments),
            ("decisions", self.decisions),
        ];
        for (name, rows) in rows {
            whole.extend_from_slice(format!(",\"{name}\":[").as_bytes());
            whole.extend_from_slice(&rows.0);
            whole.push(b']');
        }
        whole.push(b'}');
        Ok(whole)
    }
}

/// What an import made; projects and labels that were there already are not counted.
#[derive(Clone, Copy, Debug, Object, Serialize)]
#[oai(rename = "Imported", example)]
pub struct ImportedView {
    /// New tasks.
    pub tasks: u32,
    /// New projects.
    pub projects: u32,
    /// New labels.
    pub labels: u32,
}

impl Example for ImportedView {
    fn example() -> Self {
        Self { tasks: 40, projects: 3, labels: 7 }
    }
}

impl Shown for Imported {
    type View = ImportedView;

    fn view(&self) -> ImportedView {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        ImportedView { tasks: count(self.tasks), projects: count(self.projects), labels: count(self.labels) }
    }
}
