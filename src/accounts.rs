//! People, their sessions, personal access tokens and preferences.

pub mod caller;

pub use caller::{Caller, Credential, Scope, Scopes};
