//! Projects and labels as they are kept.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::{LabelId, ProjectId};

/// A folder of tasks; a task lies in one at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Its name: 1 to 60 characters on one line, unique within a user whatever the case.
    pub name: String,
    /// What it is about: up to 2,000 characters.
    pub description: Option<String>,
    /// Counts its changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A word that marks tasks; a task can have up to 20.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Its id.
    pub id: LabelId,
    /// Its name: 1 to 60 characters on one line, unique within a user whatever the case.
    pub name: String,
    /// Counts its changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
