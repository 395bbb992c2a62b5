//! Which duties fail or are late.

use std::time::Duration;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::store::duties::DutyRecord;
use crate::store::{Store, StoreResult};

/// How long after its time a duty is late: longer than a dead instance's lease and a look take.
const GRACE: Duration = Duration::from_mins(5);
/// How often in a row a duty may fail before operators hear of it.
const TOLERATED: i64 = 2;

/// A duty that an operator should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attention {
    /// Its name.
    pub duty: String,
    /// How often it failed since it last succeeded.
    pub failures: i64,
    /// Since when it should have been done.
    pub late_since: Option<Timestamp>,
    /// When it last succeeded.
    pub last_success_at: Option<Timestamp>,
}

/// The duties that fail again and again, or that nobody does.
pub async fn standing(store: &Store, now: Timestamp) -> StoreResult<Vec<Attention>> {
    Ok(store.list_duties().await?.into_iter().filter_map(|duty| attention(duty, now)).collect())
}

fn attention(duty: DutyRecord, now: Timestamp) -> Option<Attention> {
    let due_at = Timestamp::from_micros(duty.due_at);
    // Who has it renews the lease; one that ended is nobody's.
    let held = duty.lease_until.is_some_and(|until| until > now.as_micros());
    let late_since = (!held && due_at.plus(GRACE) < now).then_some(due_at);
    (late_since.is_some() || duty.failures > TOLERATED).then(|| Attention {
        duty: duty.name,
        failures: duty.failures,
        late_since,
        last_success_at: duty.last_success_at.map(Timestamp::from_micros),
    })
}
