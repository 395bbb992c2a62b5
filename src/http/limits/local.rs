//! Counting in memory, by this process alone.

use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota as GovernorQuota, RateLimiter};

use super::class::Subject;
use crate::clock::{Clock, Timestamp};
use crate::shared::{Quota, Taken};

type Keyed = RateLimiter<Subject, DashMapStateStore<Subject>, Monotonic, StateInformationMiddleware>;

/// The counts of one limit.
pub(super) struct Local {
    quota: Quota,
    limiter: Keyed,
}

impl Local {
    pub(super) fn new(quota: Quota, clock: &Clock) -> Self {
        let clock = Monotonic { clock: clock.clone(), start: clock.now() };
        let limiter = RateLimiter::dashmap_with_clock(GovernorQuota::per_minute(quota.count()), clock);
        Self { quota, limiter: limiter.with_middleware() }
    }

    /// Counts one request.
    pub(super) fn take(&self, subject: Subject) -> Taken {
        match self.limiter.check_key(&subject) {
            Ok(state) => Taken::Yes { used: self.quota.used(state.remaining_burst_capacity()) },
            Err(refused) => Taken::No { wait: refused.wait_time_from(self.limiter.clock().now()) },
        }
    }

    /// Forgets subjects whose quota is whole again.
    pub(super) fn forget_the_idle(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.limiter.len()
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
