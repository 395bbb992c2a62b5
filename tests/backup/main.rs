//! Backups: made, refused, restored, on both databases and from one to the other.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../store/raw.rs"]
#[expect(unused_imports, reason = "tests of the store say more words")]
mod raw;
#[path = "../store/seed.rs"]
mod seed;
#[path = "../support/mod.rs"]
mod support;

mod busy;
mod crossing;
mod files;
mod program;
mod refused;
mod repack;
mod scheduled;
mod sealed;
mod world;
