//! Pages of a ranking, and lists in the order of scores.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::accounts::Caller;
use crate::clock::Timestamp;
use crate::ids::TaskId;
use crate::paging::Page;
use crate::scoring::Ranked;

use super::Tasks;
use super::error::{TaskError, both};
use super::filter::{Sort, TaskFilter};
use super::lists::{ListTasks, asked, page, read_cursor};
use super::ranking::{RankQuestion, Standing};
use super::task::Task;

/// A place in an order by score. It carries the moment, so that time does not reshuffle the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ScorePosition {
    #[serde(rename = "t")]
    at: i64,
    /// The score's bits: JSON's decimals are not always read back to the same number.
    #[serde(rename = "s")]
    score: Option<u64>,
    #[serde(rename = "c")]
    created_at: i64,
    #[serde(rename = "i")]
    id: Uuid,
}

impl ScorePosition {
    fn of(at: Timestamp, score: Option<f64>, task: &Task) -> Self {
        Self {
            at: at.as_micros(),
            score: score.map(f64::to_bits),
            created_at: task.created_at.as_micros(),
            id: task.id.0,
        }
    }

    /// The order of two places: by score, of equals the older task first. Who has no score comes last either way.
    fn compare(&self, other: &Self, sort: Sort) -> Ordering {
        let by_score = match (self.score.map(f64::from_bits), other.score.map(f64::from_bits)) {
            (Some(a), Some(b)) if sort == Sort::Score => a.total_cmp(&b),
            (Some(a), Some(b)) => b.total_cmp(&a),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        by_score.then(self.created_at.cmp(&other.created_at)).then(self.id.cmp(&other.id))
    }

    /// Reads a cursor whose moment can be.
    fn read(asked: &str, cursor: &str) -> Result<Self, TaskError> {
        let place: Self = read_cursor(asked, cursor)?;
        let moment = crate::calendar::in_range(Timestamp::from_micros(place.at));
        moment.map(|_| place).map_err(|_| TaskError::fault("?cursor", "is not a cursor of this list"))
    }
}

/// Which page of a ranking.
#[derive(Clone, Debug)]
pub struct ListRanked {
    /// The ranking.
    pub question: RankQuestion,
    /// Which tasks of it.
    pub filter: TaskFilter,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// How many rows, at most.
    pub limit: u32,
}

impl ListRanked {
    /// What a cursor is bound to: the question without its page.
    fn asked_by(&self, caller: &Caller) -> String {
        asked(caller, format_args!("ranked {:?} {:?}", self.filter, self.question))
    }

    fn after(&self, caller: &Caller) -> Result<Option<ScorePosition>, TaskError> {
        self.cursor.as_deref().map(|cursor| ScorePosition::read(&self.asked_by(caller), cursor)).transpose()
    }
}

impl Tasks {
    /// The ranking that a page is cut from.
    ///
    /// # Errors
    ///
    /// A cursor of another question, an unknown policy, or what keeps the store from reading.
    pub async fn rank_for(&self, caller: &Caller, list: &ListRanked) -> Result<Arc<Standing>, TaskError> {
        let policy = self.rankings.policy(caller, list.question.policy.as_deref());
        let (after, _) = both(list.after(caller), policy)?;
        match after {
            None => self.rank(caller, &list.question).await,
            Some(after) => {
                let at = Some(Timestamp::from_micros(after.at));
                self.rank(caller, &RankQuestion { at, ..list.question.clone() }).await
            }
        }
    }

    /// One page of the ranking that [`Tasks::rank_for`] gave.
    ///
    /// # Errors
    ///
    /// A cursor of another question, or what keeps the store from reading.
    pub async fn list_ranked(
        &self,
        caller: &Caller,
        standing: &Standing,
        list: &ListRanked,
    ) -> Result<Page<Ranked>, TaskError> {
        let after = list.after(caller)?;
        let among = self.among(caller, &list.filter).await?;
        let at = standing.moment.now;
        let passing = standing.entries().iter().filter_map(|entry| {
            let task = standing.task(entry);
            let passes = among.as_ref().is_none_or(|among| among.contains(&task.id));
            passes.then(|| (ScorePosition::of(at, entry.score, task), entry.clone()))
        });
        let passing: Vec<_> = passing.collect();
        let total = passing.len() as u64;
        let rows = rows_after(passing, after.as_ref(), Sort::ScoreDesc, list.limit);
        Ok(page(&list.asked_by(caller), rows, list.limit, total))
    }

    /// One page of the caller's tasks in the order of their scores, now or `at` another moment; tasks that cannot be
    /// recommended have none.
    ///
    /// # Errors
    ///
    /// A cursor of another question, or what keeps the store from reading.
    pub async fn list_by_score(
        &self,
        caller: &Caller,
        list: &ListTasks,
        at: Option<Timestamp>,
    ) -> Result<Page<(Task, Option<f64>)>, TaskError> {
        let asked = format!("{} {at:?}", list.asked_by(caller));
        let after = list.cursor.as_deref().map(|cursor| ScorePosition::read(&asked, cursor)).transpose()?;
        let at = after.as_ref().map(|place| Timestamp::from_micros(place.at)).or(at);
        let standing = self.rank(caller, &RankQuestion { at, ..RankQuestion::default() }).await?;
        let scores: HashMap<TaskId, f64> =
            standing.entries().iter().filter_map(|entry| Some((standing.task(entry).id, entry.score?))).collect();
        let ids = self.store().list_task_ids(caller.user_id, &list.filter).await?;
        let found = self.store().find_tasks(caller.user_id, &ids).await?;
        let total = found.len() as u64;
        let at = standing.moment.now;
        let mut rows: Vec<_> = found
            .into_iter()
            .map(|task| {
                let score = scores.get(&task.id).copied();
                (ScorePosition::of(at, score, &task), (task, score))
            })
            .collect();
        rows.sort_unstable_by(|(a, _), (b, _)| a.compare(b, list.sort));
        Ok(page(&asked, rows_after(rows, after.as_ref(), list.sort, list.limit), list.limit, total))
    }

    /// The ids that pass a filter; `None` when all do.
    async fn among(&self, caller: &Caller, filter: &TaskFilter) -> Result<Option<HashSet<TaskId>>, TaskError> {
        if filter.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.store().list_task_ids(caller.user_id, filter).await?.into_iter().collect()))
    }
}

/// The rows of a sorted list that come after a place, and one more than fit on the page.
fn rows_after<T>(
    rows: Vec<(ScorePosition, T)>,
    after: Option<&ScorePosition>,
    sort: Sort,
    limit: u32,
) -> Vec<(ScorePosition, T)> {
    let shown = |position: &ScorePosition| after.is_some_and(|after| position.compare(after, sort).is_le());
    rows.into_iter().skip_while(|(position, _)| shown(position)).take(limit as usize + 1).collect()
}
