//! The Model Context Protocol over real HTTP: its methods, its tools, and everything that can be wrong with a call.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod access;
mod changing;
mod chat;
mod curl;
mod looking;
mod pointing;
mod protocol;
mod resources;
mod widgets;
