//! The HTTP edge: the only user of poem.
//!
//! - [`problem`], [`payload`]: what handlers answer with.
//! - [`auth`]: who is asking.

pub mod auth;
pub mod payload;
pub mod problem;
