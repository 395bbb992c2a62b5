//! Events as clients see them.

use chrono::{DateTime, Utc};
use poem_openapi::Object;
use serde::Serialize;
use uuid::Uuid;

use crate::events::Event;
use crate::http::task_views::TaskView;
use crate::tasks::Task;

/// Something that happened.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "Event")]
pub struct EventView {
    /// What happened, such as `task.created`: `task.` with `created`, `updated`, `started`, `completed`, `reopened`,
    /// `snoozed`, `deleted` or `restored`; `project.` and `label.` with `created`, `updated`, `deleted` or `restored`;
    /// `data.imported` and `data.removed`, after which everything is to be read anew; `user.updated`. More may come.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of thing: `task`, `project`, `label` or `user`.
    pub entity: String,
    /// The id of the thing.
    pub id: Uuid,
    /// The event's number, as in the stream's `id`.
    pub version: i64,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The names of the fields that changed, where that is known; left out where it is not.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<String>>,
    /// Through what it came: `api` or `mcp`.
    pub via: String,
    /// The request that did it: who sends its own `X-Request-ID` knows its own changes by it.
    pub request_id: String,
    /// The task as it is now; left out when it is gone, and for other things.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskView>,
}

impl EventView {
    /// Shows an event, with the task that it is about, if that is there.
    pub(super) fn new(event: &Event, task: Option<&Task>) -> Self {
        let fields: Vec<_> = event.what.fields.iter().map(ToString::to_string).collect();
        Self {
            kind: event.what.kind.to_string(),
            entity: event.what.entity.to_string(),
            id: event.what.id,
            version: event.number,
            at: event.at.to_utc(),
            fields: Some(fields).filter(|fields| !fields.is_empty()),
            via: event.via.to_string(),
            request_id: event.request_id.to_string(),
            task: task.map(TaskView::from),
        }
    }
}
