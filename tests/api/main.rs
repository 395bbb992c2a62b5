//! The API over real HTTP: tasks, rankings, retries, and everything that can be wrong with a request.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test fails by panicking, and scores are rounded: equal means equal"
)]

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod best;
mod changes;
mod dates;
mod document;
mod edge;
mod groups;
mod lists;
mod retries;
mod snooze;
mod undo;
