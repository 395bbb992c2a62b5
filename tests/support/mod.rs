//! The vocabulary that the test binaries share: `#[path = "../support/mod.rs"] mod support;`.
#![allow(dead_code, reason = "no binary says every word")]

pub(crate) mod answer;
pub(crate) mod app;
pub(crate) mod databases;
pub(crate) mod letterbox;
pub(crate) mod redis;
pub(crate) mod stream;
