//! What is kept of the recommendations that people were shown.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// What became of the sample; shared by cloning.
#[derive(Clone, Debug)]
pub struct DecisionMetrics {
    decisions: Family<[(&'static str, &'static str); 1], Counter>,
    kept: Counter,
    dropped: Counter,
    failed: Counter,
}

impl Default for DecisionMetrics {
    fn default() -> Self {
        let decisions = Family::<[(&'static str, &'static str); 1], Counter>::default();
        let of = |outcome| decisions.get_or_create_owned(&[("outcome", outcome)]);
        let (kept, dropped, failed) = (of("kept"), of("dropped"), of("failed"));
        Self { decisions, kept, dropped, failed }
    }
}

impl DecisionMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Sampled recommendations: kept, dropped because too many waited, or failed to be written";
        registry.register("policy_decisions", help, self.decisions.clone());
    }

    /// So many were written.
    pub fn kept(&self, count: u64) {
        self.kept.inc_by(count);
    }

    /// Too many waited.
    pub fn dropped(&self) {
        self.dropped.inc();
    }

    /// So many could not be written.
    pub fn failed(&self, count: u64) {
        self.failed.inc_by(count);
    }
}
