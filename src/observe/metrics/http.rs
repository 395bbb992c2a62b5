//! Requests, by route pattern, method and status.
//!
//! What a request costs here is one look into a table and four additions: the series of a route are made when it is asked
//! for the first time, and the table is replaced whenever there is a new one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::histogram::Seconds;

/// What requests are called that no route matched: paths are never labels.
pub const NO_ROUTE: &str = "(none)";
/// How many patterns are told apart. There are some hundred; a fault that made more must not fill the memory.
const MOST_ROUTES: usize = 500;
/// The methods that are told apart, and what all others are called.
const METHODS: [&str; 8] = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "other"];
/// The statuses that are told apart, in order; all others are 0.
const STATUSES: [u16; 40] = [
    0, 101, 200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 406, 408, 409, 410, 411,
    412, 413, 414, 415, 416, 417, 421, 422, 424, 426, 428, 429, 431, 500, 502, 503, 504,
];

/// Requests and their answers; shared by cloning.
#[derive(Clone, Default)]
pub struct HttpMetrics(Arc<Table>);

#[derive(Default)]
struct Table {
    routes: ArcSwap<BTreeMap<Arc<str>, Arc<Route>>>,
    in_flight: AtomicI64,
}

#[derive(Default)]
struct Route {
    methods: [OnceLock<Box<Answers>>; METHODS.len()],
}

struct Answers {
    statuses: [AtomicU64; STATUSES.len()],
    seconds: Seconds,
}

/// A request that is being answered, until it is dropped.
#[must_use]
pub struct InFlight(Arc<Table>);

impl HttpMetrics {
    /// Counts a request as in flight.
    pub fn begin(&self) -> InFlight {
        self.0.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(&self.0))
    }

    /// Counts an answer to a request for a route pattern; `None` where no route matched.
    pub fn answered(&self, route: Option<&str>, method: &str, status: u16, took: Duration) {
        let name = route.unwrap_or(NO_ROUTE);
        let routes = self.0.routes.load();
        let known = routes.get(name).cloned();
        let route = known.unwrap_or_else(|| self.meet(name));
        let method = METHODS.iter().position(|own| *own == method).unwrap_or(METHODS.len() - 1);
        let answers = route.methods[method].get_or_init(Box::default);
        answers.statuses[STATUSES.binary_search(&status).unwrap_or(0)].fetch_add(1, Ordering::Relaxed);
        answers.seconds.observe(took);
    }

    fn meet(&self, name: &str) -> Arc<Route> {
        let name = if self.0.routes.load().len() < MOST_ROUTES { name } else { NO_ROUTE };
        self.0.routes.rcu(|routes| {
            let mut routes = BTreeMap::clone(routes);
            routes.entry(Arc::from(name)).or_default();
            routes
        });
        self.0.routes.load().get(name).cloned().unwrap_or_default()
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self { statuses: [const { AtomicU64::new(0) }; STATUSES.len()], seconds: Seconds::default() }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for HttpMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpMetrics").field("routes", &self.0.routes.load().len()).finish_non_exhaustive()
    }
}

impl Collector for HttpMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Requests that are being answered";
        let in_flight = ConstGauge::new(self.0.in_flight.load(Ordering::Relaxed));
        in_flight.encode(encoder.encode_descriptor("http_requests_in_flight", help, None, MetricType::Gauge)?)?;

        let routes = self.0.routes.load();
        let all = || {
            routes.iter().flat_map(|(name, route)| {
                let methods = METHODS.iter().zip(&route.methods);
                methods.filter_map(move |(method, answers)| Some((&**name, *method, answers.get()?)))
            })
        };
        let help = "Requests answered, by route pattern, method and status";
        let mut counters = encoder.encode_descriptor("http_requests", help, None, MetricType::Counter)?;
        for (route, method, answers) in all() {
            for (status, counted) in STATUSES.iter().zip(&answers.statuses) {
                let counted = counted.load(Ordering::Relaxed);
                if counted > 0 {
                    let status = if *status == 0 { "other".to_owned() } else { status.to_string() };
                    let labels = [("method", method), ("route", route), ("status", &*status)];
                    ConstCounter::new(counted).encode(counters.encode_family(&labels)?)?;
                }
            }
        }
        let help = "Time from a request's head to its answer's, by route pattern and method";
        let mut took = encoder.encode_descriptor("http_request_duration_seconds", help, None, MetricType::Histogram)?;
        for (route, method, answers) in all() {
            answers.seconds.encode(took.encode_family(&[("method", method), ("route", route)])?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_methods_and_statuses_stay_few_whatever_is_asked_for() {
        let http = HttpMetrics::default();

        for number in 0..2 * MOST_ROUTES {
            http.answered(Some(&format!("/{number}")), &format!("M{number}"), 599, Duration::ZERO);
        }

        let routes = http.0.routes.load();
        assert!(routes.len() <= MOST_ROUTES + 1);
        assert!(routes[NO_ROUTE].methods[METHODS.len() - 1].get().unwrap().seconds.count() >= 499);
    }

    #[test]
    fn statuses_are_in_order_so_that_they_are_found() {
        assert!(STATUSES.is_sorted());
    }
}
