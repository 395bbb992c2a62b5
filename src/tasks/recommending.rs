//! Rankings that are shown to a person as "do this now". A sample of them is kept, to see later what became of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::accounts::Caller;
use crate::policies::decisions::recording::{MOST_TASKS, Recorder, Shown};

use super::Tasks;
use super::error::TaskError;
use super::ranking::{RankQuestion, Standing};

impl Tasks {
    /// As [`Tasks::rank`], for who is then told to do the first task.
    ///
    /// A ranking that is shown again while it holds is the same recommendation; one of another moment is none.
    ///
    /// # Errors
    ///
    /// An unknown policy, or what keeps the store from reading.
    pub async fn recommend(&self, caller: &Caller, question: &RankQuestion) -> Result<Arc<Standing>, TaskError> {
        let standing = self.rank(caller, question).await?;
        if let Some(recorder) = &self.recorder
            && question.at.is_none()
            && !standing.noted.load(Ordering::Relaxed)
            && !standing.noted.swap(true, Ordering::Relaxed)
        {
            self.note(recorder, caller, &standing);
        }
        Ok(standing)
    }

    fn note(&self, recorder: &Recorder, caller: &Caller, standing: &Standing) {
        let now = self.now();
        if standing.entries().is_empty() || !recorder.draws(caller.user_id, now) {
            return;
        }
        let first = standing.entries().iter().take(MOST_TASKS);
        let tasks = first.map(|entry| (standing.candidate(entry), entry.score)).collect();
        recorder.give(Shown {
            user: caller.user_id,
            data_version: caller.data_version,
            policy: Arc::clone(&standing.policy),
            moment: standing.moment.at(now),
            tasks,
            total: standing.entries().len(),
        });
    }
}
