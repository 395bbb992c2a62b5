//! The door of a protected resource: a bearer token becomes a caller, or a refusal that says how to get a better one.

use std::sync::Arc;

use poem::http::header::AUTHORIZATION;
use poem::http::{HeaderMap, StatusCode};

use super::auth::{AuthError, Authenticator};
use super::challenge::Challenges;
use super::problem::ApiError;
use crate::accounts::{Caller, Scope};
use crate::oauth::Resource;
use crate::observe::metrics::OAuthMetrics;
use crate::observe::reports;

/// The longest credential that is looked at, in bytes.
const MAX_TOKEN: usize = 8192;

/// Lets callers in to one resource.
#[derive(Clone)]
pub struct Gate {
    authenticator: Arc<dyn Authenticator>,
    resource: Resource,
    challenges: Challenges,
    metrics: OAuthMetrics,
}

impl Gate {
    /// The door of `resource`, whose clients are led to the authorization server `issuer`.
    pub fn new(authenticator: Arc<dyn Authenticator>, issuer: &str, resource: Resource) -> Self {
        let metrics = OAuthMetrics::default();
        Self { authenticator, resource, challenges: Challenges::new(issuer, resource), metrics }
    }

    /// Counts in `metrics` from now on.
    #[must_use]
    pub fn counting(self, metrics: OAuthMetrics) -> Self {
        Self { metrics, ..self }
    }

    /// Who asks.
    ///
    /// # Errors
    ///
    /// 401 without a token that is good here; 503 when that cannot be told.
    pub async fn identify(&self, headers: &HeaderMap, needed: Scope, request_id: &str) -> Result<Caller, ApiError> {
        let token = bearer(headers).ok_or_else(|| {
            self.metrics.refused(self.word(), "missing");
            unauthorized("A bearer token is needed: `Authorization: Bearer …`.")
                .header("www-authenticate", self.challenges.missing(self.told(needed)))
        })?;
        match self.authenticator.authenticate(token, self.resource, request_id).await {
            Ok(caller) => {
                reports::note_user(caller.user_id);
                Ok(caller)
            }
            Err(AuthError::Invalid(reason)) => {
                self.metrics.refused(self.word(), reason);
                let error = unauthorized(format!("The access token {reason}."));
                Err(error.header("www-authenticate", self.challenges.invalid(reason, self.told(needed))))
            }
            Err(error @ AuthError::Unavailable(_)) => Err(ApiError::unavailable(&error)),
        }
    }

    const fn word(&self) -> &'static str {
        match self.resource {
            Resource::Api => "api",
            Resource::Mcp => "mcp",
        }
    }

    /// Refuses a caller who lacks a scope.
    ///
    /// # Errors
    ///
    /// 403 that names the scope.
    pub fn demand(&self, caller: &Caller, scope: Scope) -> Result<(), ApiError> {
        if caller.scopes.allow(scope) {
            return Ok(());
        }
        let title = "The credential does not allow this";
        Err(ApiError::new(StatusCode::FORBIDDEN, "insufficient-scope", title)
            .detail(format!("The scope `{}` is needed.", scope.as_str()))
            .header("www-authenticate", self.challenges.insufficient(self.told(scope), caller.scopes)))
    }

    /// What clients are told to ask for. Hosts sign in for the scopes that they are told of first, and most chats are to change
    /// something.
    const fn told(&self, needed: Scope) -> Scope {
        match (self.resource, needed) {
            (Resource::Mcp, Scope::Read) => Scope::Write,
            _ => needed,
        }
    }

    /// 403 for a program, where none of its scopes would help.
    pub fn not_for_programs(&self) -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, "not-for-programs", "Programs cannot do this")
            .detail("This is for people who signed in to MindFlow themselves, not for programs that they connected.")
            .header("www-authenticate", self.challenges.not_for_programs())
    }
}

/// The token of `Authorization: Bearer …` (RFC 6750, section 2.1). Of several such headers none counts: whoever stands in
/// between may have looked at another one.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (only, None) = (all.next()?, all.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= MAX_TOKEN).then_some(token)
}

fn unauthorized(detail: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", "Authentication is needed").detail(detail)
}
