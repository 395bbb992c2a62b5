//! What was probably meant, where a script fails on a name that is not there.

use std::collections::BTreeSet;

use rhai::{Dynamic, Scope};

use super::suggest::nearest;

/// The parts of `ctx.windows` and of each window.
const WINDOWS: [&str; 6] = ["morning", "afternoon", "evening", "start", "end", "active"];

/// The names that stand in a script: what a misspelt one is held against.
pub(super) struct Names {
    functions: BTreeSet<String>,
    keys: BTreeSet<String>,
}

impl Names {
    /// Of the functions, and of the keys of all maps among the constants.
    pub(super) fn new(functions: impl Iterator<Item = String>, constants: &Scope<'_>) -> Self {
        let mut keys: BTreeSet<String> = WINDOWS.map(str::to_owned).into();
        for (_, _, value) in constants.iter() {
            collect(&value, &mut keys);
        }
        // Closures have names too, which nobody wrote.
        Self { functions: functions.filter(|name| !name.contains('$')).collect(), keys }
    }

    /// The message, with a suggestion where it names a function or a field that is not there.
    pub(super) fn hinted(&self, message: &str) -> String {
        let meant = [("there is no function `", &self.functions), ("there is no field `", &self.keys)];
        let found = meant.into_iter().find_map(|(start, known)| {
            let name = message.strip_prefix(start)?.split([' ', '`']).next()?;
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            nearest(name, &known)
        });
        found.map_or_else(|| message.to_owned(), |name| format!("{message}; did you mean `{name}`?"))
    }
}

fn collect(value: &Dynamic, keys: &mut BTreeSet<String>) {
    if let Ok(map) = value.as_map_ref() {
        for (key, value) in map.iter() {
            keys.insert(key.to_string());
            collect(value, keys);
        }
    }
}
