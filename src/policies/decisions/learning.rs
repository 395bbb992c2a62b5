//! Other values of a policy's parameters, proposed from what people did: a draft with a report, never more.

use std::sync::Arc;

use serde_json::json;

use super::Decisions;
use super::defaults::with_defaults;
use super::kept::Decision;
use super::masking::words_of;
use super::objective::{Agreement, Example, Found, agreement, is_held_back, search};
use super::reading::DecisionQuestion;
use super::replaying::{Replay, ReplayQuestion};
use super::tuning::tuned;
use crate::fault::Fault;
use crate::policies::versions::testing::Which;
use crate::policies::versions::{Actor, PolicyError, Proposal, Proposed, Right};
use crate::scoring::Policy as _;
use crate::scoring::params::{ParamValue, ParamValues};

/// The fewest recommendations of whose tasks one was done; from fewer, chance would be learned.
pub const LEAST_EXAMPLES: usize = 40;
/// The fewest of them that are held back from the search.
const LEAST_HELD_BACK: usize = 6;
/// The most recommendations that are looked at, the newest.
const MOST_DECISIONS: u32 = 2_000;

/// What is asked of the learner.
#[derive(Clone, Debug, Default)]
pub struct LearnQuestion {
    /// From which recommendations.
    pub decisions: DecisionQuestion,
    /// Which of them are held back, and in which order parameters are tried.
    pub seed: u64,
    /// Whether what was learned is only told, and not kept as a draft.
    pub is_dry: bool,
}

/// What came of learning.
#[derive(Debug)]
pub enum Lesson {
    /// The policy has no parameters.
    NoParams,
    /// Too few recommendations of whose tasks one was done: how many there are.
    TooFew(usize),
    /// No other values agree better with what people did.
    AsGoodAsItGets(Agreement),
    /// Other values agree better with the examples they were learned from, and not with those that were held back.
    NotBorneOut(Box<Learned>),
    /// Better values, and the draft that has them as its defaults.
    Better {
        /// The values.
        learned: Box<Learned>,
        /// The draft; absent when it was not to be kept.
        draft: Option<Box<Proposed>>,
        /// What the draft would have recommended.
        replay: Box<Replay>,
    },
}

/// Other values, and how they agree with what people did: as it is, and with the values.
#[derive(Clone, Debug)]
pub struct Learned {
    /// The version from which it set out.
    pub parent: String,
    /// The parameters that change: from, to.
    pub changes: Vec<(String, ParamValue, ParamValue)>,
    /// On the examples that it learned from.
    pub learned_from: [Agreement; 2],
    /// On the examples that were held back.
    pub held_back: [Agreement; 2],
    /// How often values were tried.
    pub trials: usize,
}

impl Learned {
    /// What was learned, in a sentence.
    pub fn sentence(&self) -> String {
        let changes: Vec<String> =
            self.changes.iter().map(|(name, from, to)| format!("{name} {from} -> {to}")).collect();
        let [before, after] = &self.held_back;
        format!(
            "Learned from {} recommendations and tried on {} others: {}. There, the task that was done stands first in {} \
             instead of {}, and at place {:.2} instead of {:.2}.",
            self.learned_from[0].examples,
            before.examples,
            changes.join(", "),
            after.first,
            before.first,
            after.mean_place,
            before.mean_place
        )
    }
}

impl Decisions {
    /// Learns values of a policy's parameters from kept recommendations, and keeps a draft with them when they are better.
    ///
    /// # Errors
    ///
    /// A lacking right, an unknown policy, or what keeps the store from reading or writing.
    pub async fn learn(&self, actor: Actor<'_>, policy: &str, question: LearnQuestion) -> Result<Lesson, PolicyError> {
        self.versions.allow(&actor, Right::Read).await?;
        let (script, source) = self.versions.script_with_text(policy, &Which::Live).await?;
        if script.params().is_empty() {
            return Ok(Lesson::NoParams);
        }
        let from = script.params().defaults();
        let decisions = self.newest(policy, &question.decisions, MOST_DECISIONS).await?;
        let (learn, held) = self.examples(&decisions, &source, question.seed);
        if learn.len() + held.len() < LEAST_EXAMPLES || held.len() < LEAST_HELD_BACK {
            return Ok(Lesson::TooFew(learn.len() + held.len()));
        }
        let (tried, seed) = (Arc::clone(&script), question.seed);
        let work = move || {
            // From what the script declares, whatever an operator set of it.
            let tune = |values: &ParamValues| tuned(&tried, values);
            let found = search(&tune, tried.params(), &learn, seed);
            let (before, after) = (tune(&ParamValues::new()), tune(&found.values));
            let both = |examples: &[Example]| [agreement(&before, examples), agreement(&after, examples)];
            (both(&learn), both(&held), found)
        };
        let (learned_from, held_back, found) = self.versions.blocking(work).await?;
        if found.values.is_empty() {
            return Ok(Lesson::AsGoodAsItGets(held_back[0]));
        }
        let learned = learned(script.version(), &from, found, [learned_from, held_back]);
        if !learned.held_back[1].is_better_than(&learned.held_back[0]) {
            return Ok(Lesson::NotBorneOut(Box::new(learned)));
        }
        self.propose(actor, policy, &source, learned, question).await
    }

    async fn propose(
        &self,
        actor: Actor<'_>,
        policy: &str,
        source: &str,
        learned: Learned,
        question: LearnQuestion,
    ) -> Result<Lesson, PolicyError> {
        let values: ParamValues = learned.changes.iter().map(|(name, _, to)| (name.clone(), to.clone())).collect();
        let text =
            with_defaults(source, &values).ok_or_else(|| not_taken("holds a default that is not a plain value"))?;
        let which = Which::Source(text.clone());
        let (script, _) = self.versions.script_with_text(policy, &which).await?;
        let defaults = script.params().defaults();
        if values.iter().any(|(name, value)| defaults.get(name) != Some(value)) {
            return Err(not_taken("holds a default that cannot be replaced in the text"));
        }
        let draft = if question.is_dry {
            None
        } else {
            let message = format!("{} Seed {}.", learned.sentence(), question.seed);
            let proposal = Proposal { source: text, message, known: Some(vec![learned.parent.clone()]) };
            Some(Box::new(self.versions.propose(actor, policy, proposal, None).await?))
        };
        let replay = ReplayQuestion { decisions: question.decisions, limit: 500, told: 10, moves: 5 };
        let replay = Box::new(self.replay(actor, policy, &which, replay).await?);
        Ok(Lesson::Better { learned: Box::new(learned), draft, replay })
    }

    /// Recommendations of whose tasks one was done: those to learn from, and those that are held back.
    fn examples(&self, decisions: &[Decision], source: &str, seed: u64) -> (Vec<Example>, Vec<Example>) {
        let words = words_of(source);
        let (mut learn, mut held) = (Vec::new(), Vec::new());
        for decision in decisions.iter().filter(|decision| decision.tasks.len() > 1) {
            let Some(done) = decision.done() else { continue };
            let words = self.mask.words(decision.user(), &words);
            let example = Example { candidates: decision.candidates(&words), moment: decision.moment(), done };
            if is_held_back(seed, decision.row.id) { held.push(example) } else { learn.push(example) }
        }
        (learn, held)
    }
}

fn learned(parent: &str, from: &ParamValues, found: Found, agreements: [[Agreement; 2]; 2]) -> Learned {
    let [learned_from, held_back] = agreements;
    let change = |(name, to): (String, ParamValue)| {
        let from = from.get(&name).cloned().unwrap_or_else(|| to.clone());
        (name, from, to)
    };
    Learned {
        parent: parent.to_owned(),
        changes: found.values.into_iter().map(change).collect(),
        learned_from,
        held_back,
        trials: found.trials,
    }
}

/// A default that the learner found, and the policy does not take.
fn not_taken(message: &str) -> PolicyError {
    PolicyError::Invalid(vec![Fault::new("PARAMS", message)])
}

impl Agreement {
    /// As data.
    pub fn as_json(&self) -> serde_json::Value {
        json!({ "examples": self.examples, "loss": self.loss, "first": self.first, "mean_place": self.mean_place })
    }
}
