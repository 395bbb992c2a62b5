//! Tasks as a table: CSV (RFC 4180) in UTF-8, with a header row.
//!
//! Spreadsheets run a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break as a formula. Such a cell gets an
//! apostrophe in front, and so does one that begins with apostrophes before such a character: whoever reads the file
//! takes one apostrophe away from a cell that begins with apostrophes and then one of these characters.

use std::collections::HashMap;
use std::io;

use crate::calendar::TimeOfDay;
use crate::ids::ProjectId;
use crate::store::Exported;
use crate::tasks::task::Task;

/// The header row.
const COLUMNS: [&str; 16] = [
    "id",
    "title",
    "description",
    "status",
    "priority",
    "due_date",
    "effort_estimate_minutes",
    "preferred_time",
    "snoozed_until",
    "labels",
    "project",
    "project_id",
    "parent_id",
    "created_at",
    "updated_at",
    "completed_at",
];

/// Writes the table, row by row.
#[derive(Debug)]
pub struct TableWriter {
    rows: csv::Writer<Vec<u8>>,
    projects: HashMap<ProjectId, String>,
}

impl TableWriter {
    /// A table with its header row.
    pub fn new() -> io::Result<Self> {
        let mut rows = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        rows.write_record(COLUMNS)?;
        Ok(Self { rows, projects: HashMap::new() })
    }

    /// Adds a task; projects are remembered for their names.
    pub fn take(&mut self, row: Exported) -> io::Result<()> {
        match row {
            Exported::Project(project) => {
                self.projects.insert(project.id, project.name);
            }
            Exported::Label(_) | Exported::Attachment(_) | Exported::Decision(_) => {}
            Exported::Task(task) => self.write(&task)?,
        }
        Ok(())
    }

    fn write(&mut self, task: &Task) -> io::Result<()> {
        let project = task.project_id.and_then(|id| self.projects.get(&id)).map_or("", String::as_str);
        self.rows.write_record([
            task.id.to_string(),
            safe(&task.title),
            safe(task.description.as_deref().unwrap_or_default()),
            task.status.as_str().to_owned(),
            task.priority.to_string(),
            text(task.due),
            text(task.effort_minutes),
            text(task.preferred_time.map(TimeOfDay::as_str)),
            text(task.snoozed_until),
            safe(&joined(&task.labels)),
            safe(project),
            text(task.project_id),
            text(task.parent_id),
            task.created_at.to_string(),
            task.updated_at.to_string(),
            text(task.completed_at),
        ])?;
        Ok(())
    }

    /// The whole table.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        self.rows.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Names between semicolons; one inside of a name, and a backslash, has a backslash before it.
fn joined(labels: &[String]) -> String {
    let names: Vec<_> = labels.iter().map(|name| name.replace('\\', "\\\\").replace(';', "\\;")).collect();
    names.join(";")
}

/// The text as a cell that no spreadsheet runs.
fn safe(text: &str) -> String {
    let first = text.trim_start_matches('\'').chars().next();
    match first {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n') => format!("'{text}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Due;
    use crate::clock::Timestamp;
    use crate::ids::TaskId;

    fn table(tasks: impl IntoIterator<Item = Task>) -> String {
        let mut table = TableWriter::new().unwrap();
        for task in tasks {
            table.take(Exported::Task(Box::new(task))).unwrap();
        }
        String::from_utf8(table.finish().unwrap()).unwrap()
    }

    fn a_task(title: &str) -> Task {
        let now = Timestamp::from_micros(1_795_244_400_000_000);
        Task { title: title.to_owned(), ..Task::blank(TaskId(uuid::Uuid::from_u128(1)), now) }
    }

    #[test]
    fn an_empty_table_has_a_header() {
        assert!(table([]).starts_with("id,title,description,status,"));
        assert!(table([]).ends_with("completed_at\r\n"));
    }

    #[test]
    fn what_needs_quotes_gets_them() {
        let task = Task {
            description: Some("two\r\nlines".to_owned()),
            labels: vec!["a;b".to_owned(), "c\\".to_owned()],
            due: Some(Due::On("2026-12-24".parse().unwrap())),
            ..a_task("say \"hi\", Ümit")
        };

        let written = table([task]);

        let row = written.split_once("\r\n").unwrap().1;
        let start =
            "00000000-0000-0000-0000-000000000001,\"say \"\"hi\"\", Ümit\",\"two\r\nlines\",pending,3,2026-12-24,,,";
        assert!(row.starts_with(start), "{row}");
        assert!(row.contains(",a\\;b;c\\\\,,,,2026-11-21T07:00:00Z,2026-11-21T07:00:00Z,\r\n"), "{row}");
    }

    #[test]
    fn no_cell_is_a_formula_and_every_cell_can_be_read_back() {
        for text in ["=1+1", "+1", "-1", "@SUM", "\tx", "\r\nx", "\nx", "'=1", "''=1", "'tis", "plain", "", "'"] {
            let cell = safe(text);

            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell:?}");
            let guarded = cell.starts_with('\'')
                && cell.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
            assert_eq!(if guarded { &cell[1..] } else { &cell[..] }, text);
        }
    }
}
