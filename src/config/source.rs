//! Where values come from: the file and the environment, merged by the `config` crate, which remembers each origin.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use config::{FileFormat, Map, Source, Value, ValueKind};

use super::ConfigError;
use super::keys::{self, KEYS, Key, NOT_YET, Visibility};

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "mindflow.toml";
/// The variable that names another file.
const FILE_VARIABLE: &str = "MINDFLOW_CONFIG";
const LONG_PREFIX: &str = "MINDFLOW__";
/// No secret is longer, in bytes; the largest are keys as PEM.
const MOST_OF_A_SECRET: u64 = 64 * 1024;

/// A value as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Raw {
    /// From the environment, where everything is text; or a default.
    Plain(String),
    /// Text in the file.
    Text(String),
    /// A whole number in the file.
    Integer(i64),
    /// A number with a fraction in the file, as text.
    Number(String),
    /// `true` or `false` in the file.
    Boolean(bool),
    /// A list of texts in the file.
    List(Vec<String>),
    /// Anything else.
    Other,
}

/// The values of all layers and the faults found in them so far.
#[derive(Debug, Default)]
pub(super) struct Values {
    found: HashMap<&'static str, Found>,
    ignored: Vec<&'static str>,
    faults: Vec<String>,
}

#[derive(Debug)]
struct Found {
    raw: Raw,
    origin: String,
}

impl Values {
    /// Reads the file and the environment; says which file that was.
    pub(super) fn read(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(Self, Option<PathBuf>), ConfigError> {
        let mut values = Self::default();
        let mut variables = values.our_variables(environment);
        values.read_secret_files(&mut variables);
        let named = file.map(Path::to_path_buf).or_else(|| variables.get(FILE_VARIABLE).map(PathBuf::from));
        let file = named.or_else(|| Path::new(DEFAULT_FILE).exists().then(|| PathBuf::from(DEFAULT_FILE)));
        let long_names = values.long_names(&variables);
        let builder = config::Config::builder();
        let builder = match &file {
            Some(path) => builder.add_source(config::File::from_str(&read_file(path)?, FileFormat::Toml)),
            None => builder,
        };
        let merged = builder
            .add_source(Variables(short_names(&variables)))
            .add_source(Variables(long_names))
            .build()
            .and_then(|merged| merged.collect())
            .map_err(|error| one_fault(parse_fault(file.as_deref(), &error)))?;
        let file_origin = file.as_ref().map_or_else(String::new, |path| format!("the file `{}`", path.display()));
        values.take(merged, &file_origin);
        Ok((values, file))
    }

    /// Keeps the variables that are ours: set, not empty, readable.
    fn our_variables(
        &mut self,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> HashMap<String, String> {
        let mut ours = HashMap::new();
        for (name, value) in environment {
            let Ok(name) = name.into_string() else { continue };
            let short = KEYS.iter().any(|key| key.short_name == Some(secret_name(&name).unwrap_or(&name)));
            if value.is_empty() {
                continue;
            }
            if let Some(later) = NOT_YET.iter().find(|later| **later == name) {
                self.ignored.push(later);
            } else if short || name == FILE_VARIABLE || name.starts_with(LONG_PREFIX) {
                match value.into_string() {
                    Ok(value) => {
                        ours.insert(name, value);
                    }
                    Err(_) => self.faults.push(format!("the environment variable `{name}` is not UTF-8")),
                }
            }
        }
        self.ignored.sort_unstable();
        ours
    }

    /// Puts the content of files that `…_FILE` names in the place of these variables. Only secrets may stand in files.
    fn read_secret_files(&mut self, variables: &mut HashMap<String, String>) {
        let mut names: Vec<_> = variables.keys().filter(|name| secret_name(name).is_some()).cloned().collect();
        names.sort_unstable();
        for name in names {
            let (Some(path), Some(target)) = (variables.remove(&name), secret_name(&name)) else { continue };
            if variables.contains_key(target) {
                self.faults
                    .push(format!("the environment variables `{target}` and `{name}` are both set; one is enough"));
                continue;
            }
            match read_secret_file(Path::new(&path)) {
                Ok(value) => {
                    variables.insert(target.to_owned(), value);
                }
                Err(error) => {
                    self.faults
                        .push(format!("the file `{path}` that the environment variable `{name}` names: {error}"));
                }
            }
        }
    }

    fn long_names(&mut self, variables: &HashMap<String, String>) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        let mut names: Vec<_> = variables.iter().filter(|(name, _)| name.starts_with(LONG_PREFIX)).collect();
        names.sort_unstable();
        for (name, value) in names {
            if let Some(key) = KEYS.iter().find(|key| key.long_name() == *name) {
                found.push(variable(key, name, value));
            } else {
                self.faults.push(format!("the environment variable `{name}` names no key of the configuration"));
            }
        }
        found
    }

    fn take(&mut self, merged: Map<String, Value>, file: &str) {
        let mut sections: Vec<_> = merged.into_iter().collect();
        sections.sort_by(|one, other| one.0.cmp(&other.0));
        for (section, value) in sections {
            let known = KEYS.iter().any(|key| key.path.split('.').next() == Some(section.as_str()));
            match value.kind {
                ValueKind::Table(entries) if known => self.take_section(&section, entries, file),
                _ if known => self.faults.push(format!("`{section}` in {file} must be a section: [{section}]")),
                _ => {
                    let sections = listed(KEYS.iter().filter_map(|key| key.path.split('.').next()));
                    self.faults.push(format!("`{section}` in {file} is not known; the sections are {sections}"));
                }
            }
        }
    }

    fn take_section(&mut self, section: &str, entries: Map<String, Value>, file: &str) {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        for (name, value) in entries {
            let origin = value.origin().filter(|origin| origin.starts_with("the environment"));
            let (origin, plain) = (origin.unwrap_or(file).to_owned(), origin.is_some());
            if let Some(key) = keys::find(&format!("{section}.{name}")) {
                self.found.insert(key.path, Found { raw: raw(value, plain), origin });
            } else {
                let prefix = format!("{section}.");
                let known = listed(KEYS.iter().filter_map(|key| key.path.strip_prefix(&prefix)));
                self.faults.push(format!("`{section}.{name}` in {origin} is not known; [{section}] has {known}"));
            }
        }
    }

    /// The value of the key at `path`, as `parse` reads it; a fault (and the type's default) when it reads nothing.
    pub(super) fn get<T: Default>(&mut self, path: &str, parse: impl Fn(&Raw) -> Option<T>) -> T {
        let Some(key) = keys::find(path) else {
            self.faults.push(format!("`{path}` is read but not among the keys"));
            return T::default();
        };
        let default = Raw::Plain(key.default.to_owned());
        let raw = self.found.get(path).map_or(&default, |found| &found.raw);
        parse(raw).unwrap_or_else(|| {
            self.fault(path, &format!("allowed: {}", key.allowed));
            T::default()
        })
    }

    /// Notes that the value at `path` is wrong, and where it comes from.
    pub(super) fn fault(&mut self, path: &str, what: &str) {
        let secret = keys::find(path).is_none_or(|key| key.visibility == Visibility::Secret);
        let from = self.found.get(path).map_or("the defaults", |found| &found.origin);
        let shown = match self.found.get(path).map(|found| &found.raw) {
            Some(Raw::Plain(text) | Raw::Text(text) | Raw::Number(text)) if !secret => {
                format!(" `{}`", text.escape_debug())
            }
            Some(Raw::Integer(number)) if !secret => format!(" `{number}`"),
            Some(Raw::Boolean(value)) if !secret => format!(" `{value}`"),
            Some(Raw::List(items)) if !secret => format!(" {items:?}"),
            _ => String::new(),
        };
        let fault = format!("`{path}`: the value{shown} from {from} is wrong; {what}");
        // Several settings may look at one key.
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Variables of features that do not exist yet.
    pub(super) fn ignored(&self) -> Vec<&'static str> {
        self.ignored.clone()
    }

    pub(super) fn into_faults(self) -> Vec<String> {
        self.faults
    }
}

/// The variable whose value stands in the file that this variable names, if it is one that names a file.
fn secret_name(name: &str) -> Option<&str> {
    let target = name.strip_suffix("_FILE")?;
    let is_it = |key: &Key| key.short_name == Some(target) || key.long_name() == target;
    KEYS.iter().any(|key| key.may_stand_in_a_file() && is_it(key)).then_some(target)
}

/// The text of a file without the line break at its end; a secret is short, and an empty file is a mistake.
fn read_secret_file(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let read = file.take(MOST_OF_A_SECRET).read_to_string(&mut text);
    read.map_err(|error| format!("it cannot be read: {error}"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text.to_owned()) }
}

fn short_names(variables: &HashMap<String, String>) -> Vec<(String, Value)> {
    KEYS.iter()
        .filter_map(|key| {
            let name = key.short_name?;
            Some(variable(key, name, variables.get(name)?))
        })
        .collect()
}

fn variable(key: &Key, name: &str, value: &str) -> (String, Value) {
    let origin = format!("the environment variable `{name}`");
    (key.path.to_owned(), Value::new(Some(&origin), ValueKind::String(value.to_owned())))
}

fn raw(value: Value, plain: bool) -> Raw {
    match value.kind {
        ValueKind::String(text) if plain => Raw::Plain(text),
        ValueKind::String(text) => Raw::Text(text),
        ValueKind::I64(number) => Raw::Integer(number),
        ValueKind::Boolean(value) => Raw::Boolean(value),
        ValueKind::Float(number) => Raw::Number(number.to_string()),
        ValueKind::Array(items) => items
            .into_iter()
            .map(|item| match item.kind {
                ValueKind::String(text) => Some(text),
                _ => None,
            })
            .collect::<Option<Vec<_>>>()
            .map_or(Raw::Other, Raw::List),
        _ => Raw::Other,
    }
}

fn read_file(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|error| one_fault(format!("the configuration file `{}` cannot be read: {error}", path.display())))
}

/// The first and last lines of a parser's message: where and what. The lines between show the file, secrets and all.
fn parse_fault(file: Option<&Path>, error: &config::ConfigError) -> String {
    let message = match error {
        config::ConfigError::FileParse { cause, .. } => cause.to_string(),
        other => other.to_string(),
    };
    let lines: Vec<_> = message.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let (first, last) = (lines.first().copied().unwrap_or_default(), lines.last().copied().unwrap_or_default());
    let file = file.map_or_else(String::new, |path| path.display().to_string());
    if lines.len() > 1 { format!("`{file}`: {first}: {last}") } else { format!("`{file}`: {first}") }
}

fn one_fault(fault: String) -> ConfigError {
    ConfigError { faults: vec![fault] }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<_> = names.collect();
    names.dedup();
    names.join(", ")
}

/// Variables as a layer; each value knows the variable's name.
#[derive(Clone, Debug)]
struct Variables(Vec<(String, Value)>);

impl Source for Variables {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self.0.iter().cloned().collect())
    }
}
