//! How policies are doing: what is in use, where it came from, and what was refused.

use std::path::PathBuf;

use serde::Serialize;

use super::cases::CaseFailure;
use super::lints::Warning;
use crate::clock::Timestamp;
use crate::scoring::lower::Obstacle;
use crate::scoring::params::{Param, ParamValue};

/// What failing examples mean for a saved file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaseRule {
    /// The policy goes live; the failures are reported.
    #[default]
    Warn,
    /// The policy is refused.
    Require,
}

/// Whether a look at the folder changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// All files are as they were.
    Unchanged,
    /// Something was taken over or refused.
    Changed,
}

/// Where the version in use came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It is built into the program.
    Shipped,
    /// The policy's file.
    File,
    /// Somebody activated it.
    Activated,
    /// The data folder: it was in use before, and what came since is broken.
    LastGood,
}

impl Origin {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shipped => "shipped",
            Self::File => "file",
            Self::Activated => "activated",
            Self::LastGood => "last_good",
        }
    }
}

/// A file that was not taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The file.
    pub file: PathBuf,
    /// The line of the first fault, from 1.
    pub line: Option<usize>,
    /// Its column, from 1.
    pub column: Option<usize>,
    /// What is wrong.
    pub reason: String,
    /// How many more faults there are.
    pub more_faults: usize,
    /// Since when.
    pub since: Timestamp,
}

/// How scores are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Execution {
    /// Compiled: once for all tasks that the policy cannot tell apart.
    ClassTable,
    /// Compiled: for each task.
    Columns,
    /// By Rhai's interpreter.
    Interpreted,
}

impl Execution {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClassTable => "class_table",
            Self::Columns => "columns",
            Self::Interpreted => "interpreted",
        }
    }
}

/// A parameter and its value for people who set none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParamStatus {
    /// What it is.
    #[serde(flatten)]
    pub param: Param,
    /// What an operator set, or its default.
    pub value: ParamValue,
}

/// How one policy is doing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyStatus {
    /// Its name.
    pub name: String,
    /// The version in use; absent when there never was one in order.
    pub live_version: Option<String>,
    /// Where it came from.
    pub origin: Option<Origin>,
    /// Since when that version is in use.
    pub live_since: Option<Timestamp>,
    /// How its scores are computed at the moment; absent when it is not in use.
    pub execution: Option<Execution>,
    /// What leaves its scores to the interpreter; absent when they are compiled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpreted: Option<Obstacle>,
    /// Why the file as it is now is not in use.
    pub refused: Option<Refusal>,
    /// Examples beside the policy that do not come out.
    pub failing_cases: Vec<CaseFailure>,
    /// What is in order and yet probably a slip.
    pub warnings: Vec<Warning>,
    /// What may be set of it.
    pub params: Vec<ParamStatus>,
}
