//! What another version would have put first: the same tasks at the same moments, ranked again.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::Decisions;
use super::kept::{Decision, Outcome};
use super::masking::{Mask, words_of};
use super::reading::DecisionQuestion;
use super::tuning::Variants;
use crate::calendar::Windows;
use crate::clock::Timestamp;
use crate::ids::TaskId;
use crate::policies::comparison::{Comparison, Move, Rankings};
use crate::policies::quiet::Quiet;
use crate::policies::script::ScriptPolicy;
use crate::policies::versions::testing::Which;
use crate::policies::versions::{Actor, PolicyError, Right, Versions};
use crate::scoring::{Context, Explanation, FactTable, Policy, ScoreFault, ScoreRange, Uses, Verdict, round_score};
use crate::store::audit::Slice;

/// Versions that recommended whose terms are told; of others, places and scores.
const MOST_VERSIONS: usize = 8;
/// How long a replay may work; what it did not get to is left out, and said so.
const MOST_TIME: Duration = Duration::from_secs(5);

/// What is asked of a replay.
#[derive(Clone, Debug, Default)]
pub struct ReplayQuestion {
    /// Which recommendations.
    pub decisions: DecisionQuestion,
    /// How many of them, the newest.
    pub limit: u32,
    /// Of how many of them it is told who moves, those whose first task changes before others.
    pub told: usize,
    /// How many moves are told of each.
    pub moves: usize,
}

/// What another version would have recommended.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// The other version.
    pub version: String,
    /// How many recommendations were ranked again.
    pub decisions: usize,
    /// How many of them have another first task.
    pub first_changes: usize,
    /// How many tasks were ranked.
    pub tasks: usize,
    /// How many of them are at another place.
    pub moved: usize,
    /// On how many tasks each version failed.
    pub faults: [usize; 2],
    /// The mean of the rank correlations (Spearman's, Kendall's) of recommendations with two tasks or more.
    pub correlations: Option<[f64; 2]>,
    /// Where the tasks stand that people did.
    pub done: DoneFirst,
    /// Recommendations that come out differently.
    pub changes: Vec<Replayed>,
    /// Whether time ran out before everything was looked at.
    pub is_partial: bool,
}

impl Replay {
    /// The share of the recommendations with another first task; absent when there are none.
    #[expect(clippy::cast_precision_loss, reason = "nobody replays 2^52 recommendations")]
    pub fn first_changes_share(&self) -> Option<f64> {
        (self.decisions > 0).then(|| round_score(self.first_changes as f64 / self.decisions as f64))
    }
}

/// Where the tasks stand that people did: then, and by the other version.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DoneFirst {
    /// Of how many recommendations one of the tasks was done.
    pub decisions: usize,
    /// Of how many of them it stands first: then, and by the other version.
    pub first: [usize; 2],
    /// Its mean place, from 1; absent when none was done.
    pub mean_place: Option<[f64; 2]>,
}

/// A recommendation that comes out differently.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The recommendation.
    pub id: Uuid,
    /// When it was shown.
    pub at: Timestamp,
    /// The version that made it.
    pub version: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The first task then, and by the other version.
    pub first: [Option<TaskId>; 2],
    /// How the rankings stand to each other.
    pub comparison: Comparison,
    /// The tasks that move, the furthest first.
    pub moves: Vec<(TaskId, Move)>,
}

impl Decisions {
    /// Ranks recommendations again by a version or a script.
    ///
    /// # Errors
    ///
    /// A lacking right, an unknown policy or version, a script that is not in order, or what keeps the store from reading.
    pub async fn replay(
        &self,
        actor: Actor<'_>,
        policy: &str,
        which: &Which,
        question: ReplayQuestion,
    ) -> Result<Replay, PolicyError> {
        self.versions.allow(&actor, Right::Read).await?;
        let (script, source) = self.versions.script_with_text(policy, which).await?;
        let decisions = self.newest(policy, &question.decisions, question.limit).await?;
        let thens = thens(&self.versions, policy, &decisions).await;
        let mask = self.mask.clone();
        let work = move || {
            let variants = Variants::default();
            let replayer = Replayer { words: words_of(&source), script, thens, mask, variants };
            replay(&replayer, &decisions, &question)
        };
        self.versions.blocking(work).await
    }

    /// Recommendations by a policy, newest first.
    pub(super) async fn newest(
        &self,
        policy: &str,
        question: &DecisionQuestion,
        limit: u32,
    ) -> Result<Vec<Decision>, PolicyError> {
        if !self.versions.knows(policy).await? {
            return Err(PolicyError::NotFound("policy"));
        }
        self.catch_up(None).await?;
        let slice = Slice { before: None, limit: i64::from(limit) };
        let rows = self.store.list_decisions(&question.filter(policy, None), slice).await?;
        Ok(rows.into_iter().map(Decision::try_from).collect::<Result<_, _>>()?)
    }
}

/// The versions that recommended, as far as they are known and in order.
async fn thens(versions: &Versions, policy: &str, decisions: &[Decision]) -> HashMap<String, Arc<ScriptPolicy>> {
    let names: BTreeSet<&str> = decisions.iter().map(|one| one.row.version.as_str()).collect();
    let mut thens = HashMap::new();
    for name in names.into_iter().take(MOST_VERSIONS) {
        // One that is gone, or that this program does not take any more, explains nothing.
        if let Ok(script) = versions.script(policy, &Which::Version(name.to_owned())).await {
            thens.insert(name.to_owned(), script);
        }
    }
    thens
}

/// Ranks kept tasks by one policy.
struct Replayer {
    /// The texts that its script names.
    words: BTreeSet<String>,
    /// The policy.
    script: Arc<ScriptPolicy>,
    /// The versions that recommended.
    thens: HashMap<String, Arc<ScriptPolicy>>,
    /// Knows what stands for words.
    mask: Mask,
    /// Scripts with the values that somebody had set.
    variants: Variants,
}

fn replay(replayer: &Replayer, decisions: &[Decision], question: &ReplayQuestion) -> Replay {
    let until = Instant::now() + MOST_TIME;
    let mut sum = Sums {
        replay: Replay { version: replayer.script.version().to_owned(), ..Replay::default() },
        ..Sums::default()
    };
    let mut changes: Vec<Replayed> = Vec::new();
    for decision in decisions.iter().filter(|decision| !decision.tasks.is_empty()) {
        if Instant::now() >= until {
            sum.replay.is_partial = true;
            break;
        }
        let one = replayer.one(decision, question.moves, &mut sum);
        if one.comparison.moved > 0 {
            changes.push(one);
        }
    }
    changes.sort_by_key(|one| !one.comparison.first_changes);
    changes.truncate(question.told);
    Replay { changes, ..sum.finish() }
}

impl Replayer {
    fn one(&self, decision: &Decision, moves: usize, sums: &mut Sums) -> Replayed {
        let words = self.mask.words(decision.user(), &self.words);
        let (candidates, moment) = (decision.candidates(&words), decision.moment());
        let params = decision.row.params.as_deref();
        let policy = self.variants.of(&self.script, params);
        let script = self.thens.get(&decision.row.version).map(|script| self.variants.of(script, params));
        let windows = script.as_ref().map_or_else(|| policy.windows(), |script| script.windows());
        let then = Then { decision, script: script.as_deref(), windows };
        let rankings = Rankings::new([&then, &*policy], &candidates, &moment);
        let comparison = rankings.compare();
        let places = rankings.first_rows();
        sums.add(&comparison);
        if let Some(done) = decision.done() {
            let place = |which: usize| rankings.place_of(which, done).unwrap_or(candidates.len());
            sums.add_done([place(0), place(1)]);
        }
        let told = |mut to: Move| {
            if script.is_none() {
                to.terms.clear();
            }
            (candidates[to.row].id, to)
        };
        Replayed {
            id: decision.row.id,
            at: decision.shown_at(),
            version: decision.row.version.clone(),
            outcome: decision.outcome,
            first: places.map(|row| row.map(|row| candidates[row].id)),
            moves: rankings.moves(moves).into_iter().map(told).collect(),
            comparison,
        }
    }
}

#[derive(Default)]
struct Sums {
    replay: Replay,
    correlations: [f64; 2],
    correlated: u32,
    places: [usize; 2],
}

impl Sums {
    fn add(&mut self, one: &Comparison) {
        let replay = &mut self.replay;
        replay.decisions += 1;
        replay.first_changes += usize::from(one.first_changes);
        replay.tasks += one.tasks;
        replay.moved += one.moved;
        replay.faults = [replay.faults[0] + one.faults[0], replay.faults[1] + one.faults[1]];
        if let (Some(spearman), Some(kendall)) = (one.spearman, one.kendall) {
            self.correlations = [self.correlations[0] + spearman, self.correlations[1] + kendall];
            self.correlated += 1;
        }
    }

    fn add_done(&mut self, places: [usize; 2]) {
        let done = &mut self.replay.done;
        done.decisions += 1;
        for (which, place) in places.into_iter().enumerate() {
            done.first[which] += usize::from(place == 0);
            self.places[which] += place + 1;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody replays 2^52 recommendations")]
    fn finish(mut self) -> Replay {
        let mean = |sum: f64| round_score(sum / f64::from(self.correlated));
        self.replay.correlations = (self.correlated > 0).then(|| self.correlations.map(mean));
        let count = self.replay.done.decisions;
        let mean = |sum: usize| round_score(sum as f64 / count as f64);
        self.replay.done.mean_place = (count > 0).then(|| self.places.map(mean));
        self.replay
    }
}

/// What was said then: the scores that were shown, explained by the version that made them where that is known.
struct Then<'a> {
    decision: &'a Decision,
    script: Option<&'a Quiet>,
    /// Of people without their own.
    windows: Windows,
}

impl Policy for Then<'_> {
    fn name(&self) -> &str {
        &self.decision.row.policy
    }

    fn version(&self) -> &str {
        &self.decision.row.version
    }

    fn windows(&self) -> Windows {
        self.windows
    }

    fn range(&self) -> Option<ScoreRange> {
        None
    }

    fn uses(&self) -> Uses {
        Uses::ALL
    }

    fn score(&self, _: &FactTable, _: &Context) -> Vec<Verdict> {
        let verdict = |score: Option<f64>| score.map_or_else(|| Verdict::Fault(Arc::new(failure())), Verdict::Score);
        self.decision.tasks.iter().map(|task| verdict(task.score)).collect()
    }

    fn explain(&self, facts: &FactTable, row: usize, ctx: &Context) -> Explanation {
        self.script.map_or_else(|| Explanation::failed(Arc::new(failure())), |script| script.explain(facts, row, ctx))
    }
}

fn failure() -> ScoreFault {
    ScoreFault {
        message: "the version that recommended is not known any more, or it failed".to_owned(),
        line: None,
        column: None,
    }
}
