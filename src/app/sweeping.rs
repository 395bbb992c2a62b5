//! Sweeping: files that nobody needs any more are removed. Doing so twice is no fault.

use std::time::Duration;

use async_trait::async_trait;

use crate::attachments::Attachments;
use crate::background::{Duty, DutyError, Turn};

/// The files of a person who left go within that time.
const SWEEPS_EVERY: Duration = Duration::from_mins(1);
/// How often it is looked for what killed processes left: that reads the whole folder.
const LEFTOVERS_EVERY: Duration = Duration::from_hours(1);

/// Removes the files of what is gone for good.
pub(super) struct SweepFiles(pub(super) Attachments);

#[async_trait]
impl Duty for SweepFiles {
    fn name(&self) -> &'static str {
        "sweep_files"
    }

    fn every(&self) -> Duration {
        SWEEPS_EVERY
    }

    async fn run(&self, _: &Turn) -> Result<(), DutyError> {
        self.0.sweep().await?;
        Ok(())
    }
}

/// Removes what uploads left in a folder whose process was killed.
pub(super) struct RemoveLeftovers(pub(super) Attachments);

#[async_trait]
impl Duty for RemoveLeftovers {
    fn name(&self) -> &'static str {
        "remove_leftovers"
    }

    fn every(&self) -> Duration {
        LEFTOVERS_EVERY
    }

    async fn run(&self, _: &Turn) -> Result<(), DutyError> {
        self.0.remove_leftovers().await;
        Ok(())
    }
}
