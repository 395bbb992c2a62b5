//! How a sample of what is shown comes into the database, without a request that waits for it.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot};

use super::kept::row_of;
use super::masking::Mask;
use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::observe::metrics::DecisionMetrics;
use crate::scoring::{Candidate, Moment, Policy};
use crate::store::{Store, StoreError};

/// The first tasks of a ranking that are kept.
pub const MOST_TASKS: usize = 20;
/// What waits to be written; further ones are left out, and counted.
const QUEUED: usize = 1024;
/// What is written in one transaction.
const GATHERED: usize = 64;

/// A recommendation that was shown.
pub struct Shown {
    /// To whom.
    pub user: UserId,
    /// Counts the changes of their data.
    pub data_version: i64,
    /// What ranked.
    pub policy: Arc<dyn Policy>,
    /// When it was shown, and what the policy knew beside the tasks.
    pub moment: Moment,
    /// The first tasks with their scores, best first; not empty, at most [`MOST_TASKS`].
    pub tasks: Vec<(Candidate, Option<f64>)>,
    /// How many tasks were ranked.
    pub total: usize,
}

enum Job {
    Keep(Box<Shown>),
    /// Asks to be told when everything before it is written.
    Tell(oneshot::Sender<()>),
}

/// Takes a sample of what is shown; shared by cloning.
#[derive(Clone)]
pub struct Recorder {
    /// Of 2^32 lots, those below this one are drawn; `None` draws all.
    below: Option<u32>,
    jobs: mpsc::Sender<Job>,
    metrics: DecisionMetrics,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("below", &self.below).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Begins to write down the part `sample` (0 to 1) of what is shown; ends when the last clone is dropped.
    pub fn start(store: Store, mask: Mask, sample: f32, metrics: DecisionMetrics) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUED);
        tokio::spawn(work_off(queue, store, mask, metrics.clone()));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number from 0 to 2^32")]
        let lots = (f64::from(sample).clamp(0.0, 1.0) * 4_294_967_296.0) as u64;
        Self { below: u32::try_from(lots).ok(), jobs, metrics }
    }

    /// Whether the lot falls on what is shown to somebody at a moment: the same at every instance.
    pub fn draws(&self, user: UserId, at: Timestamp) -> bool {
        let Some(below) = self.below else { return true };
        if below == 0 {
            return false;
        }
        let digest = Sha256::new()
            .chain_update(b"decision")
            .chain_update(user.0.as_bytes())
            .chain_update(at.as_micros().to_be_bytes())
            .finalize();
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) < below
    }

    /// Queues what was shown. When too much waits, it is left out.
    pub fn give(&self, shown: Shown) {
        if self.jobs.try_send(Job::Keep(Box::new(shown))).is_err() {
            self.metrics.dropped();
        }
    }

    /// Waits until what was given is written.
    pub async fn flush(&self) {
        let (written, wait) = oneshot::channel();
        if self.jobs.send(Job::Tell(written)).await.is_ok() {
            // An error means that nobody is left to write.
            let _ = wait.await;
        }
    }
}

async fn work_off(mut queue: mpsc::Receiver<Job>, store: Store, mask: Mask, metrics: DecisionMetrics) {
    let mut batch = Vec::with_capacity(GATHERED);
    while queue.recv_many(&mut batch, GATHERED).await > 0 {
        let (mut rows, mut waiting) = (Vec::new(), Vec::new());
        for job in batch.drain(..) {
            match job {
                Job::Keep(shown) => rows.push(row_of(&shown, &mask)),
                Job::Tell(written) => waiting.push(written),
            }
        }
        if !rows.is_empty() {
            let count = rows.len() as u64;
            let rows = serde_json::Value::from(rows).to_string();
            let kept =
                store.write::<_, StoreError, _>(move |tx| Box::pin(async move { tx.insert_decisions(&rows).await }));
            match kept.await {
                Ok(_) => metrics.kept(count),
                Err(error) => {
                    metrics.failed(count);
                    tracing::debug!(%error, "recommendations that were shown could not be kept");
                }
            }
        }
        for written in waiting {
            // Who asked may have gone.
            let _ = written.send(());
        }
    }
}
