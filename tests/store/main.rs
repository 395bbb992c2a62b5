//! The store and the services over it, on both databases.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod kept;
mod killed;
mod killed_uploads;
mod outages;
mod paging;
mod planning;
mod plans;
mod pointing;
mod raw;
mod schema;
mod search;
mod seed;
mod statements;
mod together;
mod undo;
mod undo_latest;
mod world;
mod writer;
