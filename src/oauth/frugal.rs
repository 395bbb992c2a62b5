//! Fetching, but not so much that somebody could have this server annoy another, or keep others from being served.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use quick_cache::sync::Cache;
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use super::fetch::{FetchError, Fetched, Fetcher};
use crate::clock::Clock;

/// Fetches at the same time.
const AT_ONCE: usize = 64;
/// Those of them from one host: a slow one leaves room for the others.
const AT_ONCE_PER_HOST: usize = 4;
/// How long a fetch waits for its turn.
const PATIENCE: Duration = Duration::from_secs(2);
/// Fetches a minute from one host: more than one address may ask of this server in that time, so that nobody uses up
/// what is there for all.
const PER_HOST: u32 = 300;
/// Hosts whose fetches are counted.
const HOSTS: usize = 4096;

/// Passes on what stays within the limits.
pub(super) struct Frugal {
    fetcher: Arc<dyn Fetcher>,
    clock: Clock,
    hosts: Cache<String, Arc<Host>>,
    permits: Semaphore,
}

/// What was asked of one host.
struct Host {
    /// In which minute, and how often.
    asked: Mutex<(i64, u32)>,
    permits: Semaphore,
}

impl Frugal {
    pub(super) fn new(fetcher: Arc<dyn Fetcher>, clock: Clock) -> Self {
        Self { fetcher, clock, hosts: Cache::new(HOSTS), permits: Semaphore::new(AT_ONCE) }
    }

    fn host(&self, url: &Url) -> Arc<Host> {
        let name = url.host_str().unwrap_or_default();
        let new = || Arc::new(Host { asked: Mutex::default(), permits: Semaphore::new(AT_ONCE_PER_HOST) });
        let host = self.hosts.get_or_insert_with::<_, Infallible>(name, || Ok(new()));
        host.unwrap_or_else(|never| match never {})
    }
}

impl Host {
    /// Counts a fetch, unless there were too many in this minute.
    fn count(&self, minute: i64) -> Result<(), FetchError> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let count = if asked.0 == minute { asked.1 } else { 0 };
        if count >= PER_HOST {
            return Err(FetchError::Busy);
        }
        *asked = (minute, count + 1);
        Ok(())
    }
}

/// Waits for a place, but not for ever.
async fn wait(permits: &Semaphore) -> Result<SemaphorePermit<'_>, FetchError> {
    let place = tokio::time::timeout(PATIENCE, permits.acquire()).await;
    place.ok().and_then(Result::ok).ok_or(FetchError::Busy)
}

#[async_trait]
impl Fetcher for Frugal {
    async fn fetch(&self, url: &Url, most_bytes: usize) -> Result<Fetched, FetchError> {
        let host = self.host(url);
        host.count(self.clock.now().as_seconds().div_euclid(60))?;
        // The host's own places first: who waits for a slow host holds nothing that others need.
        let _own = wait(&host.permits).await?;
        let _permit = wait(&self.permits).await?;
        self.fetcher.fetch(url, most_bytes).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Timestamp;

    /// Answers at once, but for `https://slow.example`.
    struct Nothing;

    #[async_trait]
    impl Fetcher for Nothing {
        async fn fetch(&self, url: &Url, _: usize) -> Result<Fetched, FetchError> {
            if url.host_str() == Some("slow.example") {
                std::future::pending::<()>().await;
            }
            Err(FetchError::Status(404))
        }
    }

    async fn ask(frugal: &Frugal, url: &str) -> FetchError {
        frugal.fetch(&Url::parse(url).unwrap(), 1).await.unwrap_err()
    }

    #[tokio::test]
    async fn one_host_is_asked_so_often_a_minute_at_most() {
        let clock = Clock::fixed(Timestamp::from_micros(0));
        let frugal = Frugal::new(Arc::new(Nothing), clock.clone());
        for _ in 0..PER_HOST {
            assert_eq!(ask(&frugal, "https://a.example/x").await, FetchError::Status(404));
        }

        assert_eq!(ask(&frugal, "https://a.example/y").await, FetchError::Busy);
        assert_eq!(ask(&frugal, "https://b.example/y").await, FetchError::Status(404));
        clock.advance(Duration::from_mins(1));
        assert_eq!(ask(&frugal, "https://a.example/y").await, FetchError::Status(404));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_host_keeps_nobody_from_others() {
        let frugal = Frugal::new(Arc::new(Nothing), Clock::fixed(Timestamp::from_micros(0)));
        let slow = (0..100).map(|_| ask(&frugal, "https://slow.example/x"));
        let mut slow = std::pin::pin!(futures_util::future::join_all(slow));
        assert!(futures_util::poll!(&mut slow).is_pending());

        assert_eq!(ask(&frugal, "https://a.example/x").await, FetchError::Status(404));
        assert_eq!(ask(&frugal, "https://slow.example/y").await, FetchError::Busy, "not waited for");
    }
}
