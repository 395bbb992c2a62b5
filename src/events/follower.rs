//! Those who listen, and what is new for them.

use std::sync::Arc;

use uuid::Uuid;

use super::seats::{Seat, Seats};
use super::{FullError, Happening, Happenings, SeatLimits};
use crate::clock::Timestamp;
use crate::ids::{TaskId, UserId};
use crate::store::{EventsRow, Store, StoreError, StoreResult, Wake};
use crate::tasks::Task;

/// The most changes that are read at once: what a listener holds is bounded by it.
const ROWS: i64 = 16;

/// One event of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number.
    pub number: i64,
    /// What happened.
    pub what: Happening,
    /// When.
    pub at: Timestamp,
    /// The request that did it.
    pub request_id: Arc<str>,
    /// Through which edge it came: `api` or `mcp`.
    pub via: Arc<str>,
}

/// What there is after a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// These events, and the number up to which they tell everything.
    Events(Vec<Event>, i64),
    /// What came after the number is not known any more: whoever listens must look at everything anew.
    Gap,
}

/// Lets people listen.
#[derive(Clone, Debug)]
pub struct Events {
    store: Store,
    seats: Seats,
}

/// Somebody who listens for one user's events, and the place they have; given up when dropped.
#[derive(Debug)]
pub struct Follower {
    store: Store,
    user: UserId,
    wake: Wake,
    _seat: Seat,
}

impl Events {
    /// Events out of `store`, for so many listeners.
    pub fn new(store: Store, limits: SeatLimits) -> Self {
        Self { store, seats: Seats::new(limits) }
    }

    /// Begins to listen for a user.
    ///
    /// # Errors
    ///
    /// [`FullError`] when too many do.
    pub fn follow(&self, user: UserId) -> Result<Follower, FullError> {
        let seat = self.seats.take(user)?;
        Ok(Follower { store: self.store.clone(), user, wake: self.store.wait_for(user), _seat: seat })
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.seats.count()
    }
}

impl Follower {
    /// Done when something may have happened since the last time. Now and then something does that wakes nobody, so look
    /// once in a while without it.
    pub async fn woken(&mut self) {
        self.wake.woken().await;
    }

    /// What happened after number `after`, in pieces: the rest comes when asked again. `present` is the number that the
    /// user's data has reached by now, or had reached shortly before.
    pub async fn read(&self, after: i64, present: i64) -> StoreResult<News> {
        if after == present {
            return Ok(News::Events(Vec::new(), after));
        }
        if after > present {
            return Ok(News::Gap);
        }
        let rows = self.store.list_events(self.user, after, ROWS).await?;
        unfold(rows, after)
    }

    /// Those of the user's tasks that are not deleted, as they are now.
    pub async fn find_tasks(&self, ids: &[TaskId]) -> StoreResult<Vec<Task>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut tasks = self.store.find_tasks(self.user, ids).await?;
        tasks.retain(|task| task.deleted_at.is_none());
        Ok(tasks)
    }
}

/// The events in rows that follow each other without a gap; the first begins at `after` or before it.
fn unfold(rows: Vec<EventsRow>, after: i64) -> StoreResult<News> {
    let (mut events, mut upto) = (Vec::new(), after);
    for row in rows {
        let before = row.version - row.size;
        if before > upto {
            break;
        }
        let unreadable = |_| StoreError::corrupt("content", Uuid::nil());
        let Happenings { request_id, via, events: happened } =
            serde_json::from_str(&row.content).map_err(unreadable)?;
        let (request_id, via) = (Arc::<str>::from(request_id), Arc::<str>::from(via));
        let at = Timestamp::from_micros(row.created_at);
        let numbered = (before + 1..).zip(happened).filter(|(number, _)| *number > after);
        events.extend(numbered.map(|(number, what)| Event {
            number,
            what,
            at,
            request_id: Arc::clone(&request_id),
            via: Arc::clone(&via),
        }));
        upto = row.version;
    }
    // Nothing at all after a number that is not the last one: it was forgotten, or never written.
    Ok(if upto == after { News::Gap } else { News::Events(events, upto) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(version: i64, size: i64, kinds: &[&'static str]) -> EventsRow {
        let events = kinds.iter().map(|kind| Happening {
            kind: (*kind).into(),
            entity: "task".into(),
            id: Uuid::from_u128(7),
            fields: Vec::new(),
        });
        let content = Happenings { request_id: "r".into(), via: "api".into(), events: events.collect() };
        EventsRow { version, size, content: serde_json::json!(content).to_string(), created_at: 0 }
    }

    fn numbers(rows: Vec<EventsRow>, after: i64) -> Option<(Vec<i64>, i64)> {
        match unfold(rows, after).unwrap() {
            News::Events(events, upto) => Some((events.iter().map(|event| event.number).collect(), upto)),
            News::Gap => None,
        }
    }

    #[test]
    fn whoever_left_in_the_middle_of_a_change_goes_on_in_the_middle() {
        let rows = vec![row(3, 3, &["a", "b", "c"]), row(4, 1, &[]), row(5, 1, &["d"])];

        assert_eq!(numbers(rows.clone(), 0), Some((vec![1, 2, 3, 5], 5)));
        assert_eq!(numbers(rows.clone(), 1), Some((vec![2, 3, 5], 5)));
        assert_eq!(numbers(rows[1..].to_vec(), 3), Some((vec![5], 5)));
    }

    #[test]
    fn a_number_that_is_missing_is_a_gap_and_what_comes_before_it_is_told() {
        let rows = vec![row(2, 1, &["a"]), row(4, 1, &["b"])];

        assert_eq!(numbers(rows.clone(), 1), Some((vec![2], 2)));
        assert_eq!(numbers(rows[1..].to_vec(), 2), None);
        assert_eq!(numbers(Vec::new(), 2), None);
    }
}
