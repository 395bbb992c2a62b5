//! Two instances over one PostgreSQL behave as one: whatever began at one goes on at the other.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

#[path = "../oauth/browser.rs"]
#[expect(dead_code, reason = "the words are those of the tests of signing in")]
mod browser;
#[path = "../oauth/provider.rs"]
#[expect(dead_code, reason = "the words are those of the tests of signing in")]
mod provider;

mod balancer;
mod events;
mod killed;
mod sign_in;
mod together;
