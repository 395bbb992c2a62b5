//! Metrics: what the server counts, for Prometheus.
//!
//! There is one [`Metrics`] in an [`App`](crate::app::App), with one room per part of the server. A part holds its room,
//! which is shared by cloning, and counts with plain additions; only a scrape takes a lock. Names follow Prometheus:
//! base units, `_total` for what only grows. Labels have few values: route patterns and never paths, words and never ids.

mod accounts;
mod background;
mod database;
mod decisions;
mod events;
mod health;
mod histogram;
mod http;
mod limits;
mod mail;
mod mcp;
mod oauth;
mod policies;
mod process;
mod rankings;
mod text;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

pub use self::accounts::AccountMetrics;
pub use self::background::{BackgroundMetrics, DutyMetrics};
pub use self::database::{DatabaseMetrics, PoolReading};
pub use self::decisions::DecisionMetrics;
pub use self::events::{EventMetrics, OpenStream};
pub use self::health::HealthMetrics;
pub use self::histogram::Seconds;
pub use self::http::{HttpMetrics, InFlight, NO_ROUTE};
pub use self::limits::{ClassMetrics, Counted, LimitMetrics};
pub use self::mail::{MailMetrics, Posted};
pub use self::mcp::McpMetrics;
pub use self::oauth::OAuthMetrics;
pub use self::policies::{PoliciesReading, PolicyReading};
pub use self::rankings::RankingMetrics;
pub use self::text::Format;
use crate::clock::Timestamp;

/// What every family's name begins with, but those of the process.
const PREFIX: &str = "mindflow";

/// Everything that is counted.
pub struct Metrics {
    /// Requests.
    pub http: HttpMetrics,
    /// Sign-ins.
    pub accounts: AccountMetrics,
    /// Tokens.
    pub oauth: OAuthMetrics,
    /// Tools of chats and agents.
    pub mcp: McpMetrics,
    /// The rate limiter.
    pub limits: LimitMetrics,
    /// Work that nobody waits for.
    pub background: BackgroundMetrics,
    /// Mail.
    pub mail: MailMetrics,
    /// Streams of events.
    pub events: EventMetrics,
    /// Rankings.
    pub rankings: RankingMetrics,
    /// Recommendations that are kept.
    pub decisions: DecisionMetrics,
    /// Health, disk and memory.
    pub health: HealthMetrics,
    registry: Mutex<Registry>,
}

impl Metrics {
    /// Begins to count; the process started `now`.
    pub fn new(now: Timestamp) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(process::Process { started: now }));
        let metrics = Self {
            http: HttpMetrics::default(),
            accounts: AccountMetrics::default(),
            oauth: OAuthMetrics::default(),
            mcp: McpMetrics::default(),
            limits: LimitMetrics::default(),
            background: BackgroundMetrics::default(),
            mail: MailMetrics::default(),
            events: EventMetrics::default(),
            rankings: RankingMetrics::default(),
            decisions: DecisionMetrics::default(),
            health: HealthMetrics::default(),
            registry: Mutex::new(registry),
        };
        metrics.with_registry(|registry| metrics.register(registry));
        metrics
    }

    fn register(&self, registry: &mut Registry) {
        let mut build = vec![("version", env!("CARGO_PKG_VERSION"))];
        build.extend(option_env!("MINDFLOW_REVISION").map(|revision| ("revision", revision)));
        registry.register("build", "The program that runs", Info::new(build));
        registry.register_collector(Box::new(self.http.clone()));
        self.accounts.register(registry);
        self.oauth.register(registry);
        self.mcp.register(registry);
        self.limits.register(registry);
        self.background.register(registry);
        self.mail.register(registry);
        self.events.register(registry);
        self.rankings.register(registry);
        self.decisions.register(registry);
        self.health.register(registry);
    }

    /// Shows the database, too: what it counts itself, and its pools as they are at each scrape.
    pub fn watch_database(
        &self,
        counted: &DatabaseMetrics,
        pools: impl Fn() -> Vec<PoolReading> + Send + Sync + 'static,
    ) {
        self.with_registry(|registry| {
            counted.register(registry);
            registry.register_collector(Box::new(database::Pools(Arc::new(pools))));
        });
    }

    /// Shows the policies, too, as they are at each scrape.
    pub fn watch_policies(&self, reading: impl Fn() -> PoliciesReading + Send + Sync + 'static) {
        let policies = policies::Policies(Arc::new(reading));
        self.with_registry(|registry| registry.register_collector(Box::new(policies)));
    }

    /// Everything as it is now.
    pub fn text(&self, format: Format) -> String {
        let mut text = String::with_capacity(64 * 1024);
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string does not fail.
        let _ = encode(&mut text, &registry);
        drop(registry);
        match format {
            Format::OpenMetrics => text,
            Format::Classic => text::classic(&text),
        }
    }

    fn with_registry(&self, change: impl FnOnce(&mut Registry)) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        change(registry.sub_registry_with_prefix(PREFIX));
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
