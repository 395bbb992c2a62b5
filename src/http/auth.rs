//! Who is asking: bearer tokens (RFC 6750) become callers.
//!
//! The contract layer reads `Authorization: Bearer …`, asks the [`Authenticator`] once per request and puts the
//! [`Caller`] into the request's extensions, where the extractors of this file find it. An extractor says which scope
//! its operation needs by the name of its security scheme ([`SCHEME_READ`] and its kin, returned by
//! `ApiExtractor::security_schemes`); the document layer turns all of them into the one published scheme [`SCHEME`]
//! and keeps the scope for the contract layer.

use std::error::Error as StdError;

use async_trait::async_trait;

use crate::accounts::Caller;

/// The published name of the security scheme: HTTP bearer.
pub const SCHEME: &str = "bearer";
/// The internal scheme name of operations that need the scope `read`.
pub const SCHEME_READ: &str = "bearer_read";
/// The internal scheme name of operations that need the scope `write`.
pub const SCHEME_WRITE: &str = "bearer_write";
/// The internal scheme name of operations that need the scope `admin`.
pub const SCHEME_ADMIN: &str = "bearer_admin";

/// Turns a bearer token into a caller.
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// Says who holds `token` (the part after `Bearer `, never logged); the caller carries `request_id` on.
    ///
    /// # Errors
    ///
    /// [`AuthError::Invalid`] when the token is worth nothing here, [`AuthError::Unavailable`] when that cannot be told.
    async fn authenticate(&self, token: &str, request_id: &str) -> Result<Caller, AuthError>;
}

/// Why a token made no caller.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// It is malformed, unknown, expired, ended or meant for another service: 401 with `error="invalid_token"`.
    #[error("the access token {0}")]
    Invalid(&'static str),
    /// The store could not be asked: 503.
    #[error("access tokens cannot be checked")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
}
