//! Health: may requests come, and is everything as it should be.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared, join_all};
use serde_json::Value;
use tokio::sync::watch;

use super::metrics::HealthMetrics;
use crate::config::Environment;

/// How long a check may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(2);

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// As it should be.
    Healthy,
    /// It works, but not as it should, or a part of it does not.
    Degraded,
    /// It does not work.
    Unhealthy,
}

impl Status {
    /// The word in `/health`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// Whether requests can be answered while a check fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// They cannot: `/health` answers 503.
    Vital,
    /// They can.
    Useful,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// How it is.
    pub status: Status,
    /// What an operator should know; shown to anyone who asks, so never an internal error or a secret.
    pub details: Option<Value>,
}

impl Finding {
    /// All is well.
    pub const HEALTHY: Self = Self { status: Status::Healthy, details: None };

    /// Something is wrong; `details` says what.
    pub fn new(status: Status, details: impl Into<Value>) -> Self {
        Self { status, details: Some(details.into()) }
    }
}

type Look = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Finding> + Send>> + Send + Sync>;

struct Check {
    name: &'static str,
    need: Need,
    look: Look,
    /// For how long what was found is taken to be still so.
    keep: Duration,
    last: Mutex<Option<(Instant, Finding)>>,
}

type Reporting = Shared<BoxFuture<'static, Report>>;

/// All checks of the server, and whether it is stopping.
pub struct Health {
    environment: Environment,
    checks: Vec<Check>,
    draining: watch::Sender<bool>,
    metrics: HealthMetrics,
    /// The checks that are being made now, for all who ask meanwhile.
    running: Mutex<Option<WeakShared<BoxFuture<'static, Report>>>>,
}

/// What all checks found together.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// `Healthy` when every check is, else `Degraded`.
    pub status: Status,
    /// Whether requests can be answered.
    pub ready: bool,
    /// The status of each check, by name.
    pub checks: BTreeMap<&'static str, Status>,
    /// What there is to know, by the check's name.
    pub details: BTreeMap<&'static str, Value>,
}

impl Health {
    /// A server without checks.
    pub fn new(environment: Environment) -> Self {
        let (metrics, running) = (HealthMetrics::default(), Mutex::default());
        Self { environment, checks: Vec::new(), draining: watch::Sender::new(false), metrics, running }
    }

    /// Notes in `metrics` what is found from now on.
    #[must_use]
    pub fn counting(self, metrics: HealthMetrics) -> Self {
        Self { metrics, ..self }
    }

    /// Adds a check. One that takes longer than 2 seconds is unhealthy.
    #[must_use]
    pub fn with<F>(self, name: &'static str, need: Need, check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Finding> + Send + 'static,
    {
        self.with_kept(name, need, Duration::ZERO, check)
    }

    /// Adds a check that is made only if the last time was longer ago than `keep`: for what changes slowly.
    #[must_use]
    pub fn with_kept<F>(
        mut self,
        name: &'static str,
        need: Need,
        keep: Duration,
        check: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Finding> + Send + 'static,
    {
        let look: Look = Box::new(move || Box::pin(check()));
        self.checks.push(Check { name, need, look, keep, last: Mutex::default() });
        self
    }

    /// What kind of installation this is.
    pub const fn environment(&self) -> Environment {
        self.environment
    }

    /// From now on the server is not ready: it only finishes what it began.
    pub fn start_draining(&self) {
        self.draining.send_replace(true);
    }

    /// Whether the server is stopping.
    pub fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// Done when the server is stopping: what never ends by itself ends then.
    pub async fn drained(&self) {
        // The sender is this very object's.
        let _ = self.draining.subscribe().wait_for(|draining| *draining).await;
    }

    /// Runs every check, side by side. Who asks while they run gets what they find.
    pub async fn report(self: &Arc<Self>) -> Report {
        self.reporting().await
    }

    fn reporting(self: &Arc<Self>) -> Reporting {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let joined = running.as_ref().and_then(WeakShared::upgrade).filter(|running| running.peek().is_none());
        joined.unwrap_or_else(|| {
            let this = Arc::clone(self);
            let fresh = async move { this.look().await }.boxed().shared();
            *running = fresh.downgrade();
            fresh
        })
    }

    async fn look(&self) -> Report {
        let findings = join_all(self.checks.iter().map(Check::finding)).await;
        let mut report =
            Report { status: Status::Healthy, ready: true, checks: BTreeMap::new(), details: BTreeMap::new() };
        for (Check { name, need, .. }, found) in self.checks.iter().zip(findings) {
            self.metrics.check(name, found.status.as_str());
            if found.status != Status::Healthy {
                report.status = Status::Degraded;
            }
            report.ready &= *need == Need::Useful || found.status != Status::Unhealthy;
            report.checks.insert(name, found.status);
            report.details.extend(found.details.map(|details| (*name, details)));
        }
        report
    }
}

impl Check {
    async fn finding(&self) -> Finding {
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = last().as_ref().filter(|(at, _)| at.elapsed() < self.keep).map(|(_, found)| found.clone());
        if let Some(kept) = kept {
            return kept;
        }
        let found = match tokio::time::timeout(PATIENCE, (self.look)()).await {
            Ok(finding) => finding,
            Err(_) => Finding::new(Status::Unhealthy, "there was no answer within 2 seconds"),
        };
        *last() = Some((Instant::now(), found.clone()));
        found
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    fn health(database: Status, policies: Status) -> Arc<Health> {
        Arc::new(
            Health::new(Environment::Test)
                .with("database", Need::Vital, move || async move { Finding { status: database, details: None } })
                .with("policies", Need::Useful, move || async move { Finding::new(policies, "default: line 3") }),
        )
    }

    #[tokio::test]
    async fn a_refused_policy_degrades_but_requests_are_answered() {
        let report = health(Status::Healthy, Status::Degraded).report().await;

        assert_eq!((report.status, report.ready), (Status::Degraded, true));
        assert_eq!(report.details["policies"], "default: line 3");
    }

    #[tokio::test]
    async fn without_the_database_nothing_is_ready() {
        let report = health(Status::Unhealthy, Status::Healthy).report().await;

        assert_eq!((report.status, report.ready), (Status::Degraded, false));
    }

    #[tokio::test]
    async fn who_asks_while_the_checks_run_gets_what_they_find() {
        let (runs, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let (counted, waited) = (Arc::clone(&runs), Arc::clone(&gate));
        let health = Arc::new(Health::new(Environment::Test).with("database", Need::Vital, move || {
            counted.fetch_add(1, Ordering::Relaxed);
            let waited = Arc::clone(&waited);
            async move {
                waited.acquire().await.unwrap().forget();
                Finding::HEALTHY
            }
        }));

        let all = join_all([health.report(), health.report(), health.report()]);
        // Once all of them wait.
        let (reports, ()) = tokio::join!(all, async { gate.add_permits(1) });
        assert!(reports.iter().all(|report| report.ready));
        gate.add_permits(1);
        health.report().await;

        assert_eq!(runs.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn what_changes_slowly_is_not_looked_at_with_every_question() {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let health =
            Health::new(Environment::Test).with_kept("disk", Need::Useful, Duration::from_hours(1), move || {
                counted.fetch_add(1, Ordering::Relaxed);
                async { Finding::new(Status::Degraded, "full") }
            });
        let health = Arc::new(health);

        let reports = [health.report().await, health.report().await];

        assert_eq!((reports[0].status, &reports[0]), (Status::Degraded, &reports[1]));
        assert_eq!(runs.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_fails() {
        let health = Arc::new(Health::new(Environment::Test).with("database", Need::Vital, std::future::pending));

        assert!(!health.report().await.ready);
    }
}
