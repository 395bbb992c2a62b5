//! The OAuth protocol without HTTP: clients, grants, tokens and the keys that sign them.
//!
//! - [`scope`], [`resource`], [`error`]: the protocol's words. [`client`]: a program that asks.
//! - [`clients`]: finding them; [`client_auth`], [`assertions`], [`client_keys`]: who they prove to be; [`description`],
//!   [`redirect`]: what they may say of themselves; [`registration`], [`documents`], [`static_clients`]: how they come to
//!   be known; [`fetch`], [`frugal`], [`addresses`]: getting what they name by URL.
//! - [`tokens`]: access tokens. [`keys`], [`key_ring`], [`key_shelf`], [`key_files`]: what signs them, and where it is kept.

pub mod addresses;
mod assertions;
pub mod client;
pub mod client_auth;
mod client_keys;
pub mod clients;
pub mod description;
mod documents;
pub mod error;
pub mod fetch;
mod frugal;
pub mod key_files;
pub mod key_ring;
pub mod key_shelf;
pub mod keys;
pub mod metadata;
pub mod redirect;
pub mod registration;
pub mod resource;
pub mod scope;
pub mod static_clients;
pub mod tokens;

pub use client::{AuthMethod, Client, ClientKind, ClientMetadata};
pub use client_auth::ClientProof;
pub use clients::{ClientParts, ClientSettings, Clients};
pub use error::{ErrorCode, OAuthError};
pub use key_ring::KeyRing;
pub use keys::{KeyError, KeySet};
pub use resource::{Resource, Resources};
pub use scope::{OAuthScope, OAuthScopes};
pub use tokens::{AccessTokens, GrantToken, SessionToken, TokenError, Verified};
