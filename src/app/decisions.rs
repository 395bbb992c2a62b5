//! The sample of recommendations that is kept: who writes it, and who looks after it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::background::{Duty, DutyError, Turn};
use crate::policies::decisions::Decisions;

/// How often it is noted what became of recommendations; who looks at them sees it at once.
const SETTLES_EVERY: Duration = Duration::from_mins(10);
/// How often those are deleted that are old enough.
const RETAINS_EVERY: Duration = Duration::from_hours(6);

/// Everything that one instance does for all.
pub(super) fn duties(decisions: &Arc<Decisions>) -> [Arc<dyn Duty>; 2] {
    [Arc::new(SettleDecisions(Arc::clone(decisions))), Arc::new(RetainDecisions(Arc::clone(decisions)))]
}

/// Notes what became of recommendations.
struct SettleDecisions(Arc<Decisions>);

#[async_trait]
impl Duty for SettleDecisions {
    fn name(&self) -> &'static str {
        "settle_decisions"
    }

    fn every(&self) -> Duration {
        SETTLES_EVERY
    }

    async fn run(&self, turn: &Turn) -> Result<(), DutyError> {
        self.0.settle(turn).await
    }
}

/// Deletes old ones.
struct RetainDecisions(Arc<Decisions>);

#[async_trait]
impl Duty for RetainDecisions {
    fn name(&self) -> &'static str {
        "retain_decisions"
    }

    fn every(&self) -> Duration {
        RETAINS_EVERY
    }

    async fn run(&self, turn: &Turn) -> Result<(), DutyError> {
        self.0.retain(turn).await
    }
}
