//! Rate limits: how often a user, or an address before sign-in, may ask.
//!
//! Counted by the generic cell rate algorithm: in Redis, for all instances together, when there is one and it answers; else in
//! memory, by this process alone. Both count all the time, so that a quota is not given anew when Redis goes away.

mod answer;
mod class;
mod local;

use std::sync::{Arc, OnceLock};

pub use self::answer::Remaining;
use self::answer::Told;
pub(super) use self::class::network;
pub use self::class::{Class, Subject, class_of};
use self::local::Local;
use super::problem::ApiError;
use crate::clock::Clock;
use crate::config::Limits as Settings;
use crate::observe::metrics::{ClassMetrics, Counted, LimitMetrics};
use crate::shared::{Quota, Shared, Taken};

/// How many times an address's quota for sign-in a client has at the token endpoint, unless it has one of its own.
const CLIENT_SHARE: u32 = 60;

/// The limits of the server.
pub struct Limits {
    classes: Classes,
    shared: Option<Arc<Shared>>,
    metrics: Option<LimitMetrics>,
}

/// The limit of each class; classes without a quota of their own are counted with another.
struct Classes {
    general: Option<Arc<Limit>>,
    mcp: Option<Arc<Limit>>,
    transfer: Option<Arc<Limit>>,
    page: Option<Arc<Limit>>,
    sign_in: Option<Arc<Limit>>,
    token: Option<Arc<Limit>>,
    registration: Option<Arc<Limit>>,
    client: Option<Arc<Limit>>,
}

struct Limit {
    told: Told,
    quota: Quota,
    local: Local,
    metrics: OnceLock<ClassMetrics>,
}

impl Limits {
    /// Limits as configured, counted in memory; time comes from `clock`.
    pub fn new(settings: &Settings, clock: &Clock) -> Self {
        let limit = |name, per_minute| Quota::new(per_minute).map(|quota| Arc::new(Limit::new(name, quota, clock)));
        let own = |name, per_minute: Option<u32>, other: &Option<Arc<Limit>>| match per_minute {
            Some(per_minute) => limit(name, per_minute),
            None => other.clone(),
        };
        let general = limit("default", settings.rate_per_minute);
        let sign_in = limit("sign-in", settings.auth_rate_per_minute);
        let client = settings.auth_rate_per_minute.saturating_mul(CLIENT_SHARE);
        let classes = Classes {
            mcp: own("mcp", settings.mcp_rate_per_minute, &general),
            transfer: own("transfer", settings.transfer_rate_per_minute, &general),
            page: own("page", settings.page_rate_per_minute, &general),
            token: own("token", settings.token_rate_per_minute, &sign_in),
            registration: own("registration", settings.registration_rate_per_minute, &sign_in),
            client: limit("client", settings.client_rate_per_minute.unwrap_or(client)),
            general,
            sign_in,
        };
        Self { classes, shared: None, metrics: None }
    }

    /// The same, counted for all instances together.
    #[must_use]
    pub fn shared_through(mut self, shared: Option<Arc<Shared>>) -> Self {
        self.shared = shared;
        self
    }

    /// Counts its decisions in `metrics` from now on.
    #[must_use]
    pub fn counting(mut self, metrics: &LimitMetrics) -> Self {
        for limit in self.classes.all() {
            // A class that is counted with another has been here before.
            let _ = limit.metrics.set(metrics.class(limit.told.name()));
        }
        self.metrics = Some(metrics.clone());
        self
    }

    /// Counts one request; `None` where there is no limit.
    ///
    /// # Errors
    ///
    /// 429 `too-many-requests` when the quota is used up.
    pub async fn count(&self, class: Class, subject: Subject) -> Result<Option<Remaining>, ApiError> {
        let Some(limit) = self.classes.of(class) else { return Ok(None) };
        let mut taken = limit.local.take(subject);
        let mut counted = Counted::Here;
        if let Some(shared) = &self.shared {
            if let Some(everywhere) = shared.take(limit.told.name(), &subject.to_bytes(), limit.quota).await {
                taken = everywhere;
                counted = Counted::InRedis;
            }
            if let Some(metrics) = &self.metrics {
                metrics.set_fallback(counted == Counted::Here);
            }
        }
        limit.note(taken, counted);
        limit.told.answer(taken).map(Some)
    }

    /// Forgets subjects whose quota is whole again; housekeeping calls it so that memory stays bounded.
    pub fn forget_the_idle(&self) {
        for limit in self.classes.all() {
            limit.local.forget_the_idle();
        }
    }
}

impl Classes {
    /// Every limit; those that several classes share more than once.
    fn all(&self) -> impl Iterator<Item = &Limit> {
        let Self { general, mcp, transfer, page, sign_in, token, registration, client } = self;
        [general, mcp, transfer, page, sign_in, token, registration, client].into_iter().filter_map(Option::as_deref)
    }

    fn of(&self, class: Class) -> Option<&Limit> {
        let limit = match class {
            Class::Exempt => return None,
            Class::General => &self.general,
            Class::Mcp => &self.mcp,
            Class::Transfer => &self.transfer,
            Class::Page => &self.page,
            Class::SignIn => &self.sign_in,
            Class::Token => &self.token,
            Class::Registration => &self.registration,
            Class::Client => &self.client,
        };
        limit.as_deref()
    }
}

impl Limit {
    fn new(name: &'static str, quota: Quota, clock: &Clock) -> Self {
        Self { told: Told::new(name, quota), quota, local: Local::new(quota, clock), metrics: OnceLock::new() }
    }

    /// Counts a decision for who looks on.
    fn note(&self, taken: Taken, counted: Counted) {
        let Some(metrics) = self.metrics.get() else { return };
        match taken {
            Taken::Yes { .. } => metrics.allowed(counted),
            Taken::No { .. } => metrics.refused(counted),
        }
    }
}

#[cfg(test)]
mod tests;
