//! Work that nobody waits for: duties, by name.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::histogram::Seconds;
use crate::clock::Timestamp;

type Duty = [(&'static str, &'static str); 1];

/// Runs of duties; shared by cloning.
#[derive(Clone, Debug, Default)]
pub struct BackgroundMetrics {
    runs: Family<[(&'static str, &'static str); 2], Counter>,
    seconds: Family<Duty, Seconds>,
    last_success: Family<Duty, Gauge>,
}

/// The series of one duty.
#[derive(Clone, Debug)]
pub struct DutyMetrics {
    succeeded: Counter,
    failed: Counter,
    seconds: Seconds,
    last_success: Gauge,
}

impl BackgroundMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("background_runs", "Runs of background work, by duty and outcome", self.runs.clone());
        registry.register(
            "background_run_duration_seconds",
            "How long runs of background work took, by duty",
            self.seconds.clone(),
        );
        registry.register(
            "background_last_success_timestamp_seconds",
            "When background work last succeeded here, by duty; 0 is never",
            self.last_success.clone(),
        );
    }

    /// The series of a duty, to be asked for once and kept.
    pub fn duty(&self, name: &'static str) -> DutyMetrics {
        let runs = |outcome| self.runs.get_or_create_owned(&[("duty", name), ("outcome", outcome)]);
        let duty = [("duty", name)];
        DutyMetrics {
            succeeded: runs("succeeded"),
            failed: runs("failed"),
            seconds: self.seconds.get_or_create_owned(&duty),
            last_success: self.last_success.get_or_create_owned(&duty),
        }
    }
}

impl DutyMetrics {
    /// A run ended well.
    pub fn succeeded(&self, now: Timestamp, took: Duration) {
        self.succeeded.inc();
        self.seconds.observe(took);
        self.last_success.set(now.as_seconds());
    }

    /// A run failed.
    pub fn failed(&self, took: Duration) {
        self.failed.inc();
        self.seconds.observe(took);
    }
}
