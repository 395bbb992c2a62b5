//! Streams of server-sent events.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Streams and what went through them; shared by cloning.
#[derive(Clone, Debug, Default)]
pub struct EventMetrics {
    open: Gauge,
    sent: Counter,
    closed: Family<[(&'static str, &'static str); 1], Counter>,
}

/// A stream that is open, until it is dropped.
#[derive(Debug)]
#[must_use]
pub struct OpenStream(Gauge);

impl EventMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("event_streams", "Streams of server-sent events that are open", self.open.clone());
        registry.register("event_stream_events", "Events sent over streams", self.sent.clone());
        let help = "Streams that the server ended, by reason";
        registry.register("event_streams_closed", help, self.closed.clone());
    }

    /// Counts a stream as open.
    pub fn opened(&self) -> OpenStream {
        self.open.inc();
        OpenStream(self.open.clone())
    }

    /// Counts an event that was sent over a stream.
    pub fn sent(&self) {
        self.sent.inc();
    }

    /// Counts a stream that the server ended; `reason` is one word of few.
    pub fn closed(&self, reason: &'static str) {
        self.closed.get_or_create(&[("reason", reason)]).inc();
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.dec();
    }
}
