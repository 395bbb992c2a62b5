//! What a line of an archive must be, before a database is shown it.

use serde_json::Value;

use crate::store::tables::{Column, Kind};

/// Checks lines; returns how many there are, or what is wrong with one.
pub(super) fn check(lines: &[u8], columns: &[&Column]) -> Result<u64, String> {
    let mut count = 0;
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        count += 1;
        let wrong = |what: &str| format!("line {count} {what}");
        let Some(line) = line.strip_suffix(b"\n") else { return Err(wrong("has no end")) };
        let values: Vec<Value> = serde_json::from_slice(line).map_err(|_| wrong("is not a row"))?;
        if values.len() != columns.len() {
            return Err(wrong("has another number of values than its table"));
        }
        if let Some((column, _)) = columns.iter().zip(&values).find(|(column, value)| !fits(column.kind, value)) {
            return Err(wrong(&format!("has a value that `{}` cannot hold", column.name)));
        }
    }
    Ok(count)
}

/// Whether a column of a kind may hold a value; whether it may be empty is the database's to say.
fn fits(kind: Kind, value: &Value) -> bool {
    match (kind, value) {
        (_, Value::Null) | (Kind::Flag, Value::Bool(_)) => true,
        (Kind::Id, Value::String(text)) => is_id(text),
        (Kind::Bytes, Value::String(text)) => text.len() % 2 == 0 && text.bytes().all(is_digit),
        (Kind::Text, Value::String(text)) => !text.contains('\0'),
        (Kind::Int, Value::Number(number)) => number.is_i64(),
        _ => false,
    }
}

fn is_id(text: &str) -> bool {
    let hyphen = |place: usize| matches!(place, 8 | 13 | 18 | 23);
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| if hyphen(place) { byte == b'-' } else { is_digit(byte) })
}

const fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tables::TABLES;

    fn labels() -> Vec<&'static Column> {
        TABLES.iter().find(|table| table.name == "labels").unwrap().columns_at(2).collect()
    }

    const GOOD: &str =
        r#"["0192f0c1-2b3c-7d4e-8f50-617283940a1b","0192f0c1-2b3c-7d4e-8f50-617283940a1b","a","a",1,2,3]"#;

    #[test]
    fn rows_as_they_are_written_are_taken() {
        assert_eq!(check(format!("{GOOD}\n{GOOD}\n").as_bytes(), &labels()), Ok(2));
        assert_eq!(check(b"", &labels()), Ok(0));
    }

    #[test]
    fn what_no_database_should_see_is_refused() {
        let bad = [
            GOOD.to_owned(),
            format!("{}\n", GOOD.replace("1,2,3]", "1,2]")),
            format!("{}\n", GOOD.replace("1,2,3]", "1,2,3.5]")),
            format!("{}\n", GOOD.replace("1,2,3]", "1,2,\"3\"]")),
            format!("{}\n", GOOD.replace("1,2,3]", "1,2,9223372036854775808]")),
            format!("{}\n", GOOD.replace("\"a\"", "\"\\u0000\"")),
            format!("{}\n", GOOD.replace("0192", "019G")),
            format!("{}\n", GOOD.replace("1b\"", "1\"")),
            "{}\n".to_owned(),
            "\n".to_owned(),
            "x\n".to_owned(),
        ];
        for text in bad {
            assert!(check(text.as_bytes(), &labels()).is_err(), "{text}");
        }
    }
}
