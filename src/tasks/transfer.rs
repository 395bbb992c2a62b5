//! Everything of one user at once: out in several formats, in from the export's own JSON.
//!
//! - [`table`] and [`ical`] write exports; the JSON form is made of the API's own views, at the edge.
//! - [`plan`] makes what is to be kept out of a file, or finds everything that is wrong with it.
//! - `import` carries a plan out, and takes it back.

pub mod ical;
pub(super) mod import;
pub mod plan;
pub mod table;

use super::Tasks;
use super::change::{Ask, Changed};
use super::error::TaskError;
use crate::accounts::Caller;
use crate::clock::Timestamp;
use crate::fault::Purpose;
pub use crate::store::Exported;
use plan::{ImportFile, Plan};

/// What an import made; projects and labels that were there already are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// New tasks.
    pub tasks: usize,
    /// New projects.
    pub projects: usize,
    /// New labels.
    pub labels: usize,
}

impl Tasks {
    /// Shows everything of the caller's to `take`: projects, labels, then tasks, each kind oldest first.
    ///
    /// Returns the moment of the export.
    pub async fn export(&self, caller: &Caller, take: impl FnMut(Exported) + Send) -> Result<Timestamp, TaskError> {
        let now = self.now();
        self.store().export(caller.user_id, take).await?;
        Ok(now)
    }

    /// Adds everything in a file to what the caller has, in one transaction; one undo takes all of it back.
    ///
    /// # Errors
    ///
    /// [`TaskError::Invalid`] with every fault of the file; nothing is changed then.
    pub async fn import(&self, ask: Ask<Imported>, file: ImportFile) -> Result<Changed<Imported>, TaskError> {
        let plan = Plan::make(file, self.now()).map_err(TaskError::Invalid)?;
        if ask.purpose == Purpose::Rehearse {
            // What can be wrong with a file, the plan has found.
            return Err(TaskError::Rehearsed);
        }
        self.changes.run("data.imported", ask, |work| Box::pin(import::carry_out(work, plan))).await
    }
}
