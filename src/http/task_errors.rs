//! What a client is told when something about tasks does not work out.

use poem::http::StatusCode;
use poem::http::header::RETRY_AFTER;

use crate::store::StoreError;
use crate::tasks::TaskError;

use super::problem::ApiError;

impl From<&TaskError> for ApiError {
    fn from(error: &TaskError) -> Self {
        let conflict = |kind, title| Self::new(StatusCode::CONFLICT, kind, title).detail(sentence(error));
        match error {
            TaskError::NotFound(what) => Self::not_found(what),
            TaskError::Invalid(faults) => Self::invalid(faults.clone()),
            TaskError::Changed { .. } => {
                Self::new(StatusCode::PRECONDITION_FAILED, "precondition-failed", "Changed meanwhile")
                    .detail(sentence(error))
            }
            TaskError::Present { .. } => {
                Self::new(StatusCode::PRECONDITION_FAILED, "precondition-failed", "There already")
                    .detail(sentence(error))
            }
            TaskError::Completed(_) => conflict("task-completed", "The task is completed"),
            TaskError::Operation { index, source } => {
                Self::from(&**source).fault(format!("/operations/{index}"), source.to_string())
            }
            TaskError::NoCandidate(_) => {
                Self::new(StatusCode::NOT_FOUND, "no-candidate", "Nothing to recommend").detail(sentence(error))
            }
            TaskError::NameTaken(_) => conflict("name-taken", "The name is taken"),
            TaskError::UndoSpent(_) => conflict("undo-spent", "The undo token is spent"),
            TaskError::UndoOvertaken(_) => conflict("undo-overtaken", "Changed since"),
            TaskError::TooManyAttachments(_) => conflict("too-many-attachments", "The task has too many attachments"),
            TaskError::QuotaUsedUp { .. } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "quota-used-up", "There is no room left for the file")
                    .detail(sentence(error))
            }
            TaskError::UploadGivenUp => conflict("upload-given-up", "The upload was given up"),
            TaskError::KeyReused => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", "The idempotency key is in use")
                    .detail(sentence(error))
                    .fault("Idempotency-Key:", "was used for another request; use a new key for a new request")
            }
            TaskError::KeyRunning => {
                conflict("request-running", "The first request is still running").header(RETRY_AFTER, "1")
            }
            // The edge gives the kept answer itself; to report it as a failure would be a fault of this program.
            TaskError::Replayed(_) => Self::internal(error),
            TaskError::Rehearsed => Self::rehearsed(),
            TaskError::AccountGone => Self::new(StatusCode::UNAUTHORIZED, "invalid-token", "The account is gone"),
            TaskError::Store(error) => Self::from(error),
        }
    }
}

impl From<TaskError> for ApiError {
    fn from(error: TaskError) -> Self {
        Self::from(&error)
    }
}

impl From<&StoreError> for ApiError {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Moved | StoreError::Dropped => Self::unavailable(error),
            StoreError::Url(_)
            | StoreError::Taken(_)
            | StoreError::Dangling(_)
            | StoreError::Corrupt { .. }
            | StoreError::Statement(_) => Self::internal(error),
        }
    }
}

/// An error's message as a sentence.
fn sentence(error: &TaskError) -> String {
    let message = error.to_string();
    let mut letters = message.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
