//! What may be set of a policy, and what is probably a slip in it, as operators see them.

use poem_openapi::Object;
use poem_openapi::types::Any;
use serde::Serialize;
use serde_json::Value;

use super::views::VersionView;
use crate::http::policy_params::shown_value;
use crate::policies::lints::Warning;
use crate::policies::live::ParamStatus;
use crate::scoring::params::ParamKind;

/// A parameter of a policy.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "PolicyParameter")]
pub(super) struct ParamView {
    /// Its name: `ctx.params.<name>`.
    pub name: String,
    /// `number`, `whole` (a whole number), `bool` or `word`.
    pub r#type: String,
    /// The least that a number may be; `null` for what is no number.
    #[oai(nullable)]
    pub min: Option<f64>,
    /// The most that a number may be; `null` for what is no number.
    #[oai(nullable)]
    pub max: Option<f64>,
    /// What a word may be.
    pub words: Vec<String>,
    /// Its value when nobody sets it.
    pub default: Any<Value>,
    /// Its value for people who set none: an operator's, or the default.
    pub value: Any<Value>,
    /// What it means.
    pub label: String,
    /// Whether everybody may set it for themselves, with `PATCH /api/auth/me`.
    pub user: bool,
}

impl From<ParamStatus> for ParamView {
    fn from(ParamStatus { param, value }: ParamStatus) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "ends past 2^53 are rounded, as JSON's readers do")]
        let (kind, ends, words) = match param.kind {
            ParamKind::Number { min, max } => ("number", Some((min, max)), Vec::new()),
            ParamKind::Whole { min, max } => ("whole", Some((min as f64, max as f64)), Vec::new()),
            ParamKind::Bool => ("bool", None, Vec::new()),
            ParamKind::Word { words } => ("word", None, words),
        };
        Self {
            name: param.name,
            r#type: kind.to_owned(),
            min: ends.map(|(min, _)| min),
            max: ends.map(|(_, max)| max),
            words,
            default: shown_value(&param.default),
            value: shown_value(&value),
            label: param.label,
            user: param.user,
        }
    }
}

/// What is in order in a script and yet probably a slip.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "PolicyWarning")]
pub(super) struct WarningView {
    /// `unreachable`, `unused_parameter`, `unused`, `always_zero`, `not_monotone` or `fails`.
    pub lint: String,
    /// The line.
    pub line: usize,
    /// The column of the line.
    pub column: usize,
    /// What was found.
    pub message: String,
}

impl From<Warning> for WarningView {
    fn from(warning: Warning) -> Self {
        Self {
            lint: warning.lint.as_str().to_owned(),
            line: warning.line,
            column: warning.column,
            message: warning.message,
        }
    }
}

/// A version as it was proposed.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "PolicyProposed")]
pub(super) struct ProposedView {
    /// The version.
    #[oai(flatten)]
    #[serde(flatten)]
    pub version: VersionView,
    /// What is in order in its script and yet probably a slip.
    pub warnings: Vec<WarningView>,
}
