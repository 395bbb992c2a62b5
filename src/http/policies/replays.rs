//! What another version would have recommended, as operators ask for it and see it.

use chrono::{DateTime, Utc};
use poem_openapi::Object;
use serde::Serialize;
use uuid::Uuid;

use super::bodies::which;
use super::decided::OutcomeName;
use super::simulation::{ComparisonView, MoveView};
use crate::accounts::Caller;
use crate::fault::Fault;
use crate::http::fields::{Moment, PolicySource, PolicyVersionName};
use crate::http::problem::ApiError;
use crate::http::task_queries::read_moment;
use crate::policies::decisions::reading::DecisionQuestion;
use crate::policies::decisions::replaying::{DoneFirst, Replay, ReplayQuestion, Replayed};
use crate::policies::versions::testing::Which;
use crate::tasks::simulation::Moved;

/// Recommendations that are ranked again when the client does not say.
const DECISIONS: u32 = 500;
/// Of how many it is told who moves.
const TOLD: usize = 20;
/// Moves that are told of each.
const MOVES: usize = 5;

/// What is to be ranked again, and by what.
#[derive(Debug, Object)]
#[oai(rename = "PolicyReplayQuestion", deny_unknown_fields)]
pub(super) struct ReplayInput {
    /// By this version.
    version: Option<PolicyVersionName>,
    /// Instead of a version: by this script, which is kept nowhere.
    source: Option<PolicySource>,
    /// Recommendations that were shown at this moment or later.
    from: Option<Moment>,
    /// Recommendations that were shown before this moment.
    to: Option<Moment>,
    /// Recommendations of this version only.
    recommended_by: Option<PolicyVersionName>,
    /// Recommendations with this outcome only.
    outcome: Option<OutcomeName>,
    /// How many recommendations, the newest; 500 when it is left out.
    #[oai(validator(minimum(value = "1"), maximum(value = "2000")))]
    limit: Option<u32>,
}

impl ReplayInput {
    pub(super) fn open(self, caller: &Caller) -> Result<(Which, ReplayQuestion), ApiError> {
        let mut faults: Vec<Fault> = Vec::new();
        let from = read_moment("/from", self.from.as_ref(), caller, &mut faults);
        let to = read_moment("/to", self.to.as_ref(), caller, &mut faults);
        if self.version.is_none() && self.source.is_none() {
            faults.push(Fault::new("/version", "is needed, or `/source`"));
        }
        let decisions = DecisionQuestion {
            version: self.recommended_by.map(|version| version.0),
            outcome: self.outcome.map(OutcomeName::outcome),
            from,
            to,
        };
        faults.extend(decisions.fault("/to", "/from"));
        if !faults.is_empty() {
            return Err(ApiError::invalid(faults));
        }
        let limit = self.limit.unwrap_or(DECISIONS);
        let question = ReplayQuestion { decisions, limit, told: TOLD, moves: MOVES };
        Ok((which(self.version, self.source)?, question))
    }
}

/// What another version would have recommended.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "PolicyReplay")]
pub(super) struct ReplayView {
    /// The version that ranked again.
    version: String,
    /// How many recommendations were ranked again.
    decisions: usize,
    /// How many of them have another first task.
    first_changes: usize,
    /// The share of these, 0 to 1; `null` when there are none.
    #[oai(nullable)]
    first_changes_share: Option<f64>,
    /// How many tasks were ranked, of each recommendation the first twenty at most.
    tasks: usize,
    /// How many of them are at another place.
    moved: usize,
    /// The mean of Spearman's rank correlations, -1 to 1; `null` when no recommendation has two tasks.
    #[oai(nullable)]
    spearman: Option<f64>,
    /// The mean of Kendall's.
    #[oai(nullable)]
    kendall: Option<f64>,
    /// On how many tasks the versions that recommended failed.
    shown_faults: usize,
    /// On how many tasks this version fails.
    draft_faults: usize,
    /// Where the tasks stand that people did.
    done: DoneView,
    /// Recommendations that come out differently, those with another first task first.
    changes: Vec<ReplayedView>,
    /// Whether time ran out before everything was ranked again.
    is_partial: bool,
}

/// Where the tasks stand that people did: the one that was recommended, or the one that was done instead.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "PolicyReplayDone")]
struct DoneView {
    /// Of how many recommendations one of the tasks was done.
    decisions: usize,
    /// Of how many of them it stood first.
    first_before: usize,
    /// Of how many of them it stands first by this version.
    first_after: usize,
    /// Its mean place then, from 1; `null` when none was done.
    #[oai(nullable)]
    mean_place_before: Option<f64>,
    /// Its mean place by this version.
    #[oai(nullable)]
    mean_place_after: Option<f64>,
}

impl From<DoneFirst> for DoneView {
    fn from(done: DoneFirst) -> Self {
        Self {
            decisions: done.decisions,
            first_before: done.first[0],
            first_after: done.first[1],
            mean_place_before: done.mean_place.map(|places| places[0]),
            mean_place_after: done.mean_place.map(|places| places[1]),
        }
    }
}

/// A recommendation that comes out differently.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "ReplayedDecision")]
struct ReplayedView {
    /// The recommendation.
    decision_id: Uuid,
    /// When it was shown.
    at: DateTime<Utc>,
    /// The version that recommended.
    recommended_by: String,
    /// What became of it.
    outcome: OutcomeName,
    /// The task that was recommended.
    #[oai(nullable)]
    first_before: Option<Uuid>,
    /// The task that this version puts first; `null` when it leaves all of them out.
    #[oai(nullable)]
    first_after: Option<Uuid>,
    /// How the rankings stand to each other.
    comparison: ComparisonView,
    /// The tasks that move, the furthest first; five at most.
    moves: Vec<MoveView>,
}

impl From<Replayed> for ReplayedView {
    fn from(one: Replayed) -> Self {
        let [first_before, first_after] = one.first.map(|task| task.map(|task| task.0));
        let moves = one.moves.into_iter().map(|(id, to)| MoveView::from(Moved { id, title: None, to }));
        Self {
            decision_id: one.id,
            at: one.at.to_utc(),
            recommended_by: one.version,
            outcome: OutcomeName::of(one.outcome),
            first_before,
            first_after,
            comparison: ComparisonView::from(one.comparison),
            moves: moves.collect(),
        }
    }
}

impl From<Replay> for ReplayView {
    fn from(done: Replay) -> Self {
        Self {
            first_changes_share: done.first_changes_share(),
            version: done.version,
            decisions: done.decisions,
            first_changes: done.first_changes,
            tasks: done.tasks,
            moved: done.moved,
            spearman: done.correlations.map(|means| means[0]),
            kendall: done.correlations.map(|means| means[1]),
            shown_faults: done.faults[0],
            draft_faults: done.faults[1],
            done: DoneView::from(done.done),
            changes: done.changes.into_iter().map(ReplayedView::from).collect(),
            is_partial: done.is_partial,
        }
    }
}
