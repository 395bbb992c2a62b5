//! Policies and their versions as operators see them.

use chrono::{DateTime, Utc};
use poem_openapi::Object;
use serde::Serialize;

use super::param_views::{ParamView, WarningView};
use crate::clock::Timestamp;
use crate::policies::PolicyFault;
use crate::policies::cases::{CaseFailure, CaseReport};
use crate::policies::live::{PolicyStatus, Refusal};
use crate::policies::versions::difference::Difference;
use crate::policies::versions::listing::Shown;
use crate::scoring::Policy;
use crate::scoring::lower::Obstacle;
use crate::store::policy_versions::{ActivationRecord, VersionRecord};

/// A policy: what decides the order of tasks.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "Policy")]
pub(super) struct PolicyView {
    /// Its name.
    pub name: String,
    /// `live`; `tests_failing`: in force, but worked examples do not come out; `refused`: the file as it is now is broken,
    /// and another version is in force; `draft`: it was only proposed.
    pub status: String,
    /// The version in force, and the entity tag of `If-Match` in quotes.
    #[oai(nullable)]
    pub live_version: Option<String>,
    /// Where the version in force came from: `file`, `activated`, `shipped` with the program, or `last_good`: kept from
    /// before the start, because the file is broken.
    #[oai(nullable)]
    pub origin: Option<String>,
    /// Since when it is in force.
    #[oai(nullable)]
    pub live_since: Option<DateTime<Utc>>,
    /// How its scores are computed at the moment: `class_table`: compiled, once for all tasks that it cannot tell apart;
    /// `columns`: compiled, for each task; `interpreted`: many times more slowly. `null` for what is not in force.
    #[oai(nullable)]
    pub execution: Option<String>,
    /// What leaves its scores to the interpreter, and where it stands.
    #[oai(nullable)]
    pub interpreted: Option<FaultView>,
    /// Why the file as it is now is not in force.
    #[oai(nullable)]
    pub refused: Option<RefusalView>,
    /// Worked examples beside the file that do not come out.
    pub failing_tests: Vec<CaseFailureView>,
    /// What is in order and yet probably a slip.
    pub warnings: Vec<WarningView>,
    /// What may be set of it.
    pub params: Vec<ParamView>,
}

impl From<PolicyStatus> for PolicyView {
    fn from(status: PolicyStatus) -> Self {
        let word = match (&status.live_version, &status.refused) {
            (_, Some(_)) => "refused",
            (None, None) => "draft",
            (Some(_), None) if status.failing_cases.is_empty() => "live",
            (Some(_), None) => "tests_failing",
        };
        Self {
            name: status.name,
            status: word.to_owned(),
            live_version: status.live_version,
            origin: status.origin.map(|origin| origin.as_str().to_owned()),
            live_since: status.live_since.map(Timestamp::to_utc),
            refused: status.refused.map(RefusalView::from),
            execution: status.execution.map(|execution| execution.as_str().to_owned()),
            interpreted: status.interpreted.map(FaultView::from),
            failing_tests: status.failing_cases.iter().map(CaseFailureView::from).collect(),
            warnings: status.warnings.into_iter().map(WarningView::from).collect(),
            params: status.params.into_iter().map(ParamView::from).collect(),
        }
    }
}

/// Why a file is not in force.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "PolicyRefusal")]
pub(super) struct RefusalView {
    /// The file.
    pub file: String,
    /// The line of the first fault.
    #[oai(nullable)]
    pub line: Option<usize>,
    /// Its column.
    #[oai(nullable)]
    pub column: Option<usize>,
    /// What is wrong.
    pub reason: String,
    /// How many more faults there are.
    pub more_faults: usize,
    /// Since when.
    pub since: DateTime<Utc>,
}

impl From<Refusal> for RefusalView {
    fn from(refusal: Refusal) -> Self {
        Self {
            file: refusal.file.display().to_string(),
            line: refusal.line,
            column: refusal.column,
            reason: refusal.reason,
            more_faults: refusal.more_faults,
            since: refusal.since.to_utc(),
        }
    }
}

/// A worked example that does not come out.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "PolicyTestFailure")]
pub(super) struct CaseFailureView {
    /// The file.
    pub file: String,
    /// The example; `null` when the file itself cannot be read.
    #[oai(nullable)]
    pub case: Option<String>,
    /// What was expected and what came.
    pub message: String,
}

impl From<&CaseFailure> for CaseFailureView {
    fn from(failure: &CaseFailure) -> Self {
        Self { file: failure.file.display().to_string(), case: failure.case.clone(), message: failure.message.clone() }
    }
}

/// A version of a policy.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "PolicyVersion")]
pub(super) struct VersionView {
    /// The policy.
    pub policy: String,
    /// The first twelve hexadecimal digits of the SHA-256 of its text.
    pub version: String,
    /// The version that was in force when it came.
    #[oai(nullable)]
    pub parent: Option<String>,
    /// `live`: in force now; `used`: was in force; `draft`: never was.
    pub status: String,
    /// How it came: `file`, `api`, `shell` or `shipped`.
    pub origin: String,
    /// The e-mail address of who proposed it; `null` for files, the shell, and people whose account is gone.
    #[oai(nullable)]
    pub author: Option<String>,
    /// What it is for.
    pub message: String,
    /// How many people approved it.
    pub approvals: i64,
    /// When it came.
    pub created_at: DateTime<Utc>,
}

impl VersionView {
    /// Shows a version; `live` is the one in force.
    pub(super) fn of(row: VersionRecord, live: Option<&str>) -> Self {
        let status = match () {
            () if live == Some(&row.version) => "live",
            () if row.used => "used",
            () => "draft",
        };
        Self {
            policy: row.policy,
            version: row.version,
            parent: row.parent,
            status: status.to_owned(),
            origin: row.origin,
            author: row.author,
            message: row.message,
            approvals: row.approvals,
            created_at: Timestamp::from_micros(row.created_at).to_utc(),
        }
    }
}

/// A version of a policy with its text.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "PolicyVersionText")]
pub(super) struct VersionTextView {
    /// The version.
    pub version: VersionView,
    /// The e-mail addresses of those who approved it.
    pub approved_by: Vec<String>,
    /// Its text.
    pub source: String,
}

impl VersionTextView {
    /// Shows a version; `live` is the one in force.
    pub(super) fn of(shown: Shown, live: Option<&str>) -> Self {
        let Shown { version, source, approved_by } = shown;
        Self { version: VersionView::of(version, live), approved_by, source }
    }
}

/// What came into force.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "PolicyActivation")]
pub(super) struct ActivationView {
    /// Its number; later ones are greater.
    pub number: i64,
    /// The policy.
    pub policy: String,
    /// The version.
    pub version: String,
    /// `file`: a saved file; `activated`; `rolled_back`.
    pub action: String,
    /// How they came: `session`, `personal_token`, `grant`, `shell`, `file`, or `automatic`.
    pub actor: String,
    /// The e-mail address of who did it.
    #[oai(nullable)]
    pub by: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl From<ActivationRecord> for ActivationView {
    fn from(row: ActivationRecord) -> Self {
        Self {
            number: row.number,
            policy: row.policy,
            version: row.version,
            action: row.action,
            actor: row.actor,
            by: row.actor_email,
            created_at: Timestamp::from_micros(row.created_at).to_utc(),
        }
    }
}

macro_rules! pages {
    ($($(#[$doc:meta])* $page:ident of $item:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Object, Serialize)]
        pub(super) struct $page {
            /// The items.
            pub items: Vec<$item>,
            /// Where the next page begins; `null` on the last one.
            #[oai(nullable)]
            pub next_cursor: Option<String>,
        }
    )+};
}

pages! {
    /// One page of policies, by name.
    PolicyPage of PolicyView,
    /// One page of versions, newest first.
    PolicyVersionPage of VersionView,
    /// One page of what came into force, newest first.
    PolicyActivationPage of ActivationView,
}

/// What is wrong with a script.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "PolicyFault")]
pub(super) struct FaultView {
    /// The line.
    #[oai(nullable)]
    pub line: Option<usize>,
    /// The column of the line.
    #[oai(nullable)]
    pub column: Option<usize>,
    /// What was found, and what is allowed.
    pub message: String,
}

impl From<&PolicyFault> for FaultView {
    fn from(fault: &PolicyFault) -> Self {
        Self { line: fault.line, column: fault.column, message: fault.message.clone() }
    }
}

impl From<Obstacle> for FaultView {
    fn from(obstacle: Obstacle) -> Self {
        Self { line: obstacle.line, column: obstacle.column, message: obstacle.message }
    }
}

/// What a check found.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "PolicyCheck")]
pub(super) struct CheckView {
    /// Whether the script is in order.
    pub valid: bool,
    /// The version that it would be.
    pub version: String,
    /// Every fault.
    pub faults: Vec<FaultView>,
    /// What is in order and yet probably a slip.
    pub warnings: Vec<WarningView>,
    /// What leaves its scores to the interpreter, and where it stands; `null` when they are compiled, or not in order.
    #[oai(nullable)]
    pub interpreted: Option<FaultView>,
}

/// What came of worked examples.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "PolicyTestReport")]
pub(super) struct TestReportView {
    /// Whether all came out.
    pub passed: bool,
    /// The version that was tested.
    pub version: String,
    /// How many examples there are.
    pub total: usize,
    /// Those that do not come out; one can fail in several ways.
    pub failures: Vec<CaseFailureView>,
}

impl TestReportView {
    /// Shows what came of the examples of a policy.
    pub(super) fn of(policy: &dyn Policy, report: &CaseReport) -> Self {
        Self {
            passed: report.failures.is_empty(),
            version: policy.version().to_owned(),
            total: report.total,
            failures: report.failures.iter().map(CaseFailureView::from).collect(),
        }
    }
}

/// What changed between two versions.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "PolicyDifference")]
pub(super) struct DifferenceView {
    /// The version compared with.
    pub from: String,
    /// The version compared.
    pub to: String,
    /// How many lines were added.
    pub added: usize,
    /// How many lines were taken away.
    pub removed: usize,
    /// The difference as `diff -u` shows it; empty when there is none.
    pub diff: String,
}

impl DifferenceView {
    /// Shows the difference of two versions.
    pub(super) fn of((from, to, difference): (String, String, Difference)) -> Self {
        let Difference { unified, added, removed } = difference;
        Self { from, to, added, removed, diff: unified }
    }
}
