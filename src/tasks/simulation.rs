//! What a policy would do to tasks, before it is in force: the caller's own, and a sample of everybody's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::accounts::Caller;
use crate::clock::Timestamp;
use crate::ids::{TaskId, UserId};
use crate::policies::comparison::{Comparison, Move, Rankings, first_over_hours};
use crate::policies::versions::PolicyError;
use crate::scoring::{Candidate, Moment, Policy, Status};
use crate::store::StoreResult;
use crate::store::samples::{SampledTask, SampledUser};

use super::Tasks;
use super::error::TaskError;
use super::waits::Waits;

/// Tasks of the caller that are looked at; the oldest.
const MOST_OWN: usize = 2_000;
/// Tasks of the sample that are looked at.
const MOST_SAMPLED: i64 = 20_000;
/// How long a simulation may work; what it did not get to is left out, and said so.
const MOST_TIME: Duration = Duration::from_secs(5);

/// What is asked of a simulation.
#[derive(Clone, Copy, Debug, Default)]
pub struct SimulationQuestion {
    /// At another moment than now.
    pub at: Option<Timestamp>,
    /// How many moves are told of each ranking.
    pub moves: usize,
    /// How many people the sample has.
    pub sample: u32,
}

/// What a policy would do.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// The moment.
    pub at: Timestamp,
    /// The versions compared: the one in force, and the other.
    pub versions: [String; 2],
    /// The caller's tasks.
    pub own: Comparison,
    /// Those of them that move.
    pub moves: Vec<Moved>,
    /// At how many of the next hours the first task differs, and at how many that was looked at.
    pub first_over_hours: (usize, usize),
    /// The sample.
    pub sample: Sample,
    /// Whether time or tasks ran out before everything was looked at.
    pub is_partial: bool,
}

/// A task that moves.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The task.
    pub id: TaskId,
    /// Its title, of the caller's own.
    pub title: Option<String>,
    /// Where it goes.
    pub to: Move,
}

/// What a policy would do to a sample of people.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// How many people have open tasks.
    pub users: usize,
    /// How many open tasks they have.
    pub tasks: usize,
    /// How many people's first task changes.
    pub first_changes: usize,
    /// How many tasks move.
    pub moved: usize,
    /// The mean of the rank correlations (Spearman's, Kendall's) of those who have two tasks or more.
    pub correlations: Option<[f64; 2]>,
    /// On how many tasks each policy failed.
    pub faults: [usize; 2],
    /// What moves furthest: ids and scores only.
    pub moves: Vec<Moved>,
}

/// Two policies: the one in force, and the other.
type Pair = [Arc<dyn Policy>; 2];

/// One person's candidates at a moment.
struct Field {
    candidates: Vec<Candidate>,
    moment: Moment,
}

impl Tasks {
    /// Ranks the caller's tasks, and those of a sample of people, by two policies. Changes nothing.
    ///
    /// # Errors
    ///
    /// What keeps the store from reading.
    pub async fn simulate(
        &self,
        caller: &Caller,
        policies: Pair,
        question: SimulationQuestion,
    ) -> Result<Simulation, PolicyError> {
        let at = question.at.unwrap_or_else(|| self.now());
        let own = self.rankable(caller, at).await.map_err(told)?;
        let titles = own.titles;
        let sampled = self.sampled(&*policies[1], at, question.sample).await?;
        let is_full = i64::try_from(sampled.iter().map(|field| field.candidates.len()).sum::<usize>()).unwrap_or(0);
        let cut = own.is_cut || is_full >= MOST_SAMPLED;
        let field = Field { candidates: own.candidates, moment: own.moment };
        let work = move || simulate(&policies, &field, &sampled, question.moves);
        let mut done = tokio::task::spawn_blocking(work).await.map_err(|_| PolicyError::Interrupted)?;
        for moved in &mut done.moves {
            moved.title = titles.get(moved.to.row).cloned();
        }
        Ok(Simulation { at, is_partial: done.is_partial || cut, ..done })
    }

    async fn sampled(&self, draft: &dyn Policy, at: Timestamp, most: u32) -> StoreResult<Vec<Field>> {
        if most == 0 {
            return Ok(Vec::new());
        }
        // The same version meets the same people again.
        let digest = Sha256::digest(draft.version().as_bytes());
        let share = f64::from(u16::from_be_bytes([digest[0], digest[1]])) / f64::from(u16::MAX);
        let users = self.store().sample_users(share, i64::from(most)).await?;
        let ids: Vec<UserId> = users.iter().map(|user| UserId(user.id)).collect();
        let tasks = self.store().sample_tasks(&ids, MOST_SAMPLED).await?;
        let mut by_user: BTreeMap<UserId, Vec<SampledTask>> = BTreeMap::new();
        for task in tasks {
            by_user.entry(task.user_id).or_default().push(task);
        }
        users.iter().filter_map(|user| Some(field_of(user, by_user.remove(&UserId(user.id))?, at))).collect()
    }
}

/// Nothing but the store can fail here.
fn told(error: TaskError) -> PolicyError {
    match error {
        TaskError::Store(error) => PolicyError::Store(error),
        _ => PolicyError::Interrupted,
    }
}

fn field_of(user: &SampledUser, tasks: Vec<SampledTask>, at: Timestamp) -> StoreResult<Field> {
    let (zone, windows) = crate::accounts::user::days_of(&user.time_zone, user.windows.as_deref())?;
    let awake = |task: &SampledTask| {
        task.candidate.status != Status::Snoozed || task.snoozed_until.is_some_and(|until| until <= at)
    };
    // Who sleeps is waited for all the same.
    let waits = Waits::among(tasks.iter().map(|task| (task.candidate.id, task.parent_id)));
    let waiting = |candidate: Candidate| Candidate {
        blocked_by: waits.blocked_by(candidate.id),
        blocks: waits.blocks(candidate.id),
        ..candidate
    };
    let candidates: Vec<Candidate> = tasks.into_iter().filter(awake).map(|task| waiting(task.candidate)).collect();
    let overdue = candidates.iter().filter(|task| task.due.is_some_and(|due| due.overdue_from(zone) <= at)).count();
    let count = |tasks: usize| u32::try_from(tasks).unwrap_or(u32::MAX);
    let moment =
        Moment { windows, open_tasks: count(candidates.len()), overdue_tasks: count(overdue), ..Moment::new(at, zone) };
    Ok(Field { candidates, moment })
}

fn simulate(policies: &Pair, own: &Field, sampled: &[Field], most: usize) -> Simulation {
    let until = Instant::now() + MOST_TIME;
    let pair: [&dyn Policy; 2] = policies.each_ref().map(|policy| &**policy);
    let rankings = Rankings::new(pair, &own.candidates, &own.moment);
    let shown = |field: &Field, to: Move| Moved { id: field.candidates[to.row].id, title: None, to };
    let moves = rankings.moves(most).into_iter().map(|to| shown(own, to)).collect();
    let over_hours = first_over_hours(pair, &own.candidates, &own.moment, until);
    let mut sample = Sample::default();
    let (mut correlations, mut counted, mut is_partial) = ([0.0; 2], 0_u32, over_hours.1 < 24);
    for field in sampled.iter().filter(|field| !field.candidates.is_empty()) {
        if Instant::now() >= until {
            is_partial = true;
            break;
        }
        let rankings = Rankings::new(pair, &field.candidates, &field.moment);
        let one = rankings.compare();
        sample.users += 1;
        sample.tasks += one.tasks;
        sample.moved += one.moved;
        sample.first_changes += usize::from(one.first_changes);
        sample.faults = [sample.faults[0] + one.faults[0], sample.faults[1] + one.faults[1]];
        if let (Some(spearman), Some(kendall)) = (one.spearman, one.kendall) {
            correlations = [correlations[0] + spearman, correlations[1] + kendall];
            counted += 1;
        }
        if one.moved > 0 && sample.moves.len() < most {
            let room = most - sample.moves.len();
            sample.moves.extend(rankings.moves(room.min(1)).into_iter().map(|to| shown(field, to)));
        }
    }
    sample.correlations = (counted > 0).then(|| correlations.map(|sum| sum / f64::from(counted)));
    Simulation {
        at: own.moment.now,
        versions: pair.map(|policy| policy.version().to_owned()),
        own: rankings.compare(),
        moves,
        first_over_hours: over_hours,
        sample,
        is_partial,
    }
}

/// The caller's candidates, and what they are called.
pub(super) struct Rankable {
    pub(super) candidates: Vec<Candidate>,
    pub(super) titles: Vec<String>,
    pub(super) moment: Moment,
    pub(super) is_cut: bool,
}

impl Rankable {
    pub(super) fn cut(mut self) -> Self {
        self.is_cut = self.candidates.len() > MOST_OWN;
        self.candidates.truncate(MOST_OWN);
        self.titles.truncate(MOST_OWN);
        self
    }
}
