//! The rate limiter: what it let through and what it refused.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Where requests were counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// In this process's memory.
    Here,
    /// In Redis, for all instances together.
    InRedis,
}

impl Counted {
    const ALL: [Self; 2] = [Self::Here, Self::InRedis];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Here => "local",
            Self::InRedis => "redis",
        }
    }
}

/// Decisions of the limiter; shared by cloning.
#[derive(Clone, Debug, Default)]
pub struct LimitMetrics {
    decisions: Family<[(&'static str, &'static str); 3], Counter>,
    fallback: Gauge,
}

/// The counters of one class of requests.
#[derive(Clone, Debug)]
pub struct ClassMetrics {
    allowed: [Counter; 2],
    refused: [Counter; 2],
}

impl LimitMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Requests that the rate limiter decided about, by class and by where they were counted";
        registry.register("rate_limit_decisions", help, self.decisions.clone());
        let help = "1 while the limits of all instances are counted by each alone, because Redis cannot be reached";
        registry.register("rate_limit_fallback", help, self.fallback.clone());
    }

    /// The counters of a class, to be asked for once and kept.
    pub fn class(&self, name: &'static str) -> ClassMetrics {
        let all = |decision| {
            Counted::ALL.map(|store| {
                let labels = [("class", name), ("decision", decision), ("store", store.as_str())];
                self.decisions.get_or_create_owned(&labels)
            })
        };
        ClassMetrics { allowed: all("allowed"), refused: all("refused") }
    }

    /// Notes whether each instance counts alone although Redis is configured.
    pub fn set_fallback(&self, alone: bool) {
        self.fallback.set(i64::from(alone));
    }
}

impl ClassMetrics {
    /// A request was let through.
    pub fn allowed(&self, counted: Counted) {
        self.allowed[counted as usize].inc();
    }

    /// A request was refused.
    pub fn refused(&self, counted: Counted) {
        self.refused[counted as usize].inc();
    }
}
