//! The database: its connections, how long it took, what failed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::histogram::Seconds;

/// What a pool of connections looks like at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolReading {
    /// Which one: `all`, or `reader` and `writer`.
    pub pool: &'static str,
    /// Connections that are open.
    pub open: u32,
    /// Of these, how many nobody uses.
    pub idle: u32,
    /// The most there may be.
    pub most: u32,
    /// Changes that wait for the connection, where there is a queue.
    pub queued: Option<usize>,
}

/// Statements and transactions; shared by cloning.
#[derive(Clone, Debug)]
pub struct DatabaseMetrics {
    statements: Seconds,
    transactions: Seconds,
    commits: Seconds,
    changes: Counter,
    errors: Family<[(&'static str, &'static str); 1], Counter>,
}

impl Default for DatabaseMetrics {
    fn default() -> Self {
        let errors = Family::default();
        for kind in ERRORS {
            let _ = errors.get_or_create(&[("kind", kind)]);
        }
        let (statements, transactions, commits) = Default::default();
        Self { statements, transactions, commits, changes: Counter::default(), errors }
    }
}

/// The kinds of faults: no connection came free in time, the writer's queue was full, the database was away or refused
/// for now, a statement failed.
const ERRORS: [&str; 4] = ["pool_timeout", "queue_full", "unavailable", "statement"];

impl DatabaseMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "database_statement_duration_seconds",
            "How long statements that read took, with the wait for a connection",
            self.statements.clone(),
        );
        registry.register(
            "database_transaction_duration_seconds",
            "How long changes took until they were durable or refused, with the wait for their turn",
            self.transactions.clone(),
        );
        registry.register(
            "database_commit_duration_seconds",
            "How long commits of SQLite's writer took, with all changes in them",
            self.commits.clone(),
        );
        let help = "Changes that SQLite's writer committed; several share one commit";
        registry.register("database_committed_changes", help, self.changes.clone());
        registry.register("database_errors", "Faults of the database, by kind", self.errors.clone());
    }

    /// A statement that reads is done.
    pub fn statement(&self, took: Duration) {
        self.statements.observe(took);
    }

    /// A transaction is done.
    pub fn transaction(&self, took: Duration) {
        self.transactions.observe(took);
    }

    /// SQLite's writer committed so many changes together.
    pub fn commit(&self, changes: usize, took: Duration) {
        self.commits.observe(took);
        self.changes.inc_by(changes as u64);
    }

    /// Something failed; `kind` is one of few words.
    pub fn error(&self, kind: &'static str) {
        self.errors.get_or_create(&[("kind", kind)]).inc();
    }
}

/// Asks for the state of the pools with every scrape.
pub(super) struct Pools(pub(super) Arc<dyn Fn() -> Vec<PoolReading> + Send + Sync>);

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pools")
    }
}

impl Collector for Pools {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let pools = (self.0)();
        let help = "Connections to the database, by pool and state";
        let mut family = encoder.encode_descriptor("database_connections", help, None, MetricType::Gauge)?;
        for pool in &pools {
            let used = pool.open.saturating_sub(pool.idle);
            for (state, count) in [("idle", pool.idle), ("used", used)] {
                let labels = [("pool", pool.pool), ("state", state)];
                ConstGauge::new(i64::from(count)).encode(family.encode_family(&labels)?)?;
            }
        }
        let help = "The most connections to the database there may be, by pool";
        let mut family = encoder.encode_descriptor("database_connections_max", help, None, MetricType::Gauge)?;
        for pool in &pools {
            ConstGauge::new(i64::from(pool.most)).encode(family.encode_family(&[("pool", pool.pool)])?)?;
        }
        let help = "Changes that wait for SQLite's writer";
        let mut family = encoder.encode_descriptor("database_queued_changes", help, None, MetricType::Gauge)?;
        for (pool, queued) in pools.iter().filter_map(|pool| Some((pool, pool.queued?))) {
            let queued = ConstGauge::new(i64::try_from(queued).unwrap_or(i64::MAX));
            queued.encode(family.encode_family(&[("pool", pool.pool)])?)?;
        }
        Ok(())
    }
}
