//! How far it has come: one line that changes on a terminal, else a line for each table.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use crate::backup::Progress;

/// Shows progress on standard error.
pub struct Shown {
    terminal: bool,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    what: String,
    line: String,
}

impl Shown {
    /// Nothing was done so far.
    pub fn begin() -> Arc<Self> {
        Arc::new(Self { terminal: io::stderr().is_terminal(), last: Mutex::default() })
    }

    /// Ends the line.
    pub fn end(&self) {
        self.show(String::new(), String::new());
    }

    fn show(&self, what: String, line: String) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut err = io::stderr().lock();
        // Whether somebody can read it is no reason to stop.
        let _ = if self.terminal {
            write!(err, "\r\u{1b}[K{line}").and_then(|()| err.flush())
        } else if last.what == what || last.line.is_empty() {
            Ok(())
        } else {
            writeln!(err, "{}", last.line)
        };
        *last = Last { what, line };
    }
}

impl Progress for Shown {
    fn table(&self, name: &str, rows: u64, bytes: u64) {
        self.show(name.to_owned(), format!("{name}: {rows} rows, {}", size(bytes)));
    }

    fn attachments(&self, count: u64, bytes: u64) {
        self.show("attachments".to_owned(), format!("attachments: {count}, {}", size(bytes)));
    }

    fn step(&self, what: &str) {
        self.show(what.to_owned(), format!("checking {what}"));
    }
}

/// A number of bytes for people.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut scaled = bytes / 1024 * 10 + bytes % 1024 * 10 / 1024;
    let mut unit = 0;
    while scaled >= 10_240 && unit + 1 < UNITS.len() {
        (scaled, unit) = (scaled / 1024, unit + 1);
    }
    format!("{}.{} {}", scaled / 10, scaled % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_people_read_them() {
        let sizes = [0, 1023, 1024, 1536, 1024 * 1024 - 1, 5 * 1024 * 1024, u64::MAX].map(size);

        assert_eq!(sizes, ["0 bytes", "1023 bytes", "1.0 KiB", "1.5 KiB", "1023.9 KiB", "5.0 MiB", "16777215.9 TiB"]);
    }
}
