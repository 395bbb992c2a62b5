//! Rankings: what to do now, kept as long as it is provably still right.
//!
//! A ranking depends on the user's data (whose version the caller brings, read after the request came in), on the policy
//! (whose version is its content) and on time (a ranking knows until when it holds). While all three stand, it is given
//! again without a look at the database.

mod ahead;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::accounts::Caller;
use crate::clock::Timestamp;
use crate::ids::{TaskId, UserId};
use crate::kept::{kept_or_made, undivided};
use crate::policies::live::LivePolicies;
use crate::policies::shipped::DEFAULT;
use crate::scoring::{Candidate, Explanation, FactTable, Moment, Policy, Ranked, Ranking, rank_facts};

use super::Tasks;
use super::error::{Fault, TaskError};
use super::lineup::Lineup;
use super::simulation::Rankable;
use super::task::Task;

/// How many tasks the kept rankings may hold together, and as many those that are loaded.
const KEPT_TASKS: u64 = 100_000;

/// What somebody wants ranked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RankQuestion {
    /// At another moment than now.
    pub at: Option<Timestamp>,
    /// Only what fits into this many minutes, or has no estimate.
    pub available_minutes: Option<u32>,
    /// By this policy; else the caller's own choice, else the server's.
    pub policy: Option<String>,
}

impl RankQuestion {
    fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// A user's tasks in order, and everything that explains it.
pub struct Standing {
    /// The policy that ranked.
    pub policy: Arc<dyn Policy>,
    /// The moment of the ranking.
    pub moment: Moment,
    /// A number that no other ranking of this process has; `None` when it is not kept.
    pub serial: Option<i64>,
    /// Whether it was recommended to the person before.
    pub(super) noted: AtomicBool,
    /// The edge's finished answer to "what is best?", so that the same words are not written twice.
    pub answer: OnceLock<Bytes>,
    pub(super) lineup: Arc<Lineup>,
    /// For each candidate its place among the tasks.
    rows: Vec<usize>,
    facts: FactTable,
    ranking: Ranking,
    /// Why each candidate has its score, as far as somebody asked.
    explanations: Vec<OnceLock<Box<Explanation>>>,
    valid_until: Option<Timestamp>,
}

impl std::fmt::Debug for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Standing")
            .field("moment", &self.moment)
            .field("tasks", &self.rows.len())
            .finish_non_exhaustive()
    }
}

impl Standing {
    /// The order: best first, tasks on which the policy failed last.
    pub fn entries(&self) -> &[Ranked] {
        &self.ranking.entries
    }

    /// The task of an entry.
    pub fn task(&self, entry: &Ranked) -> &Task {
        &self.lineup.tasks[self.rows[entry.row]]
    }

    /// What the policy saw of the task of an entry.
    pub(super) fn candidate(&self, entry: &Ranked) -> Candidate {
        self.lineup.candidate(self.task(entry))
    }

    /// The tasks on which the policy failed.
    fn failures(&self) -> impl Iterator<Item = TaskId> {
        // They come last.
        self.entries().iter().rev().take_while(|entry| entry.fault.is_some()).map(|entry| self.task(entry).id)
    }

    /// Why an entry has its score.
    pub fn explain(&self, entry: &Ranked) -> &Explanation {
        let explain = || self.policy.explain(&self.facts, entry.row, &self.policy.context(&self.moment));
        self.explanations[entry.row].get_or_init(|| Box::new(explain()))
    }

    /// Whether it would come out the same from these tasks, by this policy, at this moment.
    fn holds(&self, lineup: &Arc<Lineup>, policy: &dyn Policy, now: Timestamp) -> bool {
        Arc::ptr_eq(&self.lineup, lineup)
            && self.is_by(policy)
            && self.moment.now <= now
            && self.valid_until.is_none_or(|until| now < until)
    }

    /// Whether this policy ranked.
    fn is_by(&self, policy: &dyn Policy) -> bool {
        self.policy.version() == policy.version()
            && self.policy.name() == policy.name()
            && self.policy.variant() == policy.variant()
    }
}

#[derive(Clone)]
struct ByTasks;

impl Weighter<UserId, Arc<Lineup>> for ByTasks {
    fn weight(&self, _: &UserId, lineup: &Arc<Lineup>) -> u64 {
        lineup.tasks.len() as u64 + 1
    }
}

impl Weighter<UserId, Arc<Standing>> for ByTasks {
    fn weight(&self, _: &UserId, standing: &Arc<Standing>) -> u64 {
        standing.lineup.tasks.len() as u64 + 1
    }
}

/// Rankings that are kept across requests, and what they were made from.
pub(super) struct Rankings {
    policies: Arc<LivePolicies>,
    lineups: Cache<UserId, Arc<Lineup>, ByTasks>,
    standings: Cache<UserId, Arc<Standing>, ByTasks>,
    made: AtomicI64,
}

impl std::fmt::Debug for Rankings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rankings").field("users", &self.standings.len()).finish_non_exhaustive()
    }
}

impl Rankings {
    pub(super) fn new(policies: Arc<LivePolicies>) -> Self {
        Self {
            policies,
            lineups: undivided(1_000, KEPT_TASKS, ByTasks),
            standings: undivided(1_000, KEPT_TASKS, ByTasks),
            made: AtomicI64::new(0),
        }
    }

    pub(super) fn policies(&self) -> &LivePolicies {
        &self.policies
    }

    pub(super) fn policy(&self, caller: &Caller, wanted: Option<&str>) -> Result<Arc<dyn Policy>, TaskError> {
        let choose =
            |name: &str| self.policies.choose(name, (caller.user_id, caller.role), caller.policy_params.get(name));
        if let Some(name) = wanted {
            return choose(name).ok_or_else(|| {
                let known = self.policies.snapshot().names().join(", ");
                TaskError::fault("?policy", format!("must be the name of a policy: {known}"))
            });
        }
        // A chosen policy that was removed since does not keep anybody from working.
        let chosen = caller.policy.as_deref().and_then(choose).or_else(|| choose(DEFAULT));
        Ok(chosen.unwrap_or_else(|| self.policies.current()))
    }
}

impl Tasks {
    /// The caller's candidates in the order of a policy.
    ///
    /// # Errors
    ///
    /// An unknown policy, or what keeps the store from reading.
    pub async fn rank(&self, caller: &Caller, question: &RankQuestion) -> Result<Arc<Standing>, TaskError> {
        let rankings = &*self.rankings;
        let policy = rankings.policy(caller, question.policy.as_deref())?;
        let now = self.now();
        let lineup = self.lineup(caller).await?;
        if !question.is_plain() {
            let at = question.at.unwrap_or(now);
            self.metrics.made();
            let moment = lineup.moment(caller.windows, at, question.available_minutes);
            return Ok(Arc::new(stand(lineup, moment, policy)));
        }
        let holds = |standing: &Arc<Standing>| standing.holds(&lineup, &*policy, now);
        let rank = async || {
            let serial = Some(rankings.made.fetch_add(1, Ordering::Relaxed));
            let moment = lineup.moment(caller.windows, now, None);
            let standing = stand(Arc::clone(&lineup), moment, Arc::clone(&policy));
            let own = caller.policy_params.get(policy.name());
            rankings.policies.shadow(&*policy, (caller.user_id, own), &standing.facts, &standing.moment);
            Ok::<_, TaskError>(Arc::new(Standing { serial, ..standing }))
        };
        let before = rankings.made.load(Ordering::Relaxed);
        let standing = kept_or_made(&rankings.standings, &caller.user_id, holds, rank).await?;
        // Of the present alone: at other times nobody recommends anything to anybody. What is kept may have been made before
        // this version came into force.
        policy.note_failures(&mut standing.failures());
        // What was made before this question came was kept.
        if standing.serial.is_some_and(|serial| serial < before) {
            self.metrics.kept();
        } else {
            self.metrics.made();
        }
        Ok(standing)
    }

    /// What the caller could be recommended at a moment.
    pub(super) async fn rankable(&self, caller: &Caller, at: Timestamp) -> Result<Rankable, TaskError> {
        let lineup = self.lineup(caller).await?;
        let known = lineup.known();
        let rankable = Rankable {
            candidates: lineup.awake(at).map(|row| known[row].0.clone()).collect(),
            titles: lineup.awake(at).map(|row| lineup.tasks[row].title.clone()).collect(),
            moment: lineup.moment(caller.windows, at, None),
            is_cut: false,
        };
        Ok(rankable.cut())
    }

    /// What the caller's rankings are made from.
    pub(super) async fn lineup(&self, caller: &Caller) -> Result<Arc<Lineup>, TaskError> {
        let is_current = |lineup: &Arc<Lineup>| lineup.data_version == caller.data_version;
        let load = async || {
            let tasks = self.store().list_candidates(caller.user_id).await?;
            let projects = self.store().list_projects(caller.user_id, None, u32::MAX).await?;
            Ok::<_, TaskError>(Arc::new(Lineup::new(caller, tasks, projects)))
        };
        kept_or_made(&self.rankings.lineups, &caller.user_id, is_current, load).await
    }

    /// The present windows of the caller: their own, or the policy's.
    pub fn windows(&self, caller: &Caller) -> crate::calendar::Windows {
        caller.windows.unwrap_or_else(|| self.rankings.policies().windows())
    }

    /// Finds the moment until which somebody snoozes.
    ///
    /// # Errors
    ///
    /// The fault of the one field that was given.
    pub fn snooze_until(&self, caller: &Caller, wish: SnoozeWish) -> Result<Timestamp, TaskError> {
        let now = self.now();
        match wish {
            SnoozeWish::Until(until) if until <= now => Err(TaskError::fault("/until", "must be in the future")),
            SnoozeWish::Until(until) => Ok(until),
            SnoozeWish::Minutes(minutes) => {
                Ok(now.plus(std::time::Duration::from_secs(u64::from(minutes) * 60)).min(Timestamp::MAX))
            }
            SnoozeWish::Phrase(phrase) => {
                let day = super::phrase::Day { now, zone: caller.zone, windows: self.windows(caller) };
                super::phrase::moment_of(&phrase, day).ok_or_else(|| {
                    let known = super::phrase::PHRASES;
                    TaskError::Invalid(vec![Fault::new("/phrase", format!("must be a time to come, such as {known}"))])
                })
            }
        }
    }
}

/// How somebody says until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnoozeWish {
    /// A moment.
    Until(Timestamp),
    /// So many minutes from now.
    Minutes(u32),
    /// In words.
    Phrase(String),
}

/// Ranks what fits into the time that the moment has.
fn stand(lineup: Arc<Lineup>, moment: Moment, policy: Arc<dyn Policy>) -> Standing {
    let fits = |row: &usize| match (moment.minutes_available, lineup.tasks[*row].effort_minutes) {
        (Some(available), Some(effort)) => effort <= available,
        _ => true,
    };
    let rows: Vec<usize> = lineup.awake(moment.now).filter(fits).collect();
    let known = lineup.known();
    let facts = FactTable::dated(rows.iter().map(|row| (&known[*row].0, known[*row].1)), &moment);
    let ranking = rank_facts(&*policy, &facts, &policy.context(&moment), usize::MAX);
    let valid_until = [ranking.valid_until, lineup.next_wake(moment.now)].into_iter().flatten().min();
    let explanations = rows.iter().map(|_| OnceLock::new()).collect();
    let answer = OnceLock::new();
    let noted = AtomicBool::new(false);
    Standing { policy, moment, serial: None, noted, answer, lineup, rows, facts, ranking, explanations, valid_until }
}
