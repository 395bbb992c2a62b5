//! What a client is told when a file cannot be attached or fetched.

use poem::http::StatusCode;
use poem::http::header::RETRY_AFTER;

use crate::attachments::{AttachmentError, LinkError};
use crate::http::problem::{ApiError, Chain, Fault};
use crate::objects::ObjectsError;

const UNSUPPORTED: StatusCode = StatusCode::UNSUPPORTED_MEDIA_TYPE;

impl From<AttachmentError> for ApiError {
    fn from(error: AttachmentError) -> Self {
        match &error {
            AttachmentError::Task(error) => Self::from(error),
            AttachmentError::Empty => Self::invalid(vec![Fault::new("", "must not be empty")]),
            AttachmentError::TooLarge(most) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "content-too-large", "The file is too large")
                    .detail(format!("A file may have at most {most} bytes."))
            }
            AttachmentError::Type(what) => Self::new(UNSUPPORTED, "unsupported-media-type", "The type is not taken")
                .detail(format!("`Content-Type` {what}.")),
            AttachmentError::Mismatch { declared, found } => {
                Self::new(UNSUPPORTED, "content-mismatch", "The file is of another type")
                    .detail(format!("It is said to be `{declared}`, but begins like `{found}`."))
            }
            AttachmentError::TooManyAtOnce(count) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-uploads", "Too many uploads at once")
                    .detail(format!("{count} files of yours are on their way; wait for one of them."))
                    .header(RETRY_AFTER, "1")
            }
            AttachmentError::Busy => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The service is unavailable at the moment")
                    .detail("Too many files are on their way; try again soon.")
                    .header(RETRY_AFTER, "1")
            }
            AttachmentError::TooSlow(patience) => {
                Self::new(StatusCode::REQUEST_TIMEOUT, "request-timeout", "The file did not come in time")
                    .detail(format!("It must come within {} seconds.", patience.as_secs()))
                    .header("connection", "close")
            }
            AttachmentError::Link(LinkError::Expired) => {
                Self::new(StatusCode::FORBIDDEN, "link-expired", "The link has expired")
                    .detail("Ask for a new one: `GET /api/attachments/{attachment_id}/url`.")
            }
            AttachmentError::Link(LinkError::Forged) => {
                Self::new(StatusCode::FORBIDDEN, "link-invalid", "The link is not valid")
                    .detail("It is not one that this server signed.")
            }
            AttachmentError::Damaged(_) => Self::internal(&error),
            AttachmentError::Objects(error) => of_store(error),
        }
    }
}

fn of_store(error: &ObjectsError) -> ApiError {
    let title = "The service is unavailable at the moment";
    let unavailable = |detail: &str| {
        tracing::warn!(error = %Chain(error), "the object store is unavailable");
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", title).detail(detail).header(RETRY_AFTER, "5")
    };
    match error {
        ObjectsError::Unavailable(_) | ObjectsError::Folder { .. } | ObjectsError::Refused(_) => {
            unavailable("Files cannot be stored or fetched at the moment; try again soon.")
        }
        ObjectsError::Full(_) => {
            tracing::error!(error = %Chain(error), "the object store is full");
            ApiError::new(StatusCode::INSUFFICIENT_STORAGE, "storage-full", "The server has no room for files")
                .detail("The server's operator must make room.")
        }
        ObjectsError::NotFound(_)
        | ObjectsError::Key(_)
        | ObjectsError::TooLarge { .. }
        | ObjectsError::Url(_)
        | ObjectsError::Settings(_)
        | ObjectsError::Source(_) => ApiError::internal(error),
    }
}
