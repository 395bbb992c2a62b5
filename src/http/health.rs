//! `/health` and its kin: for load balancers, containers and people.

use std::collections::BTreeMap;
use std::sync::Arc;

use poem_openapi::{ApiResponse, Enum, Object, OpenApi, Tags};
use serde::Serialize;
use serde_json::Value;

use super::payload::Json;
use crate::observe::health::{Health, Report, Status};

/// The health checks.
pub struct HealthApi {
    health: Arc<Health>,
}

#[derive(Tags)]
enum Tag {
    /// Whether the server is alive, ready and well. No credential needed, never limited.
    Health,
}

/// How something is.
#[derive(Clone, Copy, Debug, Enum, Serialize)]
#[oai(rename = "HealthStatus", rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
enum StatusView {
    /// As it should be.
    Healthy,
    /// It works, but not as it should, or a part of it does not.
    Degraded,
    /// It does not work.
    Unhealthy,
}

/// How the server is.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Health")]
struct HealthView {
    /// `healthy` when every check is.
    status: StatusView,
    /// The server's version.
    version: String,
    /// What kind of installation this is.
    environment: String,
    /// Each check and how it went.
    checks: BTreeMap<String, StatusView>,
    /// What an operator should know about checks that are not healthy.
    details: BTreeMap<String, Value>,
}

/// Whether the server is alive or ready.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Probe")]
struct ProbeView {
    /// `alive`, `ready`, `draining` or `degraded`.
    status: String,
}

#[derive(ApiResponse)]
enum HealthAnswer {
    /// Requests are answered.
    #[oai(status = 200)]
    Up(Json<HealthView>),
    /// A check that requests need fails.
    #[oai(status = 503)]
    Down(Json<HealthView>),
}

#[derive(ApiResponse)]
enum ProbeAnswer {
    /// Yes.
    #[oai(status = 200)]
    Yes(Json<ProbeView>),
    /// Not now: the server is stopping, or a check that requests need fails.
    #[oai(status = 503)]
    No(Json<ProbeView>),
}

impl HealthApi {
    /// Answers from `health`.
    pub const fn new(health: Arc<Health>) -> Self {
        Self { health }
    }
}

#[expect(clippy::unused_async, reason = "poem-openapi wants every handler to be async")]
#[OpenApi(tag = "Tag::Health")]
impl HealthApi {
    /// Check the server's health
    ///
    /// Runs every check. A refused policy only degrades; without the database the answer is 503.
    #[oai(path = "/health", method = "get", operation_id = "check_health")]
    async fn check_health(&self) -> HealthAnswer {
        let report = self.health.report().await;
        let ready = report.ready;
        let view = Json(self.view(report));
        if ready { HealthAnswer::Up(view) } else { HealthAnswer::Down(view) }
    }

    /// Check that the server is alive
    ///
    /// Answers as long as the process does. Restart it when this fails.
    #[oai(path = "/health/live", method = "get", operation_id = "check_liveness")]
    async fn check_liveness(&self) -> Json<ProbeView> {
        Json(ProbeView { status: "alive".to_owned() })
    }

    /// Check that the server is ready
    ///
    /// Send no requests while this fails: the server is stopping, or it cannot answer for now.
    #[oai(path = "/health/ready", method = "get", operation_id = "check_readiness")]
    async fn check_readiness(&self) -> ProbeAnswer {
        if self.health.is_draining() {
            return ProbeAnswer::No(Json(ProbeView { status: "draining".to_owned() }));
        }
        if self.health.report().await.ready {
            ProbeAnswer::Yes(Json(ProbeView { status: "ready".to_owned() }))
        } else {
            ProbeAnswer::No(Json(ProbeView { status: "degraded".to_owned() }))
        }
    }
}

impl HealthApi {
    fn view(&self, report: Report) -> HealthView {
        HealthView {
            status: report.status.into(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            environment: self.health.environment().as_str().to_owned(),
            checks: report.checks.into_iter().map(|(name, status)| (name.to_owned(), status.into())).collect(),
            details: report.details.into_iter().map(|(name, details)| (name.to_owned(), details)).collect(),
        }
    }
}

impl From<Status> for StatusView {
    fn from(status: Status) -> Self {
        match status {
            Status::Healthy => Self::Healthy,
            Status::Degraded => Self::Degraded,
            Status::Unhealthy => Self::Unhealthy,
        }
    }
}
