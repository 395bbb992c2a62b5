//! The files of `deploy/`, held against the programs that read them; and the server as they run it.
//!
//! The programs come from `tests/services/with`, which brings those that the machine lacks.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod doctor;
mod env;
mod files;
mod image;
mod proxied;
mod release;
mod server;
mod tools;
