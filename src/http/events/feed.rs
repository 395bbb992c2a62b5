//! One open stream: nothing is sent that the credential does not allow at that moment.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::views::EventView;
use super::wire;
use crate::accounts::Scope;
use crate::events::{Event, Follower, News};
use crate::http::auth::{AuthError, Authenticator};
use crate::ids::TaskId;
use crate::oauth::Resource;
use crate::observe::health::Health;
use crate::observe::metrics::{EventMetrics, OpenStream};
use crate::store::StoreResult;
use crate::tasks::Task;

/// How often a stream looks although nobody woke it: a wake may be lost with the process that should have sent it, and a
/// credential expires without one.
const LOOK: Duration = Duration::from_secs(5);
/// The most events that are sent in one piece; with their tasks, this is what a client holds in memory.
const TOGETHER: usize = 32;

/// Who listens, with what.
pub(super) struct Listener {
    pub(super) follower: Follower,
    /// What they showed; it is asked about again before anything is sent.
    pub(super) token: String,
    pub(super) request_id: Arc<str>,
    pub(super) authenticator: Arc<dyn Authenticator>,
    pub(super) health: Arc<Health>,
    /// Counts the stream as open while it is.
    #[expect(dead_code, reason = "dropped with the stream")]
    pub(super) open: OpenStream,
    pub(super) metrics: EventMetrics,
}

/// An open stream.
pub(super) struct Feed {
    listener: Listener,
    /// The number up to which everything was read.
    upto: i64,
    /// Events that were read and not sent.
    waiting: VecDeque<Event>,
    looks: Interval,
    heartbeat: Duration,
    /// When something was last sent.
    spoke: Instant,
    begun: bool,
}

/// What came of looking.
enum Found {
    /// To be sent.
    Text(String),
    Nothing,
    /// The credential is worth nothing any more.
    Over,
}

impl Feed {
    /// A stream of what happens after number `from`; needs a running tokio runtime.
    pub(super) fn new(listener: Listener, from: i64, heartbeat: Duration) -> Self {
        let every = LOOK.min(heartbeat);
        let mut looks = interval_at(Instant::now() + every, every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let spoke = Instant::now();
        Self { listener, upto: from, waiting: VecDeque::new(), looks, heartbeat, spoke, begun: false }
    }

    /// The bytes as they come. Nothing is made that the client does not take.
    pub(super) fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        stream::unfold(self, |mut feed| async move {
            let text = feed.next().await?;
            feed.spoke = Instant::now();
            Some((Ok(Bytes::from(text)), feed))
        })
    }

    /// The next piece; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        if !self.begun {
            self.begun = true;
            return Some(wire::ready(self.upto));
        }
        loop {
            match self.look().await {
                Ok(Found::Text(text)) => return Some(text),
                Ok(Found::Over) => {
                    self.listener.metrics.closed("credential");
                    return None;
                }
                Ok(Found::Nothing) => {}
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::debug!(error, "a stream of events waits for the database");
                }
            }
            tokio::select! {
                () = self.listener.health.drained() => {
                    self.listener.metrics.closed("shutdown");
                    return None;
                }
                () = self.listener.follower.woken() => {}
                _ = self.looks.tick() => {}
            }
            if self.spoke.elapsed() >= self.heartbeat {
                return Some(wire::HEARTBEAT.to_owned());
            }
        }
    }

    async fn look(&mut self) -> StoreResult<Found> {
        let listener = &self.listener;
        let asked = listener.authenticator.authenticate(&listener.token, Resource::Api, &listener.request_id).await;
        let caller = match asked {
            Ok(caller) if caller.scopes.allow(Scope::Read) => caller,
            Ok(_) | Err(AuthError::Invalid(_)) => return Ok(Found::Over),
            // The guard has logged why.
            Err(AuthError::Unavailable(_)) => return Ok(Found::Nothing),
        };
        if self.waiting.is_empty() {
            match listener.follower.read(self.upto, caller.data_version).await? {
                News::Events(events, upto) => {
                    self.waiting.extend(events);
                    self.upto = upto;
                }
                News::Gap => {
                    self.upto = caller.data_version;
                    return Ok(Found::Text(wire::reset(self.upto)));
                }
            }
        }
        if self.waiting.is_empty() { Ok(Found::Nothing) } else { self.tell().await }
    }

    /// Writes the next of the events that wait.
    async fn tell(&mut self) -> StoreResult<Found> {
        let count = self.waiting.len().min(TOGETHER);
        let mut ids: Vec<TaskId> = self
            .waiting
            .iter()
            .take(count)
            .filter(|event| is_about_task(event))
            .map(|event| TaskId(event.what.id))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let tasks = self.listener.follower.find_tasks(&ids).await?;
        let tasks: HashMap<TaskId, Task> = tasks.into_iter().map(|task| (task.id, task)).collect();
        let mut text = String::new();
        for event in self.waiting.drain(..count) {
            self.listener.metrics.sent();
            let task = tasks.get(&TaskId(event.what.id)).filter(|_| is_about_task(&event));
            if wire::write(&EventView::new(&event, task), &mut text).is_err() {
                tracing::error!(event.number, "an event cannot be written");
            }
        }
        Ok(Found::Text(text))
    }
}

fn is_about_task(event: &Event) -> bool {
    event.what.entity == "task"
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("upto", &self.upto).finish_non_exhaustive()
    }
}
