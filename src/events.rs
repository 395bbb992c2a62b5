//! What happened to a user's data, and who is told of it.
//!
//! Each change writes down what it did, in its own transaction, under numbers that go on by one: the user's `data_version`.
//! So the numbers are the same on every instance, each stands for a change (which may have done nothing), and whoever knows the last one they heard of can be told
//! of all that came after it. Nothing is queued for a listener: they are woken and read from the database what is new.

mod follower;
mod seats;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::store::{EventsRow, StoreResult, Tx};

pub use follower::{Event, Events, Follower, News};
pub use seats::{FullError, SeatLimits};

/// One thing that happened: what to which thing, never what was written in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happening {
    /// Entity and participle, such as `task.completed`.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The kind of thing: `task`, `project`, `label` or `user`.
    pub entity: Cow<'static, str>,
    /// Which one.
    pub id: Uuid,
    /// The names of the fields that differ, where that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Cow<'static, str>>,
}

/// Everything that one change did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happenings {
    /// The request that did it.
    pub request_id: Cow<'static, str>,
    /// Through which edge it came: `api` or `mcp`.
    pub via: Cow<'static, str>,
    /// What happened, in order; empty when a change turned out to be none.
    pub events: Vec<Happening>,
}

impl Happenings {
    /// Writes down what a change did, in its transaction.
    ///
    /// - `number`: the user's `data_version` as the change has raised it, by one. Further events raise it further.
    pub async fn keep(&self, tx: &mut Tx<'_>, user: UserId, number: i64, now: Timestamp) -> StoreResult<()> {
        // A change that did nothing has its number too: readers take one that is missing for something they missed.
        let size = i64::try_from(self.events.len()).unwrap_or(i64::MAX).max(1);
        if size > 1 {
            tx.take_numbers(user, size - 1).await?;
        }
        let content = serde_json::json!(self).to_string();
        let row = EventsRow { version: number + size - 1, size, content, created_at: now.as_micros() };
        tx.insert_events(user, &row).await
    }
}
