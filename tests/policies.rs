//! Policies: the default one's promises, the check, the sandbox, and live edits.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test fails by panicking, and scores are rounded: equal means equal"
)]

#[path = "policies/cli.rs"]
mod cli;
#[path = "policies/default.rs"]
mod default;
#[path = "policies/hostile.rs"]
mod hostile;
#[path = "policies/live.rs"]
mod live;
#[path = "policies/refused.rs"]
mod refused;
#[path = "policies/support.rs"]
mod support;
#[path = "policies/time.rs"]
mod time;
