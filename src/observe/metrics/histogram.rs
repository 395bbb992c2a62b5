//! A histogram that many threads may add to without waiting for each other.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// The upper bounds of the buckets, in seconds. 0.05 and 0.2 are the promised 95th percentiles of statements and requests.
const BOUNDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0];

/// How long things took, in seconds; shared by cloning.
#[derive(Clone, Default)]
pub struct Seconds(Arc<Counts>);

#[derive(Default)]
struct Counts {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    sum_nanos: AtomicU64,
}

impl Seconds {
    /// Adds one.
    pub fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        self.0.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        // 2^64 nanoseconds are 584 years.
        self.0.sum_nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How many were added.
    pub fn count(&self) -> u64 {
        self.0.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }
}

impl fmt::Debug for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seconds").field("count", &self.count()).finish()
    }
}

impl EncodeMetric for Seconds {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let mut buckets = [(f64::INFINITY, 0); BOUNDS.len() + 1];
        for (place, (bucket, counted)) in buckets.iter_mut().zip(&self.0.buckets).enumerate() {
            *bucket = (BOUNDS.get(place).copied().unwrap_or(f64::INFINITY), counted.load(Ordering::Relaxed));
        }
        // The count is made of the buckets, so that it never contradicts them.
        let count = buckets.iter().map(|(_, counted)| counted).sum();
        let sum = Duration::from_nanos(self.0.sum_nanos.load(Ordering::Relaxed)).as_secs_f64();
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl TypedMetric for Seconds {
    const TYPE: MetricType = MetricType::Histogram;
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn a_duration_counts_in_its_bucket_and_in_all_that_are_larger() {
        let (mut registry, seconds) = (Registry::default(), Seconds::default());
        registry.register("took_seconds", "How long it took", seconds.clone());
        for millis in [1, 200, 201, 60_000] {
            seconds.observe(Duration::from_millis(millis));
        }

        let mut text = String::new();
        encode(&mut text, &registry).unwrap();

        for line in [
            "took_seconds_bucket{le=\"0.0005\"} 0",
            "took_seconds_bucket{le=\"0.001\"} 1",
            "took_seconds_bucket{le=\"0.2\"} 2",
            "took_seconds_bucket{le=\"0.5\"} 3",
            "took_seconds_bucket{le=\"10.0\"} 3",
            "took_seconds_bucket{le=\"+Inf\"} 4",
            "took_seconds_count 4",
            "took_seconds_sum 60.402",
        ] {
            assert!(text.lines().any(|own| own == line), "{line} is missing in\n{text}");
        }
    }
}
