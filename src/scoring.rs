//! The native core: facts, scores, ranking, explanation. Pure: no I/O, no clock, no randomness.
//!
//! A caller makes [`Candidate`]s and one [`Moment`]; [`rank()`] asks a [`Policy`] for the scores of all of them at
//! once and orders them. Which numbers and words a score is made of is the policy's business alone.
//!
//! - [`facts`]: what is known of a task, as columns; [`moment`]: what is known of the person's present.
//! - [`fields`]: the names under which policies see both, and which of them a policy reads.
//! - [`policy`]: the interface of a policy. [`rank`](mod@rank): the total order. [`explain`]: why.
//! - [`change`]: when a score changes next. [`crowd`]: what the other tasks have to do with it. [`levers`](mod@levers): what would move it. [`versus`]: why not
//!   another.
//! - [`params`]: what people may set of a policy.

pub mod change;
pub mod crowd;
pub mod explain;
pub mod facts;
pub mod fields;
pub mod levers;
pub mod lower;
pub mod moment;
pub mod native;
pub mod params;
pub mod policy;
pub mod rank;
pub mod versus;

pub use change::{NextChange, next_change};
pub use crowd::Crowd;
pub use explain::{Classic, Explanation, Part};
pub use facts::{Candidate, Dates, FactTable, Facts, Status};
pub use fields::{ContextField, TaskField, Uses};
pub use levers::{Lever, LeverChange, levers};
pub use moment::{Context, Energy, Moment};
pub use policy::{Policy, PolicyUsed, ScoreFault, ScoreRange, ScoreSheet, Scores, Verdict, round_score};
pub use rank::{Ranked, Ranking, by_score, rank, rank_facts, top};
pub use versus::{Gap, gaps};
