//! `/api/export` and `/api/import`: everything of one user, out and in.

use std::io;

use bytes::Bytes;
use poem::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use poem::{IntoResponse, Response};
use poem_openapi::param::Query;
use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Enum, OpenApi};

use crate::accounts::Caller;
use crate::calendar::local_date;
use crate::clock::Timestamp;
use crate::tasks::Tasks;
use crate::tasks::transfer::ical::CalendarWriter;
use crate::tasks::transfer::table::TableWriter;
use crate::tasks::transfer::{Exported, Imported};

use super::auth::{Reader, Writer};
use super::changes::{Conditions, Done, IdempotencyKey, change};
use super::checked::Checked;
use super::payload::JSON;
use super::problem::ApiError;
use super::tags::Tag;

mod file;
mod views;

pub use file::{ImportInput, ImportLabel, ImportProject, ImportTask};
pub use views::{ExportView, ImportedView};

/// The operations on everything at once.
#[derive(Debug)]
pub struct TransferApi {
    tasks: Tasks,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
#[oai(rename = "ExportFormat", rename_all = "lowercase")]
pub enum FormatName {
    /// Everything; what `POST /api/import` takes.
    #[default]
    Json,
    /// The tasks as a table.
    Csv,
    /// The tasks as a calendar.
    Ics,
}

impl FormatName {
    const fn media_type(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ics => "text/calendar; charset=utf-8",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Ics => "ics",
        }
    }
}

/// An export, ready to be sent as a file.
#[derive(Debug)]
pub struct ExportFile {
    format: FormatName,
    name: String,
    body: Bytes,
}

impl ExportFile {
    fn new(format: FormatName, caller: &Caller, at: Timestamp, body: Vec<u8>) -> Self {
        let name = format!("mindflow-{}.{}", local_date(at, caller.zone).format("%Y-%m-%d"), format.extension());
        Self { format, name, body: body.into() }
    }
}

impl IntoResponse for ExportFile {
    fn into_response(self) -> Response {
        Response::builder()
            .header(CONTENT_TYPE, self.format.media_type())
            .header(CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", self.name))
            .body(self.body)
    }
}

impl ApiResponse for ExportFile {
    fn meta() -> MetaResponses {
        let text = || MetaSchemaRef::Inline(Box::new(poem_openapi::registry::MetaSchema::new("string")));
        let content = vec![
            MetaMediaType { content_type: JSON, schema: ExportView::schema_ref() },
            MetaMediaType { content_type: "text/csv", schema: text() },
            MetaMediaType { content_type: "text/calendar", schema: text() },
        ];
        let name = MetaHeader {
            name: "Content-Disposition".to_owned(),
            description: Some("A name to keep the file under, such as `mindflow-2026-11-21.json`.".to_owned()),
            required: false,
            deprecated: false,
            schema: String::schema_ref(),
        };
        let description = "Everything of yours, in the form that was asked for.";
        let response =
            MetaResponse { description, status: Some(200), status_range: None, content, headers: vec![name] };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        ExportView::register(registry);
    }
}

/// One writer for each form.
enum Format {
    Json(views::JsonWriter),
    Table(Box<TableWriter>),
    Calendar(CalendarWriter),
}

impl Format {
    fn new(name: FormatName) -> io::Result<Self> {
        Ok(match name {
            FormatName::Json => Self::Json(views::JsonWriter::new()),
            FormatName::Csv => Self::Table(Box::new(TableWriter::new()?)),
            FormatName::Ics => Self::Calendar(CalendarWriter::new()),
        })
    }

    fn take(&mut self, row: Exported) -> io::Result<()> {
        match self {
            Self::Json(writer) => writer.take(&row),
            Self::Table(writer) => writer.take(row),
            Self::Calendar(writer) => {
                writer.take(row);
                Ok(())
            }
        }
    }

    fn finish(self, at: Timestamp) -> io::Result<Vec<u8>> {
        match self {
            Self::Json(writer) => writer.finish(at),
            Self::Table(writer) => writer.finish(),
            Self::Calendar(writer) => Ok(writer.finish()),
        }
    }
}

impl TransferApi {
    /// The operations over a service.
    pub fn new(tasks: Tasks) -> Self {
        Self { tasks }
    }
}

#[OpenApi(prefix_path = "/api", tag = "Tag::Transfer")]
impl TransferApi {
    /// Export everything
    ///
    /// All of your projects, labels and tasks, as they stand at one moment; deleted ones are left out.
    ///
    /// - `json` is complete, and what `POST /api/import` takes.
    /// - `csv` (RFC 4180) has a row for each task under a header row. Labels are joined by `;` (inside of a name it is
    ///   written `\;`, and a backslash `\\`). A cell that a spreadsheet would run as a formula, because it begins with
    ///   `=`, `+`, `-`, `@`, a tab or a line break, has an apostrophe in front; so has one that begins with apostrophes
    ///   before such a character.
    /// - `ics` (RFC 5545) has a `VTODO` for each task. Priority 5 becomes 1, 4 becomes 3, 3 becomes 5, 2 becomes 7 and
    ///   1 becomes 9; a snoozed task needs action. Effort, preferred time, the end of a snooze and the project stand in
    ///   `X-MINDFLOW-EFFORT-MINUTES`, `X-MINDFLOW-PREFERRED-TIME`, `X-MINDFLOW-SNOOZED-UNTIL` and `X-MINDFLOW-PROJECT`.
    #[oai(path = "/export", method = "get", operation_id = "export_data")]
    async fn export_data(
        &self,
        caller: Reader,
        /// The form.
        #[oai(default)]
        format: Query<FormatName>,
    ) -> Result<ExportFile, ApiError> {
        let mut writer = Format::new(format.0).map_err(|error| ApiError::internal(&error))?;
        let mut written = Ok(());
        let take = |row| {
            if written.is_ok() {
                written = writer.take(row);
            }
        };
        let at = self.tasks.export(&caller, take).await?;
        let body = written.and_then(|()| writer.finish(at)).map_err(|error| ApiError::internal(&error))?;
        Ok(ExportFile::new(format.0, &caller, at, body))
    }

    /// Import an export
    ///
    /// Adds everything in the file to what is there, in one transaction: all of it or nothing. Takes the JSON form of
    /// `GET /api/export` alone; CSV and iCalendar cannot be imported.
    ///
    /// Ids in the file only say what belongs together; everything gets a new id. Projects and labels whose name exists
    /// already, whatever the case, are used as they are. When things were made and completed is kept. What the server
    /// decides itself (`exported_at`, `updated_at`, `version`) may be in the file and is not looked at.
    ///
    /// The undo token removes all of it again, while no task of the import has been changed and no other task has
    /// become a part of one; projects and labels that others have come to use stay.
    #[oai(path = "/import", method = "post", operation_id = "import_data")]
    async fn import_data(
        &self,
        caller: Writer,
        /// Makes a repetition safe: the same key and body within 24 hours get the first answer again.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: IdempotencyKey,
        body: Checked<ImportInput>,
    ) -> Result<Done<Imported>, ApiError> {
        let (input, purpose) = body.open();
        let file = input.read(caller.zone);
        let on = Conditions::repeatable(idempotency_key).on(purpose);
        change(&caller, on, |ask| self.tasks.import(ask, file)).await
    }
}
