//! How refusals about policies look over HTTP.

use poem::http::StatusCode;

use crate::fault::Fault;
use crate::http::problem::ApiError;
use crate::policies::versions::{PolicyError, faults_of};

impl From<PolicyError> for ApiError {
    fn from(error: PolicyError) -> Self {
        Self::from(&error)
    }
}

impl From<&PolicyError> for ApiError {
    fn from(error: &PolicyError) -> Self {
        let problem = |status, kind, title| Self::new(status, kind, title).detail(sentence(error));
        let conflict = |kind, title| problem(StatusCode::CONFLICT, kind, title);
        let forbidden = |kind, title| problem(StatusCode::FORBIDDEN, kind, title);
        match error {
            PolicyError::NotFound(what) => Self::not_found(what),
            PolicyError::Faulty(faults) => Self::invalid(faults_of("/source", faults)),
            PolicyError::Invalid(faults) => Self::invalid(faults.clone()),
            PolicyError::TestsFail(failures) => {
                let problem = conflict("policy-tests-fail", "The policy's tests fail");
                failures.iter().fold(problem, |problem, failure| {
                    let case = failure.case.as_deref().map(|case| format!("{case}: ")).unwrap_or_default();
                    problem.fault(failure.file.display().to_string(), format!("{case}{}", failure.message))
                })
            }
            PolicyError::Changed => {
                problem(StatusCode::PRECONDITION_FAILED, "precondition-failed", "Changed meanwhile")
            }
            PolicyError::NothingBefore => conflict("nothing-before", "There is nothing to go back to"),
            PolicyError::Used => conflict("version-used", "The version was in force"),
            PolicyError::NotAllowed(_) => forbidden("right-needed", "A right is needed"),
            PolicyError::NeedsApproval => conflict("approval-needed", "An approval is needed"),
            PolicyError::OwnVersion => forbidden("own-version", "The version is your own"),
            PolicyError::NobodyApproves => forbidden("forbidden", "This is not allowed"),
            PolicyError::KeyReused => {
                problem(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", "The idempotency key is in use")
                    .fault("Idempotency-Key:", "was used for another request; use a new key for a new request")
            }
            PolicyError::KeyRunning => {
                conflict("request-running", "The first request is still running").header("retry-after", "1")
            }
            // The edge gives the kept answer itself.
            PolicyError::Replayed(_) => Self::internal(error),
            PolicyError::Interrupted => Self::unavailable(error),
            PolicyError::Store(error) => Self::from(error),
        }
    }
}

/// A fault of the body: exactly one of two texts must be named.
pub(super) fn one_of(first: &str, second: &str) -> Vec<Fault> {
    vec![Fault::new(first, format!("cannot be given together with `{second}`"))]
}

/// An error's message as a sentence.
fn sentence(error: &PolicyError) -> String {
    let message = error.to_string();
    let mut letters = message.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
