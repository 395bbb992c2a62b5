//! The constants of a script that the server itself reads: `WINDOWS` and `RANGE`.

use rhai::{Dynamic, Map, Scope};

use crate::calendar::{TimeOfDay, Window, Windows};
use crate::scoring::ScoreRange;

use super::suggest::known_names;
use super::values::{kind, number};

/// What a policy declares beside its functions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Declared {
    /// The windows of people who have set none.
    pub windows: Option<Windows>,
    /// The range of scores.
    pub range: Option<ScoreRange>,
}

/// Reads what the constants declare.
///
/// # Errors
///
/// The constant's name and what is wrong with it.
pub fn read_declared(constants: &Scope<'_>) -> Result<Declared, (&'static str, String)> {
    let read = |name| constants.get(name);
    Ok(Declared {
        windows: read("WINDOWS").map(read_windows).transpose().map_err(|message| ("WINDOWS", message))?,
        range: read("RANGE").map(read_range).transpose().map_err(|message| ("RANGE", message))?,
    })
}

fn read_windows(value: &Dynamic) -> Result<Windows, String> {
    let map = value.as_map_ref().map_err(|_| format!("`WINDOWS` must be a map, not {}", kind(value)))?;
    let known = TimeOfDay::ALL.map(TimeOfDay::as_str);
    only("WINDOWS", &map, &known)?;
    let window = |time: TimeOfDay| {
        let name = time.as_str();
        let found = || map.get(name).map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let wrong = || {
            let found: String = found().chars().take(80).collect();
            format!("`WINDOWS` must have `{name}: [\"06:00\", \"12:00\"]`, a start and an end that differ, not {found}")
        };
        let pair = map.get(name).and_then(|pair| pair.as_array_ref().ok()).ok_or_else(wrong)?;
        let text = |index: usize| pair.get(index).and_then(|text| text.as_immutable_string_ref().ok());
        match (pair.len(), text(0), text(1)) {
            (2, Some(start), Some(end)) => Window::parse(&start, &end).ok_or_else(wrong),
            _ => Err(wrong()),
        }
    };
    Ok(Windows {
        morning: window(TimeOfDay::Morning)?,
        afternoon: window(TimeOfDay::Afternoon)?,
        evening: window(TimeOfDay::Evening)?,
    })
}

/// Keys that nobody reads are slips.
fn only(constant: &str, map: &Map, known: &[&str]) -> Result<(), String> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("`{constant}` has no use for `{key}`; {}", known_names(key, known))),
        None => Ok(()),
    }
}

fn read_range(value: &Dynamic) -> Result<ScoreRange, String> {
    let wrong = || "`RANGE` must be `#{ min: …, max: … }` with `min` below `max`".to_owned();
    let map = value.as_map_ref().map_err(|_| wrong())?;
    only("RANGE", &map, &["min", "max"])?;
    let end = |name: &str| map.get(name).and_then(number).filter(|end| end.is_finite());
    match (end("min"), end("max")) {
        (Some(min), Some(max)) if min < max => Ok(ScoreRange { min, max }),
        _ => Err(wrong()),
    }
}
