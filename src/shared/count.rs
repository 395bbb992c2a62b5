//! The generic cell rate algorithm, as governor counts in memory, in one script.

use std::num::NonZeroU32;
use std::sync::LazyLock;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script};

/// How many requests a minute there may be, all at once if need be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota(NonZeroU32);

/// Whether a request was within its quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was; `used` is how long it takes until the whole quota is there again.
    Yes {
        /// Until nothing of the quota is used any more.
        used: Duration,
    },
    /// It was not, and nothing was counted.
    No {
        /// Until the next one is.
        wait: Duration,
    },
}

impl Quota {
    /// The window of every quota, in seconds.
    pub const WINDOW_SECONDS: u32 = 60;

    /// A quota; `None` for 0, which stands for no limit.
    pub const fn new(per_minute: u32) -> Option<Self> {
        match NonZeroU32::new(per_minute) {
            Some(count) => Some(Self(count)),
            None => None,
        }
    }

    /// Requests a minute.
    pub const fn per_minute(self) -> u32 {
        self.0.get()
    }

    /// The same, never 0.
    pub const fn count(self) -> NonZeroU32 {
        self.0
    }

    /// How long it takes until what is used is there again, when `left` requests are left.
    pub fn used(self, left: u32) -> Duration {
        let used = self.per_minute().saturating_sub(left);
        Duration::from_secs(u64::from(Self::WINDOW_SECONDS)).mul_f64(f64::from(used) / f64::from(self.per_minute()))
    }

    /// How many requests are left when it takes `used` until the quota is whole again.
    pub fn left(self, used: Duration) -> u32 {
        let window = u128::from(Self::WINDOW_SECONDS) * 1_000_000;
        // Rounded up: a request that is half given back cannot be asked yet.
        let used = (used.as_micros() * u128::from(self.per_minute())).div_ceil(window);
        self.per_minute().saturating_sub(u32::try_from(used).unwrap_or(u32::MAX))
    }

    /// How long one request takes to be given back, in microseconds.
    fn cell(self) -> u64 {
        (u64::from(Self::WINDOW_SECONDS) * 1_000_000 / u64::from(self.per_minute())).max(1)
    }
}

/// `KEYS[1]` holds the moment at which the whole quota is there again (the theoretical arrival time), in microseconds; it
/// expires then. `ARGV[1]` microseconds a request, `ARGV[2]` requests at once. Answers whether the request is within the
/// quota, and microseconds: until the quota is whole, or until the next request is.
///
/// The time is the server's own: instances' clocks differ, and what one took would be too early or too late for another. A
/// moment further away than a whole quota can only come from another clock (a replica that took over), and counts as that.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local cell, most = tonumber(ARGV[1]), tonumber(ARGV[2])
        local whole = tonumber(redis.call('GET', KEYS[1]) or '0')
        whole = math.min(math.max(whole, now), now + cell * most)
        local used = whole + cell - now
        if used > cell * most then
            return {0, used - cell * most}
        end
        redis.call('SET', KEYS[1], string.format('%.0f', now + used), 'PX', math.ceil(used / 1000))
        return {1, used}
        ",
    )
});

/// Counts one request.
pub(super) async fn take(connection: &MultiplexedConnection, key: &str, quota: Quota) -> RedisResult<Taken> {
    let mut connection = connection.clone();
    let mut script = TAKE.prepare_invoke();
    script.key(key).arg(quota.cell()).arg(quota.per_minute());
    let (allowed, micros): (u8, u64) = script.invoke_async(&mut connection).await?;
    let duration = Duration::from_micros(micros);
    Ok(if allowed == 1 { Taken::Yes { used: duration } } else { Taken::No { wait: duration } })
}

/// Makes the server know the script, so that a first request need not bring it.
pub(super) async fn prepare(connection: &mut MultiplexedConnection) -> RedisResult<()> {
    TAKE.load_async(connection).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_and_what_is_used_belong_together() {
        for per_minute in [1, 2, 3, 7, 10, 100, 999, 1_000_000] {
            let quota = Quota::new(per_minute).unwrap();
            for left in [0, 1, per_minute / 2, per_minute - 1, per_minute] {
                let left = left.min(per_minute);
                assert_eq!(quota.left(quota.used(left)), left, "{left} of {per_minute}");
            }
            assert_eq!(quota.left(Duration::from_micros(quota.cell())), per_minute - 1);
        }
        assert_eq!(Quota::new(0), None);
    }
}
