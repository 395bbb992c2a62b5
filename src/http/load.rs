//! How many requests are worked on: beyond a bound they wait a moment, and then are told to come back.
//!
//! A server that takes everything answers everything late. A request takes its place after its body was read, so clients that
//! send slowly keep nobody out; health checks and metrics need none. The queues behind (connections of the database, changes
//! that wait for SQLite's writer, hashes of passwords) are bounded by it, or by themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use poem::http::StatusCode;
use poem::http::header::RETRY_AFTER;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::limits::Limits;
use super::problem::ApiError;
use crate::config::Limits as Settings;

/// How many requests may wait for each one that is worked on; more could not be worked off in the time that they may wait.
const WAITING_EACH: usize = 4;

/// What the ways in count by: requests of each, and requests at work.
#[derive(Clone)]
pub struct Counted {
    /// How often one may ask.
    pub limits: Arc<Limits>,
    /// How many are worked on.
    pub load: Arc<Load>,
}

/// Whether a request needs a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// It does.
    Counted,
    /// It is answered however busy the server is.
    Free,
}

/// The places of requests that are worked on.
#[derive(Debug)]
pub struct Load {
    places: Option<Semaphore>,
    wait: Duration,
    waiting: AtomicUsize,
    most_waiting: usize,
}

impl Load {
    /// Places as configured; 0 is no bound.
    pub fn new(settings: &Settings) -> Self {
        let most = settings.requests_at_work;
        Self {
            places: (most > 0).then(|| Semaphore::new(most)),
            wait: settings.work_wait,
            waiting: AtomicUsize::new(0),
            most_waiting: most.saturating_mul(WAITING_EACH),
        }
    }

    /// Takes a place, until what is returned is dropped.
    ///
    /// # Errors
    ///
    /// 503 `overloaded` when none is free in time.
    pub async fn enter(&self, work: Work) -> Result<Option<SemaphorePermit<'_>>, ApiError> {
        let Some(places) = self.places.as_ref().filter(|_| work == Work::Counted) else { return Ok(None) };
        if let Ok(place) = places.try_acquire() {
            return Ok(Some(place));
        }
        let _waiting = Waiting::begin(&self.waiting, self.most_waiting).ok_or_else(overloaded)?;
        match tokio::time::timeout(self.wait, places.acquire()).await {
            Ok(Ok(place)) => Ok(Some(place)),
            Ok(Err(_)) | Err(_) => Err(overloaded()),
        }
    }
}

/// One request that waits.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let begun = Self(waiting);
        (before < most).then_some(begun)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn overloaded() -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "The server is busy")
        .detail("More is asked at the moment than can be answered; try again soon.")
        .header(RETRY_AFTER, "1")
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::config::Config;

    fn load(requests_at_work: usize) -> Load {
        let mut settings = Config::default().limits;
        settings.requests_at_work = requests_at_work;
        Load::new(&settings)
    }

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_place_in_time_is_told_so() {
        let load = load(1);
        let place = load.enter(Work::Counted).await.unwrap();
        let start = Instant::now();

        let refused = load.enter(Work::Counted).await.unwrap_err();

        assert_eq!((refused.status(), refused.kind()), (StatusCode::SERVICE_UNAVAILABLE, "overloaded"));
        assert_eq!(start.elapsed(), load.wait);
        assert!(load.enter(Work::Free).await.is_ok());
        drop(place);
        assert!(load.enter(Work::Counted).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_becomes_free_goes_to_who_waits() {
        let load = load(1);
        let place = load.enter(Work::Counted).await.unwrap();

        let (entered, ()) = tokio::join!(load.enter(Work::Counted), async {
            tokio::time::sleep(load.wait / 2).await;
            drop(place);
        });

        assert!(entered.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_those_who_may_wait_nobody_does() {
        let load = load(2);
        let _places = (load.enter(Work::Counted).await.unwrap(), load.enter(Work::Counted).await.unwrap());
        let start = Instant::now();

        let all = futures_util::future::join_all((0..20).map(|_| async {
            let refused = load.enter(Work::Counted).await.is_err();
            (refused, start.elapsed())
        }));
        let all = all.await;

        assert!(all.iter().all(|(refused, _)| *refused));
        assert_eq!(all.iter().filter(|(_, after)| after.is_zero()).count(), 20 - 2 * WAITING_EACH);
        assert_eq!(load.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn zero_is_no_bound() {
        let load = load(0);

        assert!(load.enter(Work::Counted).await.unwrap().is_none());
    }
}
