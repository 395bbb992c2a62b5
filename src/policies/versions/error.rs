//! What keeps a change of policies from happening.

use crate::fault::Fault;
use crate::paging::CursorError;
use crate::policies::cases::{CaseFailure, count_examples};
use crate::policies::fault::PolicyFault;
use crate::store::StoreError;
use crate::tasks::receipts::Answer;

use super::rights::Right;

/// Why the service said no.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// There is no such policy or version.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The script is not in order; all of its faults.
    #[error("the script has {} fault(s)", .0.len())]
    Faulty(Vec<PolicyFault>),
    /// The input breaks rules; all of the faults.
    #[error("the input breaks {} rule(s)", .0.len())]
    Invalid(Vec<Fault>),
    /// Worked examples do not come out.
    #[error("{} of the policy's examples do not come out", count_examples(.0))]
    TestsFail(Vec<CaseFailure>),
    /// Another version is in force than the one that the caller knows.
    #[error("another version is in force than the one that is named; look at the policy again before changing it")]
    Changed,
    /// There is nothing to go back to.
    #[error("there is no version before the one that is in force")]
    NothingBefore,
    /// The version was in force, or is on trial.
    #[error("the version was in force, or is on trial; only a draft can be deleted")]
    Used,
    /// The caller lacks a right.
    #[error("this needs the right to {} policies, which the server's configuration gives to others", .0.verb())]
    NotAllowed(Right),
    /// Nobody else approved the version.
    #[error("the version needs the approval of somebody other than its author")]
    NeedsApproval,
    /// The author cannot approve.
    #[error("the author of a version cannot approve it; somebody else can")]
    OwnVersion,
    /// A person approves, not a shell.
    #[error("only a person who is signed in can approve a version")]
    NobodyApproves,
    /// The key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The first request with this key has not ended yet.
    #[error("the first request with this idempotency key is still running")]
    KeyRunning,
    /// The request was answered before: not a failure.
    #[error("the request was answered before")]
    Replayed(Box<Answer>),
    /// The work was given up, because the server stops.
    #[error("the server stops")]
    Interrupted,
    /// The store failed.
    #[error("the policies cannot be read or changed")]
    Store(#[from] StoreError),
}

impl From<CursorError> for PolicyError {
    fn from(error: CursorError) -> Self {
        Self::Invalid(vec![Fault::new("?cursor", error.to_string())])
    }
}
