//! Rankings: kept, or made anew.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// How rankings came to be; shared by cloning.
#[derive(Clone, Debug)]
pub struct RankingMetrics {
    rankings: Family<[(&'static str, &'static str); 1], Counter>,
    kept: Counter,
    made: Counter,
}

impl Default for RankingMetrics {
    fn default() -> Self {
        let rankings = Family::<[(&'static str, &'static str); 1], Counter>::default();
        let made = rankings.get_or_create_owned(&[("outcome", "made")]);
        let kept = rankings.get_or_create_owned(&[("outcome", "kept")]);
        Self { rankings, kept, made }
    }
}

impl RankingMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Rankings that were asked for: kept ones were there already, made ones computed";
        registry.register("rankings", help, self.rankings.clone());
    }

    /// A ranking was given that was there before somebody asked.
    pub fn kept(&self) {
        self.kept.inc();
    }

    /// A ranking was computed.
    pub fn made(&self) {
        self.made.inc();
    }
}
