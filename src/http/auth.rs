//! Who is asking: bearer tokens (RFC 6750) become callers.
//!
//! The contract layer reads `Authorization: Bearer …`, asks the [`Authenticator`] once per request and puts the
//! [`Caller`] into the request's extensions, where the extractors of this file find it. An extractor says which scope
//! its operation needs by the name of its security scheme ([`SCHEME_READ`] and its kin, returned by
//! `ApiExtractor::security_schemes`); the document layer turns all of them into the one published scheme [`SCHEME`]
//! and keeps the scope for the contract layer.

use std::error::Error as StdError;
use std::ops::Deref;

use async_trait::async_trait;
use poem::http::StatusCode;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::problem::ApiError;
use crate::accounts::{Caller, Guard, GuardError};
use crate::oauth::Resource;

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
    /// Says who holds `token` (the part after `Bearer `, never logged) where `resource` is asked for; the caller carries
    /// `request_id` on.
    ///
    /// # Errors
    ///
    /// [`AuthError::Invalid`] when the token is worth nothing here, [`AuthError::Unavailable`] when that cannot be told.
    async fn authenticate(&self, token: &str, resource: Resource, request_id: &str) -> Result<Caller, AuthError>;
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

#[async_trait]
impl Authenticator for Guard {
    async fn authenticate(&self, token: &str, resource: Resource, request_id: &str) -> Result<Caller, AuthError> {
        self.identify(token, resource, request_id).await.map_err(|error| match error {
            GuardError::Invalid(reason) => AuthError::Invalid(reason),
            error @ GuardError::LookUp(_) => AuthError::Unavailable(Box::new(error)),
        })
    }
}

macro_rules! extractors {
    ($($(#[$doc:meta])* $name:ident: $scheme:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub Caller);

        impl Deref for $name {
            type Target = Caller;

            fn deref(&self) -> &Caller {
                &self.0
            }
        }

        impl<'a> ApiExtractor<'a> for $name {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                registry.create_security_scheme($scheme, bearer());
            }

            fn security_schemes() -> Vec<&'static str> {
                vec![$scheme]
            }

            async fn from_request(
                request: &'a Request,
                _body: &mut RequestBody,
                _options: ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                // Only a request that went around the contract layer has none.
                let caller = request.data::<Caller>().cloned().ok_or_else(unauthorized)?;
                Ok(Self(caller))
            }
        }
    )+};
}

extractors! {
    /// A caller who may see their data.
    Reader: SCHEME_READ,
    /// A caller who may change their data.
    Writer: SCHEME_WRITE,
    /// A caller who operates the server.
    Operator: SCHEME_ADMIN,
}

fn bearer() -> MetaSecurityScheme {
    MetaSecurityScheme {
        ty: "http",
        description: None,
        name: None,
        key_in: None,
        scheme: Some("bearer"),
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    }
}

fn unauthorized() -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", "Authentication is needed")
        .header("www-authenticate", "Bearer realm=\"MindFlow\"")
}
