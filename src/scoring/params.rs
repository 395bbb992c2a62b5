//! What a policy lets people set: typed, with ranges, each with a value when nobody sets it.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

/// The field of `ctx` that holds the values of parameters.
pub const PARAMS_FIELD: &str = "params";

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParamValue {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Whole(i64),
    /// Any other number; finite.
    Number(f64),
    /// One of the parameter's words.
    Word(String),
}

/// `2.5`, `true`, `calm`.
impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Whole(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Word(word) => f.write_str(word),
        }
    }
}

/// Values by the parameters' names.
pub type ParamValues = BTreeMap<String, ParamValue>;

/// The values that people set, by the policies' names.
pub type PolicyParams = BTreeMap<String, ParamValues>;

/// What a parameter may be.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ParamKind {
    /// A number, both ends included.
    Number {
        /// The least.
        min: f64,
        /// The most.
        max: f64,
    },
    /// A whole number, both ends included.
    Whole {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// `true` or `false`.
    Bool,
    /// One of some words.
    Word {
        /// These.
        words: Vec<String>,
    },
}

/// A parameter of a policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Param {
    /// Its name: `ctx.params.<name>`.
    pub name: String,
    /// What it may be.
    #[serde(flatten)]
    pub kind: ParamKind,
    /// Its value when nobody sets it.
    pub default: ParamValue,
    /// What it means, for people.
    pub label: String,
    /// Whether everybody may set it for themselves; else only operators do.
    pub user: bool,
}

impl Param {
    /// The value as scripts see it.
    ///
    /// # Errors
    ///
    /// What it must be instead.
    pub fn accept(&self, value: &ParamValue) -> Result<ParamValue, String> {
        #[expect(clippy::cast_precision_loss, reason = "whole numbers past 2^53 are rounded, as Rhai itself would")]
        let accepted = match (&self.kind, value) {
            (ParamKind::Bool, ParamValue::Bool(value)) => Some(ParamValue::Bool(*value)),
            (ParamKind::Number { min, max }, ParamValue::Number(value)) => {
                (min..=max).contains(&value).then_some(ParamValue::Number(*value))
            }
            (ParamKind::Number { min, max }, ParamValue::Whole(value)) => {
                let value = *value as f64;
                (*min..=*max).contains(&value).then_some(ParamValue::Number(value))
            }
            (ParamKind::Whole { min, max }, ParamValue::Whole(value)) => {
                (min..=max).contains(&value).then_some(ParamValue::Whole(*value))
            }
            (ParamKind::Word { words }, ParamValue::Word(word)) => words.contains(word).then(|| value.clone()),
            _ => None,
        };
        accepted.ok_or_else(|| self.rule())
    }

    /// What its value must be.
    pub fn rule(&self) -> String {
        match &self.kind {
            ParamKind::Number { min, max } => format!("must be a number from {min} to {max}"),
            ParamKind::Whole { min, max } => format!("must be a whole number from {min} to {max}"),
            ParamKind::Bool => "must be true or false".to_owned(),
            ParamKind::Word { words } => format!("must be one of {}", words.join(", ")),
        }
    }

    /// The least and the most that it can be; of words the first and the last.
    fn ends(&self) -> [ParamValue; 2] {
        match &self.kind {
            ParamKind::Number { min, max } => [min, max].map(|end| ParamValue::Number(*end)),
            ParamKind::Whole { min, max } => [min, max].map(|end| ParamValue::Whole(*end)),
            ParamKind::Bool => [false, true].map(ParamValue::Bool),
            ParamKind::Word { words } => [words.first(), words.last()]
                .map(|word| word.map_or_else(|| self.default.clone(), |word| ParamValue::Word(word.clone()))),
        }
    }

    /// Reads a value from text, as in the environment.
    pub fn parse(&self, text: &str) -> Option<ParamValue> {
        let value = match self.kind {
            ParamKind::Number { .. } => ParamValue::Number(text.parse().ok()?),
            ParamKind::Whole { .. } => ParamValue::Whole(text.parse().ok()?),
            ParamKind::Bool => ParamValue::Bool(text.parse().ok()?),
            ParamKind::Word { .. } => ParamValue::Word(text.to_owned()),
        };
        self.accept(&value).ok()
    }
}

/// The parameters of a policy, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Params(Vec<Param>);

impl Params {
    /// These parameters.
    pub fn new(mut params: Vec<Param>) -> Self {
        params.sort_by(|one, other| one.name.cmp(&other.name));
        Self(params)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Param> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one of that name.
    pub fn get(&self, name: &str) -> Option<&Param> {
        self.0.iter().find(|param| param.name == name)
    }

    /// The values when nobody sets any.
    pub fn defaults(&self) -> ParamValues {
        self.0.iter().map(|param| (param.name.clone(), param.default.clone())).collect()
    }

    /// The ends of all ranges: each parameter at its least, and each at its most.
    pub fn ends(&self) -> [ParamValues; 2] {
        let at = |end: usize| self.0.iter().map(|param| (param.name.clone(), param.ends()[end].clone())).collect();
        [at(0), at(1)]
    }

    /// Those of `values` that are not what they are when nobody sets any.
    pub fn set_among(&self, values: &ParamValues) -> ParamValues {
        let is_set =
            |(name, value): &(&String, &ParamValue)| self.get(name).is_some_and(|param| param.default != **value);
        values.iter().filter(is_set).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The values `base` with those of `own` that people may set and that keep the rules. A script may have changed since
    /// somebody set something; what does not fit any more is passed over.
    pub fn with_own(&self, base: &ParamValues, own: &ParamValues) -> ParamValues {
        let mut values = base.clone();
        for (name, value) in own {
            if let Some(param) = self.get(name).filter(|param| param.user)
                && let Ok(value) = param.accept(value)
            {
                values.insert(name.clone(), value);
            }
        }
        values
    }
}

/// A number that other values do not have, short of a miracle; 0 for none.
pub fn values_key(values: &ParamValues) -> u64 {
    if values.is_empty() {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    for (name, value) in values {
        name.hash(&mut hasher);
        match value {
            ParamValue::Bool(value) => value.hash(&mut hasher),
            ParamValue::Whole(value) => value.hash(&mut hasher),
            ParamValue::Number(value) => value.to_bits().hash(&mut hasher),
            ParamValue::Word(value) => value.hash(&mut hasher),
        }
    }
    hasher.finish().max(1)
}

/// What an operator sets of one policy: `eisenhower.urgent_days=2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamSetting {
    /// The policy.
    pub policy: String,
    /// The parameter.
    pub name: String,
    /// The value as text.
    pub value: String,
}

impl ParamSetting {
    /// Reads `policy.name=value`.
    pub fn parse(text: &str) -> Option<Self> {
        let (place, value) = text.split_once('=')?;
        let (policy, name) = place.trim().split_once('.')?;
        let given = !policy.is_empty() && !name.is_empty();
        given.then(|| Self { policy: policy.to_owned(), name: name.to_owned(), value: value.trim().to_owned() })
    }
}
