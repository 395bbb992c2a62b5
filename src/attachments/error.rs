//! What can keep a file from being attached or fetched.

use std::time::Duration;

use super::links::LinkError;
use crate::ids::AttachmentId;
use crate::objects::ObjectsError;
use crate::tasks::TaskError;

/// Why a file was not attached, or not handed out.
#[derive(Debug, thiserror::Error)]
pub enum AttachmentError {
    /// What tasks have to say about it.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// There is nothing in the file.
    #[error("the file is empty")]
    Empty,
    /// The file has more bytes than are taken.
    #[error("the file has more than {0} bytes")]
    TooLarge(u64),
    /// The type cannot be read, or is none of those that are taken.
    #[error("the type {0}")]
    Type(String),
    /// The file is not what it is said to be.
    #[error("the file is said to be {declared}, but begins like {found}")]
    Mismatch {
        /// What was said.
        declared: String,
        /// What its first bytes say.
        found: String,
    },
    /// Too many files of this person are on their way.
    #[error("{0} files are on their way already")]
    TooManyAtOnce(usize),
    /// Too many files of everybody are on their way.
    #[error("too many files are on their way")]
    Busy,
    /// The upload took too long.
    #[error("the file did not come within {} seconds", .0.as_secs())]
    TooSlow(Duration),
    /// The signed URL is worth nothing.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The file in the store is not the one that was attached.
    #[error("the file of attachment {0} is damaged")]
    Damaged(AttachmentId),
    /// The object store says no.
    #[error(transparent)]
    Objects(#[from] ObjectsError),
}
