//! Text and JSON for the terminal.

use serde::Serialize;
use serde_json::json;

use crate::policies::PolicyFault;

/// Pretty JSON with a line break at its end.
pub(super) fn json<T: Serialize>(value: &T) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// Lines, each with its break.
pub(super) fn lines(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

/// What is wrong with a script: as JSON, or one fault a line.
pub(super) fn faults(faults: &[PolicyFault], is_json: bool) -> anyhow::Result<String> {
    if is_json {
        return json(&json!({ "ok": false, "faults": faults }));
    }
    Ok(lines(&faults.iter().map(ToString::to_string).collect::<Vec<_>>()))
}

/// A table: the first column to the left, the others to the right.
pub(super) fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
