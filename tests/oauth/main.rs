//! Signing in with MindFlow: the authorization server, and the guard of what it protects.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod discovery;
mod documents;
mod guard;
mod keys;
mod redirects;
mod registration;
mod site;
