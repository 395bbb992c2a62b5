//! The OAuth protocol without HTTP: clients, grants, tokens and the keys that sign them.
//!
//! - [`scope`], [`resource`], [`error`]: the protocol's words. [`client`]: a program that asks.
//! - [`clients`]: finding them; [`client_auth`], `assertions`, `client_keys`: who they prove to be; [`description`],
//!   [`redirect`]: what they may say of themselves; [`registration`], `documents`, [`static_clients`]: how they come to
//!   be known; [`fetch`], `frugal`, [`addresses`]: getting what they name by URL.
//! - [`grants`]: what people allowed clients. [`codes`], [`exchange`], [`devices`], [`refresh`]: how a client comes to its
//!   tokens; `id_tokens`, [`userinfo`]: what it learns of people; [`introspection`], [`revocation`], [`apps`]: what else
//!   it, and its user, can do with them.
//! - [`tokens`]: access tokens. [`keys`], [`key_ring`], [`key_shelf`], [`key_files`], [`key_check`]: what signs them, and where it is kept.
//! - [`authorization`]: which requests are good, read from their [`parameters`]; [`consents`]: what was allowed before.

pub mod addresses;
pub mod apps;
mod assertions;
pub mod authorization;
pub mod client;
pub mod client_auth;
mod client_keys;
pub mod clients;
pub mod codes;
pub mod consents;
pub mod description;
pub mod devices;
mod documents;
pub mod error;
pub mod exchange;
pub mod fetch;
mod frugal;
pub mod grants;
mod id_tokens;
pub mod introspection;
pub mod key_check;
pub mod key_files;
pub mod key_ring;
pub mod key_shelf;
pub mod keys;
pub mod metadata;
pub mod parameters;
pub mod redirect;
pub mod refresh;
mod refusals;
pub mod registration;
pub mod resource;
pub mod revocation;
pub mod scope;
pub mod static_clients;
pub mod tokens;
pub mod upstream;
mod user_codes;
pub mod userinfo;

pub use client::{AuthMethod, Client, ClientKind, ClientMetadata};
pub use client_auth::ClientProof;
pub use clients::{ClientParts, ClientSettings, Clients};
pub use error::{ErrorCode, OAuthError};
pub use grants::{GrantParts, GrantSettings, Grants};
pub use key_ring::KeyRing;
pub use keys::{KeyError, KeySet};
pub use resource::{Resource, Resources};
pub use scope::{OAuthScope, OAuthScopes};
pub use tokens::{AccessTokens, GrantToken, SessionToken, TokenError, Verified};
