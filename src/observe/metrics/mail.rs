//! Mail: what waits, what went out, what could not.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It waits to be sent.
    Queued,
    /// The mail server took it.
    Sent,
    /// An attempt failed; it is tried again.
    Failed,
    /// It was given up.
    Dead,
}

impl Posted {
    const ALL: [Self; 4] = [Self::Queued, Self::Sent, Self::Failed, Self::Dead];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Dead => "dead",
        }
    }
}

/// Messages; shared by cloning.
#[derive(Clone, Debug)]
pub struct MailMetrics {
    messages: Family<[(&'static str, &'static str); 1], Counter>,
    waiting: Gauge,
    dead: Gauge,
}

impl Default for MailMetrics {
    fn default() -> Self {
        let messages = Family::default();
        for posted in Posted::ALL {
            let _ = messages.get_or_create(&[("outcome", posted.as_str())]);
        }
        Self { messages, waiting: Gauge::default(), dead: Gauge::default() }
    }
}

impl MailMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("mail_messages", "What became of messages, by outcome", self.messages.clone());
        let help = "Messages that wait to be sent, of all instances";
        registry.register("mail_queue_messages", help, self.waiting.clone());
        let help = "Messages that were given up and that an operator should look at, of all instances";
        registry.register("mail_dead_messages", help, self.dead.clone());
    }

    /// Counts a message's fate.
    pub fn note(&self, posted: Posted) {
        self.messages.get_or_create(&[("outcome", posted.as_str())]).inc();
    }

    /// Notes how many messages the queue holds: those that wait, and those that were given up.
    pub fn set_queue(&self, waiting: i64, dead: i64) {
        self.waiting.set(waiting);
        self.dead.set(dead);
    }
}
