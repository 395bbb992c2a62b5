//! What can keep a change or a question about tasks from succeeding.

pub use crate::fault::Fault;
use crate::ids::TaskId;
use crate::store::StoreError;

use super::receipts::Answer;

/// Why a service of this module said no.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The caller has no such thing (somebody else may).
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The input breaks rules; all of the faults.
    #[error("the input breaks {} rule(s)", .0.len())]
    Invalid(Vec<Fault>),
    /// The caller's `If-Match` names another version than the current one.
    #[error("the {what} has changed since: its version is now {current}")]
    Changed {
        /// What has changed.
        what: &'static str,
        /// The version that it has now.
        current: i64,
    },
    /// The caller's `If-None-Match` names what there is.
    #[error("the {what} is there, at version {current}, which `If-None-Match` leaves out")]
    Present {
        /// What is there.
        what: &'static str,
        /// The version that it has.
        current: i64,
    },
    /// A completed task cannot be started; it must be reopened first.
    #[error("task {0} is completed; reopen it first")]
    Completed(TaskId),
    /// A part of a batch failed, so nothing was done.
    #[error("operation {index} of the batch failed: {source}")]
    Operation {
        /// Which operation, from 0.
        index: usize,
        /// Why it failed.
        source: Box<TaskError>,
    },
    /// No task can be recommended.
    #[error("there is no task to recommend: {0}")]
    NoCandidate(&'static str),
    /// Another project or label has the name.
    #[error("another {0} has this name")]
    NameTaken(&'static str),
    /// The undo token was used, or is too old.
    #[error("the undo token {0}")]
    UndoSpent(&'static str),
    /// What the token would restore has been changed since.
    #[error("the {0} has been changed since; undoing would lose that change")]
    UndoOvertaken(&'static str),
    /// The task has as many attachments as it may have.
    #[error("a task may have at most {0} attachments")]
    TooManyAttachments(u32),
    /// There is no room left for the caller's files.
    #[error(
        "all files together may have {quota_bytes} bytes, and {shown_bytes} are used; what was deleted counts for a day"
    )]
    QuotaUsedUp {
        /// How many bytes they may have.
        quota_bytes: u64,
        /// How many they have.
        shown_bytes: u64,
    },
    /// The upload took so long that its file may be gone.
    #[error("the upload was given up; send the file again")]
    UploadGivenUp,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The first request with this idempotency key still runs.
    #[error("the first request with this idempotency key is still running")]
    KeyRunning,
    /// Not an error: the first answer to this request, to be given again.
    #[error("the request was answered before")]
    Replayed(Box<Answer>),
    /// Not an error: the change would have succeeded, but was only rehearsed.
    #[error("the change was only rehearsed")]
    Rehearsed,
    /// The account has been deleted meanwhile.
    #[error("the account does not exist any more")]
    AccountGone,
    /// The database said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TaskError {
    /// A single fault of the input.
    pub fn fault(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault::new(field, message)])
    }

    /// A name that is taken, seen by the database.
    pub(super) fn taken(what: &'static str, error: StoreError) -> Self {
        match error {
            StoreError::Taken(_) => Self::NameTaken(what),
            other => Self::Store(other),
        }
    }

    /// Whether this is an answer to the request itself, which a retry gets again; refused input and faults of the
    /// server are not.
    pub(super) fn is_answer(&self) -> bool {
        match self {
            Self::NotFound(_)
            | Self::Changed { .. }
            | Self::Present { .. }
            | Self::Completed(_)
            | Self::NameTaken(_)
            | Self::UndoSpent(_)
            | Self::UndoOvertaken(_) => true,
            Self::Operation { source, .. } => source.is_answer(),
            // Room may come back before the request is sent again.
            Self::TooManyAttachments(_)
            | Self::QuotaUsedUp { .. }
            | Self::UploadGivenUp
            | Self::Invalid(_)
            | Self::NoCandidate(_)
            | Self::KeyReused
            | Self::KeyRunning
            | Self::Replayed(_)
            | Self::Rehearsed
            | Self::AccountGone
            | Self::Store(_) => false,
        }
    }
}

/// Both outcomes, or every fault of both.
pub fn both<A, B>(a: Result<A, TaskError>, b: Result<B, TaskError>) -> Result<(A, B), TaskError> {
    match (a, b) {
        (Err(TaskError::Invalid(mut faults)), Err(TaskError::Invalid(more))) => {
            faults.extend(more);
            Err(TaskError::Invalid(faults))
        }
        (a, b) => Ok((a?, b?)),
    }
}
