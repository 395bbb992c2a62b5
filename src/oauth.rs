//! The OAuth protocol without HTTP: clients, grants, tokens and the keys that sign them.
//!
//! - [`scope`], [`resource`], [`error`]: the protocol's words. [`client`]: a program that asks.
//! - [`keys`], [`key_files`], [`tokens`]: access tokens and what signs them.

pub mod client;
pub mod error;
pub mod key_files;
pub mod keys;
pub mod resource;
pub mod scope;
pub mod tokens;

pub use error::{ErrorCode, OAuthError};
pub use keys::{KeyError, KeySet};
pub use resource::{Resource, Resources};
pub use scope::{OAuthScope, OAuthScopes};
pub use tokens::{AccessTokens, Audience, Grant, TokenError, Verified};
