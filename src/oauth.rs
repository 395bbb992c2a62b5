//! The OAuth protocol without HTTP: signing keys and access tokens.

pub mod key_files;
pub mod keys;
pub mod tokens;

pub use keys::{KeyError, KeySet};
pub use tokens::{AccessTokens, Audience, Grant, TokenError, Verified};
