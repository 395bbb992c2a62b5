//! Rankings: what to do now, kept as long as it is provably still right.
//!
//! A ranking depends on the user's data (whose version the caller brings, read after the request came in), on the policy
//! (whose version is its content) and on time (a ranking knows until when it holds). While all three stand, it is given
//! again without a look at the database.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::accounts::Caller;
use crate::clock::Timestamp;
use crate::ids::{ProjectId, TaskId, UserId};
use crate::kept::{kept_or_made, undivided};
use crate::policies::live::LivePolicies;
use crate::policies::shipped::DEFAULT;
use crate::scoring::{Candidate, Crowd, Explanation, FactTable, Moment, Policy, Ranked, Ranking, rank_facts};

use super::Tasks;
use super::error::{Fault, TaskError};
use super::simulation::Rankable;
use super::task::{Status, Task};
use super::waits::Waits;

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
    pub(super) loaded: Arc<Loaded>,
    /// For each candidate its place among the tasks.
    rows: Vec<usize>,
    facts: FactTable,
    ranking: Ranking,
    /// Why each candidate has its score, as far as somebody asked.
    explanations: Vec<OnceLock<Explanation>>,
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
        &self.loaded.tasks[self.rows[entry.row]]
    }

    /// The tasks on which the policy failed.
    fn failures(&self) -> impl Iterator<Item = TaskId> {
        // They come last.
        self.entries().iter().rev().take_while(|entry| entry.fault.is_some()).map(|entry| self.task(entry).id)
    }

    /// Why an entry has its score.
    pub fn explain(&self, entry: &Ranked) -> &Explanation {
        self.explanations[entry.row]
            .get_or_init(|| self.policy.explain(&self.facts, entry.row, &self.policy.context(&self.moment)))
    }

    /// Whether it would come out the same from these tasks, by this policy, at this moment.
    fn holds(&self, loaded: &Arc<Loaded>, policy: &dyn Policy, now: Timestamp) -> bool {
        Arc::ptr_eq(&self.loaded, loaded)
            && self.policy.version() == policy.version()
            && self.policy.name() == policy.name()
            && self.policy.variant() == policy.variant()
            && self.moment.now <= now
            && self.valid_until.is_none_or(|until| now < until)
    }
}

/// What a ranking is made from: everything that is or may become a candidate.
pub(super) struct Loaded {
    data_version: i64,
    pub(super) tasks: Vec<Task>,
    project_names: HashMap<ProjectId, Arc<str>>,
    waits: Waits,
}

#[derive(Clone)]
struct ByTasks;

impl Weighter<UserId, Arc<Loaded>> for ByTasks {
    fn weight(&self, _: &UserId, loaded: &Arc<Loaded>) -> u64 {
        loaded.tasks.len() as u64 + 1
    }
}

impl Weighter<UserId, Arc<Standing>> for ByTasks {
    fn weight(&self, _: &UserId, standing: &Arc<Standing>) -> u64 {
        standing.loaded.tasks.len() as u64 + 1
    }
}

/// Rankings that are kept across requests, and what they were made from.
pub(super) struct Rankings {
    policies: Arc<LivePolicies>,
    loaded: Cache<UserId, Arc<Loaded>, ByTasks>,
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
            loaded: undivided(1_000, KEPT_TASKS, ByTasks),
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
        let is_current = |loaded: &Arc<Loaded>| loaded.data_version == caller.data_version;
        let load = async || Ok::<_, TaskError>(Arc::new(self.load(caller).await?));
        let loaded = kept_or_made(&rankings.loaded, &caller.user_id, is_current, load).await?;
        if !question.is_plain() {
            let at = question.at.unwrap_or(now);
            self.metrics.made();
            return Ok(Arc::new(stand(loaded, caller, policy, at, question.available_minutes)));
        }
        let holds = |standing: &Arc<Standing>| standing.holds(&loaded, &*policy, now);
        let rank = async || {
            let serial = Some(rankings.made.fetch_add(1, Ordering::Relaxed));
            let standing = stand(Arc::clone(&loaded), caller, Arc::clone(&policy), now, None);
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
        let loaded = self.load(caller).await?;
        let awake = || loaded.tasks.iter().filter(|task| is_candidate(task, at));
        let rankable = Rankable {
            candidates: awake().map(|task| candidate_of(&loaded, task)).collect(),
            titles: awake().map(|task| task.title.clone()).collect(),
            moment: moment_of(&loaded.tasks, caller, at, None),
            is_cut: false,
        };
        Ok(rankable.cut())
    }

    pub(super) async fn load(&self, caller: &Caller) -> Result<Loaded, TaskError> {
        let tasks = self.store().list_candidates(caller.user_id).await?;
        let projects = self.store().list_projects(caller.user_id, None, u32::MAX).await?;
        let names = projects.into_iter().map(|project| (project.id, Arc::from(project.name)));
        let (project_names, waits) =
            (names.collect(), Waits::among(tasks.iter().map(|task| (task.id, task.parent_id))));
        Ok(Loaded { data_version: caller.data_version, tasks, project_names, waits })
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

fn stand(
    loaded: Arc<Loaded>,
    caller: &Caller,
    policy: Arc<dyn Policy>,
    at: Timestamp,
    available_minutes: Option<u32>,
) -> Standing {
    let tasks = &loaded.tasks;
    let moment = moment_of(tasks, caller, at, available_minutes);
    let fits = |task: &Task| match (available_minutes, task.effort_minutes) {
        (Some(available), Some(effort)) => effort <= available,
        _ => true,
    };
    let rows: Vec<usize> =
        (0..tasks.len()).filter(|row| is_candidate(&tasks[*row], at) && fits(&tasks[*row])).collect();
    let candidates: Vec<Candidate> = rows.iter().map(|row| candidate_of(&loaded, &tasks[*row])).collect();
    let facts = FactTable::new(&candidates, &moment);
    let ranking = rank_facts(&*policy, &facts, &policy.context(&moment), usize::MAX);
    let wakes = tasks.iter().filter_map(|task| task.snoozed_until).filter(|until| *until > at).min();
    let valid_until = [ranking.valid_until, wakes].into_iter().flatten().min();
    let explanations = rows.iter().map(|_| OnceLock::new()).collect();
    let answer = OnceLock::new();
    let noted = AtomicBool::new(false);
    Standing { policy, moment, serial: None, noted, answer, loaded, rows, facts, ranking, explanations, valid_until }
}

/// Whether a task can be recommended: open, and awake.
pub(super) fn is_candidate(task: &Task, at: Timestamp) -> bool {
    match task.status {
        Status::Pending | Status::InProgress => true,
        Status::Snoozed => task.snoozed_until.is_some_and(|until| until <= at),
        Status::Completed => false,
    }
}

pub(super) fn moment_of(tasks: &[Task], caller: &Caller, at: Timestamp, available_minutes: Option<u32>) -> Moment {
    let count = |tasks: usize| u32::try_from(tasks).unwrap_or(u32::MAX);
    let open = tasks.iter().filter(|task| is_candidate(task, at));
    let overdue = open.clone().filter(|task| task.due.is_some_and(|due| due.overdue_from(caller.zone) <= at));
    Moment {
        windows: caller.windows,
        minutes_available: available_minutes,
        open_tasks: count(open.clone().count()),
        overdue_tasks: count(overdue.count()),
        ..Moment::new(at, caller.zone)
    }
}

/// The caller's tasks, for the numbers of open and of overdue ones at other moments.
pub(super) fn crowd_of(tasks: &[Task], caller: &Caller) -> Crowd {
    let open = tasks.iter().filter(|task| task.status != Status::Completed);
    Crowd::new(open.map(|task| (task.snoozed_until, task.due.map(|due| due.overdue_from(caller.zone)))))
}

pub(super) fn candidate_of(loaded: &Loaded, task: &Task) -> Candidate {
    Candidate {
        status: task.status,
        due: task.due,
        effort_minutes: task.effort_minutes,
        preferred_time: task.preferred_time,
        snooze_count: task.snooze_count,
        labels: task.labels.iter().map(|label| Arc::from(label.as_str())).collect(),
        project: task.project_id.and_then(|id| loaded.project_names.get(&id).cloned()),
        blocked_by: loaded.waits.blocked_by(task.id),
        blocks: loaded.waits.blocks(task.id),
        ..Candidate::new(task.id, task.priority, task.created_at)
    }
}
