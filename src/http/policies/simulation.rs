//! What a policy would do, as operators ask for it and see it.

use chrono::{DateTime, Utc};
use poem_openapi::Object;
use serde::Serialize;
use uuid::Uuid;

use super::bodies::which;
use crate::accounts::Caller;
use crate::fault::Fault;
use crate::http::fields::{Moment, PolicySource, PolicyVersionName};
use crate::http::problem::ApiError;
use crate::http::task_queries::read_moment;
use crate::policies::comparison::{Comparison, Term};
use crate::policies::versions::testing::Which;
use crate::tasks::simulation::{Moved, Sample, Simulation, SimulationQuestion};

/// Moves that are told when the client does not say.
const MOVES: u32 = 20;

/// What is to be tried.
#[derive(Debug, Object)]
#[oai(rename = "PolicySimulationQuestion", deny_unknown_fields)]
pub(super) struct SimulationInput {
    /// This version.
    version: Option<PolicyVersionName>,
    /// Instead of a version: this script, which is kept nowhere.
    source: Option<PolicySource>,
    /// At this moment instead of now.
    at: Option<Moment>,
    /// How many moves are told; 20 when it is left out.
    #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
    limit: Option<u32>,
    /// How many people's tasks are tried beside your own; none when it is left out. Of them, only ids and scores are told.
    #[oai(validator(minimum(value = "0"), maximum(value = "200")))]
    sample: Option<u32>,
}

impl SimulationInput {
    pub(super) fn open(self, caller: &Caller) -> Result<(Which, SimulationQuestion), ApiError> {
        let mut faults: Vec<Fault> = Vec::new();
        let at = read_moment("/at", self.at.as_ref(), caller, &mut faults);
        if self.version.is_none() && self.source.is_none() {
            faults.push(Fault::new("/version", "is needed, or `/source`"));
        }
        if !faults.is_empty() {
            return Err(ApiError::invalid(faults));
        }
        let moves = self.limit.unwrap_or(MOVES) as usize;
        let question = SimulationQuestion { at, moves, sample: self.sample.unwrap_or(0) };
        Ok((which(self.version, self.source)?, question))
    }
}

/// What a policy would do.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "PolicySimulation")]
pub(super) struct SimulationView {
    /// The moment.
    at: DateTime<Utc>,
    /// The version in force.
    live_version: String,
    /// The version that was tried.
    draft_version: String,
    /// Your tasks.
    own: ComparisonView,
    /// Those of them that move, the furthest first.
    moves: Vec<MoveView>,
    /// At how many of the next hours the first task differs.
    first_changes_hours: usize,
    /// At how many of the next hours that was looked at; 24 unless time ran out.
    looked_at_hours: usize,
    /// The sample of people.
    sample: SampleView,
    /// Whether time or tasks ran out before everything was looked at.
    is_partial: bool,
}

impl From<Simulation> for SimulationView {
    fn from(done: Simulation) -> Self {
        let [live_version, draft_version] = done.versions;
        Self {
            at: done.at.to_utc(),
            live_version,
            draft_version,
            own: ComparisonView::from(done.own),
            moves: done.moves.into_iter().map(MoveView::from).collect(),
            first_changes_hours: done.first_over_hours.0,
            looked_at_hours: done.first_over_hours.1,
            sample: SampleView::from(done.sample),
            is_partial: done.is_partial,
        }
    }
}

/// How two rankings of the same tasks stand to each other.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "PolicyComparison")]
pub(super) struct ComparisonView {
    /// How many tasks were ranked.
    tasks: usize,
    /// How many of them are at another place.
    moved: usize,
    /// Whether another task is the first.
    first_changes: bool,
    /// Spearman's rank correlation, -1 to 1; `null` for fewer than two tasks.
    #[oai(nullable)]
    spearman: Option<f64>,
    /// Kendall's rank correlation, -1 to 1; `null` for fewer than two tasks.
    #[oai(nullable)]
    kendall: Option<f64>,
    /// On how many tasks the version in force failed.
    live_faults: usize,
    /// On how many tasks the other failed.
    draft_faults: usize,
}

impl From<Comparison> for ComparisonView {
    fn from(one: Comparison) -> Self {
        let Comparison { tasks, moved, first_changes, spearman, kendall, faults } = one;
        Self { tasks, moved, first_changes, spearman, kendall, live_faults: faults[0], draft_faults: faults[1] }
    }
}

/// A task that moves.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "PolicyMove")]
pub(super) struct MoveView {
    /// The task.
    task_id: Uuid,
    /// Its title, of your own tasks.
    #[oai(nullable)]
    title: Option<String>,
    /// Its place now, from 1; `null` when it is left out.
    #[oai(nullable)]
    place_before: Option<usize>,
    /// Its place under the other version.
    #[oai(nullable)]
    place_after: Option<usize>,
    /// Its score now; `null` when the policy fails or leaves it out.
    #[oai(nullable)]
    score_before: Option<f64>,
    /// Its score under the other version.
    #[oai(nullable)]
    score_after: Option<f64>,
    /// The terms of the score that differ.
    terms: Vec<TermView>,
}

impl From<Moved> for MoveView {
    fn from(moved: Moved) -> Self {
        let ([place_before, place_after], [score_before, score_after]) = (moved.to.places, moved.to.scores);
        let terms = moved.to.terms.into_iter().map(TermView::from).collect();
        let (task_id, title) = (moved.id.0, moved.title);
        Self { task_id, title, place_before, place_after, score_before, score_after, terms }
    }
}

/// A term of a score that differs.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "PolicyTermChange")]
struct TermView {
    /// Its name.
    name: String,
    /// What it adds to the score now.
    points_before: f64,
    /// What it adds under the other version.
    points_after: f64,
}

impl From<Term> for TermView {
    fn from(term: Term) -> Self {
        Self { name: term.name, points_before: term.points[0], points_after: term.points[1] }
    }
}

/// What a policy would do to a sample of people.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "PolicySample")]
struct SampleView {
    /// How many people with open tasks were looked at.
    users: usize,
    /// How many open tasks they have.
    tasks: usize,
    /// How many of the people get another first task.
    first_changes: usize,
    /// How many tasks are at another place.
    moved: usize,
    /// The mean of Spearman's rank correlations; `null` when nobody has two tasks.
    #[oai(nullable)]
    spearman: Option<f64>,
    /// The mean of Kendall's.
    #[oai(nullable)]
    kendall: Option<f64>,
    /// On how many tasks the version in force failed.
    live_faults: usize,
    /// On how many tasks the other failed.
    draft_faults: usize,
    /// Of some people the task that moves furthest.
    moves: Vec<MoveView>,
}

impl From<Sample> for SampleView {
    fn from(sample: Sample) -> Self {
        Self {
            users: sample.users,
            tasks: sample.tasks,
            first_changes: sample.first_changes,
            moved: sample.moved,
            spearman: sample.correlations.map(|means| means[0]),
            kendall: sample.correlations.map(|means| means[1]),
            live_faults: sample.faults[0],
            draft_faults: sample.faults[1],
            moves: sample.moves.into_iter().map(MoveView::from).collect(),
        }
    }
}
