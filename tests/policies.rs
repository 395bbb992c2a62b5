//! Policies: the default one's promises, the check, the sandbox, and live edits.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test fails by panicking, and scores are rounded: equal means equal"
)]

#[path = "policies/broken.rs"]
mod broken;
#[path = "policies/cli.rs"]
mod cli;
#[path = "policies/default.rs"]
mod default;
#[path = "policies/differential.rs"]
mod differential;
#[path = "policies/hostile.rs"]
mod hostile;
#[path = "policies/lints.rs"]
mod lints;
#[path = "policies/live.rs"]
mod live;
#[path = "policies/native.rs"]
mod native;
#[path = "policies/params.rs"]
mod params;
#[path = "policies/random.rs"]
mod random;
#[path = "policies/refused.rs"]
mod refused;
#[path = "policies/schema.rs"]
mod schema;
#[path = "policies/shelf.rs"]
mod shelf;
#[path = "policies/support.rs"]
mod support;
#[path = "policies/taskwarrior.rs"]
mod taskwarrior;
#[path = "policies/time.rs"]
mod time;
