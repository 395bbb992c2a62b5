//! Policy scripts: sandbox, checks, live reload.
//!
//! A policy is a Rhai script of pure functions and constant tables in `<folder>/<name>/policy.rhai`. [`LivePolicies`]
//! holds those in use; [`PolicyWatch`] takes over what is saved. Whoever scores takes a
//! [`Policy`](crate::scoring::Policy) from it and knows nothing of Rhai.
//!
//! - [`mod@compile`], [`syntax`], [`constants`]: from text to something that runs in the sandbox of [`engine`].
//! - [`script`]: the interpreter behind the interface of `scoring`. [`mod@check`]: what a script must pass.
//! - [`versions`]: texts that were proposed, put in force and taken back, and who did it.
//! - [`decisions`]: what people were recommended, what became of it, and what another version would have recommended.
//! - [`agreement`]: whether the compiled form says what the interpreter says.
//! - [`cases`]: worked examples; [`coverage`]: what they reach; [`lints`]: what is probably a slip.
//! - [`folder`], [`live`], [`watch`]: files, swaps, changes. [`shipped`]: what we bring.

pub mod agreement;
pub mod candidates;
pub mod cases;
pub mod check;
pub mod comparison;
pub mod compile;
pub mod constants;
pub mod corpus;
pub mod coverage;
pub mod decisions;
pub mod engine;
pub mod fault;
pub mod folder;
mod growth;
mod hints;
mod last_good;
pub mod lints;
pub mod live;
mod memo;
mod params;
pub mod pins;
pub mod quiet;
pub mod schema;
pub mod script;
pub mod shadows;
pub mod shipped;
mod sizes;
mod spread;
pub mod status;
mod suggest;
pub mod syntax;
mod values;
mod variants;
pub mod versions;
pub mod watch;
mod words;

pub use cases::{CaseFailure, CaseReport};
pub use check::check;
pub use fault::PolicyFault;
pub use live::{CaseRule, LivePolicies, PolicyStatus, Refusal, Reload, Snapshot};
pub use script::ScriptPolicy;
pub use watch::{Events, PolicyWatch, WatchOptions};
