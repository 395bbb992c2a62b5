//! Fetching, but not so much that somebody could have this server annoy another.

use std::sync::Arc;

use async_trait::async_trait;
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;
use url::Url;

use super::fetch::{FetchError, Fetched, Fetcher};
use crate::clock::Clock;

/// Fetches at the same time.
const AT_ONCE: usize = 16;
/// Fetches a minute from one host.
const PER_HOST: u32 = 30;
/// Hosts whose fetches are counted.
const HOSTS: usize = 4096;

/// Passes on what stays within the limits.
pub(super) struct Frugal {
    fetcher: Arc<dyn Fetcher>,
    clock: Clock,
    per_host: Cache<String, (i64, u32)>,
    permits: Semaphore,
}

impl Frugal {
    pub(super) fn new(fetcher: Arc<dyn Fetcher>, clock: Clock) -> Self {
        Self { fetcher, clock, per_host: Cache::new(HOSTS), permits: Semaphore::new(AT_ONCE) }
    }
}

#[async_trait]
impl Fetcher for Frugal {
    async fn fetch(&self, url: &Url, most_bytes: usize) -> Result<Fetched, FetchError> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let minute = self.clock.now().as_seconds().div_euclid(60);
        let count = self.per_host.get(&host).filter(|(then, _)| *then == minute).map_or(0, |(_, count)| count);
        if count >= PER_HOST {
            return Err(FetchError::Busy);
        }
        self.per_host.insert(host, (minute, count + 1));
        let _permit = self.permits.try_acquire().map_err(|_| FetchError::Busy)?;
        self.fetcher.fetch(url, most_bytes).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Timestamp;

    struct Nothing;

    #[async_trait]
    impl Fetcher for Nothing {
        async fn fetch(&self, _: &Url, _: usize) -> Result<Fetched, FetchError> {
            Err(FetchError::Status(404))
        }
    }

    #[tokio::test]
    async fn one_host_is_asked_thirty_times_a_minute_at_most() {
        let clock = Clock::fixed(Timestamp::from_micros(0));
        let frugal = Frugal::new(Arc::new(Nothing), clock.clone());
        let ask = |url: &'static str| {
            let frugal = &frugal;
            async move { frugal.fetch(&Url::parse(url).unwrap(), 1).await.unwrap_err() }
        };
        for _ in 0..PER_HOST {
            assert_eq!(ask("https://a.example/x").await, FetchError::Status(404));
        }

        assert_eq!(ask("https://a.example/y").await, FetchError::Busy);
        assert_eq!(ask("https://b.example/y").await, FetchError::Status(404));
        clock.advance(Duration::from_mins(1));
        assert_eq!(ask("https://a.example/y").await, FetchError::Status(404));
    }
}
