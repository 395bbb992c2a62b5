//! What clients are told about their quota (draft-ietf-httpapi-ratelimit-headers).

use std::time::Duration;

use poem::http::header::RETRY_AFTER;
use poem::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::http::problem::ApiError;
use crate::shared::{Quota, Taken};

static RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
static RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What is left of a subject's quota after a request.
#[derive(Clone, Debug)]
pub struct Remaining {
    policy: HeaderValue,
    state: HeaderValue,
}

impl Remaining {
    /// Writes `RateLimit` and `RateLimit-Policy`.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert(RATE_LIMIT.clone(), self.state.clone());
        headers.insert(RATE_LIMIT_POLICY.clone(), self.policy.clone());
    }
}

/// How a limit is told: its name and its quota.
#[derive(Debug)]
pub(super) struct Told {
    name: &'static str,
    quota: Quota,
    policy: HeaderValue,
}

impl Told {
    pub(super) fn new(name: &'static str, quota: Quota) -> Self {
        let policy = format!("\"{name}\";q={};w={}", quota.per_minute(), Quota::WINDOW_SECONDS);
        Self { name, quota, policy: HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("0")) }
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// The outcome of a count: what is left, or 429 `too-many-requests`.
    pub(super) fn answer(&self, taken: Taken) -> Result<Remaining, ApiError> {
        match taken {
            Taken::Yes { used } => Ok(self.remaining(self.quota.left(used), seconds(used))),
            Taken::No { wait } => {
                let remaining = self.remaining(0, u64::from(Quota::WINDOW_SECONDS));
                let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests")
                    .detail(format!("At most {} requests a minute are allowed here.", self.quota.per_minute()))
                    .header(RETRY_AFTER, HeaderValue::from(seconds(wait).max(1)))
                    .header(RATE_LIMIT.clone(), remaining.state)
                    .header(RATE_LIMIT_POLICY.clone(), remaining.policy);
                Err(error)
            }
        }
    }

    fn remaining(&self, left: u32, seconds: u64) -> Remaining {
        let state = format!("\"{}\";r={left};t={seconds}", self.name);
        let state = HeaderValue::try_from(state).unwrap_or(HeaderValue::from_static("0"));
        Remaining { policy: self.policy.clone(), state }
    }
}

/// Whole seconds, rounded up.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
