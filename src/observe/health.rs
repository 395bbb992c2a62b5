//! Health: may requests come, and is everything as it should be.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;

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

type Check = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Finding> + Send>> + Send + Sync>;

/// All checks of the server, and whether it is stopping.
pub struct Health {
    environment: Environment,
    checks: Vec<(&'static str, Need, Check)>,
    draining: AtomicBool,
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
        Self { environment, checks: Vec::new(), draining: AtomicBool::new(false) }
    }

    /// Adds a check. One that takes longer than 2 seconds is unhealthy.
    #[must_use]
    pub fn with<F>(mut self, name: &'static str, need: Need, check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Finding> + Send + 'static,
    {
        self.checks.push((name, need, Box::new(move || Box::pin(check()))));
        self
    }

    /// What kind of installation this is.
    pub const fn environment(&self) -> Environment {
        self.environment
    }

    /// From now on the server is not ready: it only finishes what it began.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the server is stopping.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Runs every check, side by side.
    pub async fn report(self: &Arc<Self>) -> Report {
        let findings = join_all(self.checks.iter().map(|(_, _, check)| finding(check))).await;
        let mut report =
            Report { status: Status::Healthy, ready: true, checks: BTreeMap::new(), details: BTreeMap::new() };
        for ((name, need, _), found) in self.checks.iter().zip(findings) {
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

async fn finding(check: &Check) -> Finding {
    match tokio::time::timeout(PATIENCE, check()).await {
        Ok(finding) => finding,
        Err(_) => Finding::new(Status::Unhealthy, "there was no answer within 2 seconds"),
    }
}

#[cfg(test)]
mod tests {
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

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_fails() {
        let health = Arc::new(Health::new(Environment::Test).with("database", Need::Vital, std::future::pending));

        assert!(!health.report().await.ready);
    }
}
