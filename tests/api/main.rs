//! The API over real HTTP: tasks, rankings, retries, and everything that can be wrong with a request.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod attachments;
mod bad_input;
mod best;
mod changes;
mod collector;
mod connections;
mod dates;
mod digest;
mod document;
mod edge;
mod events;
mod faults;
mod groups;
mod lists;
mod metrics;
mod policies;
mod preconditions;
mod proxies;
mod reports;
mod retries;
mod shared_limits;
mod shelf;
mod snooze;
mod telemetry;
mod transfer;
mod undo;
mod walls;
