//! Time: the [`Timestamp`] that everything stores, and the [`Clock`] that alone reads the system's time.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment, in microseconds since 1970-01-01T00:00:00Z: what both databases keep exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first moment the product accepts: 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self(0);
    /// The last moment the product accepts: 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// Makes a timestamp from microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down, as JWT claims count.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The same moment for calendar arithmetic; moments outside chrono's range are clamped.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }

    /// The moment `duration` later, clamped at the end of the range.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The moment `duration` earlier, clamped at the beginning of the range.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment.timestamp_micros())
    }
}

/// RFC 3339 in UTC with `Z`; a fraction only where there is one.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DateTime::<Utc>::deserialize(deserializer).map(Self::from)
    }
}

/// The only reader of the system's time; tests hold one that they move by hand.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The system's clock.
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock that stands at `moment` until it is moved; clones share it.
    pub fn fixed(moment: Timestamp) -> Self {
        Self(Some(Arc::new(AtomicI64::new(moment.0))))
    }

    /// The present moment.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's time")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            None => Timestamp::from(Utc::now()),
            Some(moment) => Timestamp(moment.load(Ordering::SeqCst)),
        }
    }

    /// Moves a fixed clock forward; the system's clock cannot be moved and stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Some(moment) = &self.0 {
            moment.store(self.now().plus(by).0, Ordering::SeqCst);
        }
    }

    /// Sets a fixed clock; the system's clock cannot be set and stays as it is.
    pub fn set(&self, to: Timestamp) {
        if let Some(moment) = &self.0 {
            moment.store(to.0, Ordering::SeqCst);
        }
    }
}
