//! What was probably meant, where a script fails on a name that is not there.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{Dynamic, Scope};

use super::suggest::nearest;

/// The parts of `ctx.windows` and of each window.
const WINDOWS: [&str; 6] = ["morning", "afternoon", "evening", "start", "end", "active"];

/// The names that stand in a script: what a misspelt one is held against.
pub(super) struct Names {
    /// With how many parameters each is there.
    functions: BTreeMap<String, BTreeSet<usize>>,
    keys: BTreeSet<String>,
}

impl Names {
    /// Of the functions, with how many parameters each has, and of the keys of all maps among the constants.
    pub(super) fn new(functions: impl Iterator<Item = (String, usize)>, constants: &Scope<'_>) -> Self {
        let mut keys: BTreeSet<String> = WINDOWS.map(str::to_owned).into();
        for (_, _, value) in constants.iter() {
            collect(&value, &mut keys);
        }
        let mut known: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        // Closures have names too, which nobody wrote.
        for (name, params) in functions.filter(|(name, _)| !name.contains('$')) {
            known.entry(name).or_default().insert(params);
        }
        Self { functions: known, keys }
    }

    /// The message, with a suggestion where it names a function or a field that is not there.
    pub(super) fn hinted(&self, message: &str) -> String {
        let name_after = |start: &str| message.strip_prefix(start)?.split([' ', '`']).next();
        let meant = |name: &str, known: &[&str]| match nearest(name, known).filter(|meant| *meant != name) {
            Some(meant) => format!("{message}; did you mean `{meant}`?"),
            None => message.to_owned(),
        };
        if let Some(name) = name_after("there is no function `") {
            return match self.functions.get(name) {
                Some(params) => {
                    let many = params.iter().any(|count| *count != 1);
                    let counts = params.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
                    format!("{message}: `{name}` takes {counts} argument{}", if many { "s" } else { "" })
                }
                None => meant(name, &self.functions.keys().map(String::as_str).collect::<Vec<_>>()),
            };
        }
        match name_after("there is no field `") {
            Some(name) => meant(name, &self.keys.iter().map(String::as_str).collect::<Vec<_>>()),
            None => message.to_owned(),
        }
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
