//! Rate limits: how often a user, or an address before sign-in, may ask (draft-ietf-httpapi-ratelimit-headers).

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use poem::http::header::RETRY_AFTER;
use poem::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use uuid::Uuid;

use super::problem::ApiError;
use crate::clock::{Clock, Timestamp};
use crate::config::Limits as Settings;
use crate::observe::metrics::{ClassMetrics, Counted, LimitMetrics};

static RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
static RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The window of every quota, in seconds.
const WINDOW: u32 = 60;
/// How many times an address's quota for sign-in a client has at the token endpoint.
const CLIENT_SHARE: u32 = 60;

/// How requests to a path are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Not at all: health checks and pages.
    Exempt,
    /// By address, strictly: whoever asks here has a password or token to guess.
    SignIn,
    /// By client of the token endpoint, whose one address may speak for many people.
    Client,
    /// By user.
    General,
}

/// The class of a route pattern.
pub fn class_of(pattern: &str) -> Class {
    const SIGN_IN: [&str; 4] = ["/api/auth/register", "/api/auth/login", "/api/auth/refresh", "/api/auth/verify-email"];
    if pattern == "/metrics" || pattern == "/health" || pattern.starts_with("/health/") {
        Class::Exempt
    } else if SIGN_IN.contains(&pattern)
        || pattern.starts_with("/api/auth/password/")
        || pattern.starts_with("/api/auth/passkeys/sign-in")
        || pattern == "/api/auth/passkeys/registration"
    {
        Class::SignIn
    } else {
        Class::General
    }
}

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A user, whichever credential they use.
    User(Uuid),
    /// A client.
    Client(Uuid),
    /// An address; of IPv6 the network of 64 bits, which one household or attacker has whole.
    Address(Option<IpAddr>),
}

impl Subject {
    /// The subject of an address.
    pub fn address(address: Option<IpAddr>) -> Self {
        Self::Address(address.map(|address| match address.to_canonical() {
            IpAddr::V6(six) => IpAddr::V6((six.to_bits() >> 64 << 64).into()),
            four @ IpAddr::V4(_) => four,
        }))
    }
}

type Keyed = RateLimiter<Subject, DashMapStateStore<Subject>, Monotonic, StateInformationMiddleware>;

/// The limits of the server, counted in memory.
pub struct Limits {
    general: Option<Limit>,
    sign_in: Option<Limit>,
    client: Option<Limit>,
}

struct Limit {
    name: &'static str,
    per_minute: u32,
    policy: HeaderValue,
    limiter: Keyed,
    metrics: ClassMetrics,
}

/// What is left of a subject's quota after a request.
#[derive(Clone, Debug)]
pub struct Remaining {
    policy: HeaderValue,
    state: HeaderValue,
}

impl Limits {
    /// Limits as configured; time comes from `clock`.
    pub fn new(settings: &Settings, clock: &Clock) -> Self {
        Self {
            general: Limit::new("default", settings.rate_per_minute, clock),
            sign_in: Limit::new("sign-in", settings.auth_rate_per_minute, clock),
            client: Limit::new("client", settings.auth_rate_per_minute.saturating_mul(CLIENT_SHARE), clock),
        }
    }

    /// Counts its decisions in `metrics` from now on.
    #[must_use]
    pub fn counting(mut self, metrics: &LimitMetrics) -> Self {
        for limit in [&mut self.general, &mut self.sign_in, &mut self.client].into_iter().flatten() {
            limit.metrics = metrics.class(limit.name);
        }
        self
    }

    /// Counts one request; `None` where there is no limit.
    ///
    /// # Errors
    ///
    /// 429 `too-many-requests` when the quota is used up.
    pub fn count(&self, class: Class, subject: Subject) -> Result<Option<Remaining>, ApiError> {
        let limit = match class {
            Class::Exempt => None,
            Class::SignIn => self.sign_in.as_ref(),
            Class::Client => self.client.as_ref(),
            Class::General => self.general.as_ref(),
        };
        limit.map(|limit| limit.count(subject)).transpose()
    }

    /// Forgets subjects whose quota is whole again; housekeeping calls it so that memory stays bounded.
    pub fn forget_the_idle(&self) {
        for limit in [&self.general, &self.sign_in, &self.client].into_iter().flatten() {
            limit.limiter.retain_recent();
            limit.limiter.shrink_to_fit();
        }
    }
}

impl Limit {
    fn new(name: &'static str, per_minute: u32, clock: &Clock) -> Option<Self> {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute)?);
        let policy = HeaderValue::try_from(format!("\"{name}\";q={per_minute};w={WINDOW}")).ok()?;
        let clock = Monotonic { clock: clock.clone(), start: clock.now() };
        let limiter = RateLimiter::dashmap_with_clock(quota, clock).with_middleware();
        Some(Self { name, per_minute, policy, limiter, metrics: LimitMetrics::default().class(name) })
    }

    fn count(&self, subject: Subject) -> Result<Remaining, ApiError> {
        match self.limiter.check_key(&subject) {
            Ok(left) => {
                self.metrics.allowed(Counted::Here);
                let left = left.remaining_burst_capacity();
                Ok(self
                    .remaining(left, seconds_to_refill(self.per_minute - left.min(self.per_minute), self.per_minute)))
            }
            Err(refused) => {
                self.metrics.refused(Counted::Here);
                let wait = refused.wait_time_from(self.limiter.clock().now());
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                let remaining = self.remaining(0, WINDOW);
                let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests")
                    .detail(format!("At most {} requests a minute are allowed here.", self.per_minute))
                    .header(RETRY_AFTER, HeaderValue::from(seconds.max(1)))
                    .header(RATE_LIMIT.clone(), remaining.state)
                    .header(RATE_LIMIT_POLICY.clone(), remaining.policy);
                Err(error)
            }
        }
    }

    fn remaining(&self, left: u32, seconds: u32) -> Remaining {
        let state = format!("\"{}\";r={left};t={seconds}", self.name);
        let state = HeaderValue::try_from(state).unwrap_or(HeaderValue::from_static("0"));
        Remaining { policy: self.policy.clone(), state }
    }
}

/// Seconds until `used` requests are given back, at `per_minute` a minute, rounded up.
fn seconds_to_refill(used: u32, per_minute: u32) -> u32 {
    let seconds = (u64::from(used) * u64::from(WINDOW)).div_ceil(u64::from(per_minute.max(1)));
    u32::try_from(seconds).unwrap_or(WINDOW)
}

impl Remaining {
    /// Writes `RateLimit` and `RateLimit-Policy`.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert(RATE_LIMIT.clone(), self.state.clone());
        headers.insert(RATE_LIMIT_POLICY.clone(), self.policy.clone());
    }
}

/// The server's clock as governor sees it: the time since the start, never before it.
#[derive(Clone, Debug)]
struct Monotonic {
    clock: Clock,
    start: Timestamp,
}

impl GovernorClock for Monotonic {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let micros = self.clock.now().as_micros().saturating_sub(self.start.as_micros());
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Subject = Subject::Address(None);

    fn limits(general: u32, sign_in: u32) -> (Limits, Clock) {
        let clock = Clock::fixed(Timestamp::from_micros(1_000_000_000));
        (Limits::new(&Settings { rate_per_minute: general, auth_rate_per_minute: sign_in }, &clock), clock)
    }

    fn state(remaining: Option<Remaining>) -> String {
        let mut headers = HeaderMap::new();
        remaining.unwrap().write(&mut headers);
        format!("{} of {}", headers["ratelimit"].to_str().unwrap(), headers["ratelimit-policy"].to_str().unwrap())
    }

    #[test]
    fn a_quota_is_used_up_and_comes_back_with_time() {
        let (limits, clock) = limits(100, 2);

        let first = limits.count(Class::SignIn, ADDRESS).unwrap();
        limits.count(Class::SignIn, ADDRESS).unwrap();
        let refused = limits.count(Class::SignIn, ADDRESS).unwrap_err().to_response(None);

        assert_eq!(state(first), r#""sign-in";r=1;t=30 of "sign-in";q=2;w=60"#);
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.headers()["retry-after"], "30");
        assert_eq!(refused.headers()["ratelimit"], r#""sign-in";r=0;t=60"#);
        clock.advance(Duration::from_secs(30));
        limits.count(Class::SignIn, ADDRESS).unwrap();
    }

    #[test]
    fn everyone_has_their_own_quota_and_zero_is_no_limit() {
        let (limits, _clock) = limits(0, 1);

        let mine = Subject::address(Some("10.0.0.1".parse().unwrap()));
        assert!(limits.count(Class::SignIn, mine).unwrap().is_some());
        assert!(limits.count(Class::SignIn, ADDRESS).is_ok());
        assert!(limits.count(Class::SignIn, mine).is_err());
        assert!(limits.count(Class::General, mine).unwrap().is_none());
        assert!(limits.count(Class::Exempt, mine).unwrap().is_none());
    }

    #[test]
    fn a_client_has_sixty_times_the_quota_of_an_address() {
        let (limits, _clock) = limits(0, 1);
        let client = Subject::Client(Uuid::from_u128(1));

        for _ in 0..60 {
            limits.count(Class::Client, client).unwrap();
        }

        assert!(limits.count(Class::Client, client).is_err());
        assert!(limits.count(Class::Client, Subject::Client(Uuid::from_u128(2))).is_ok());
    }

    #[test]
    fn neighbours_in_one_ipv6_network_are_counted_together() {
        let address = |text: &str| Subject::address(Some(text.parse().unwrap()));

        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:2"));
        assert_ne!(address("2001:db8:0:1::1"), address("2001:db8::1"));
        assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
    }

    #[test]
    fn who_stays_away_is_forgotten() {
        let (limits, clock) = limits(10, 10);
        limits.count(Class::General, ADDRESS).unwrap();

        clock.advance(Duration::from_mins(2));
        limits.forget_the_idle();

        assert_eq!(limits.general.as_ref().map(|limit| limit.limiter.len()), Some(0));
    }
}
