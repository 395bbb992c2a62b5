//! People, their sessions, personal access tokens and preferences.

pub mod caller;
pub mod email;
pub mod gather;
pub mod passwords;
pub mod secrets;

pub use caller::{Caller, Credential, Scope, Scopes};
