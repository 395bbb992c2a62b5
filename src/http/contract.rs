//! The contract layer: requests are held against the OpenAPI document before a handler sees them.
//!
//! The document is compiled once at the start. Each request is then matched, authenticated, counted, read and checked,
//! in the order 401, 403, 429, 413/415/400, 422; the last tells **all** faults of path, query, headers and body, those
//! that only the operation itself can see included.

mod body;
mod faults;
mod json;
mod operation;
mod parameters;
mod read_only;
mod rehearsal;
mod repair;
mod schema;

use std::collections::BTreeMap;
use std::sync::Arc;

use poem::Request;
use poem::http::header::AUTHORIZATION;
use poem::http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

pub use self::body::BodyLimits;
pub(super) use self::body::too_slow;
use self::operation::Operation;
pub(super) use self::rehearsal::Operations;
use super::auth::{AuthError, Authenticator};
use super::challenge::Challenges;
use super::document::ApiDocument;
use super::limits::{Limits, Remaining, Subject};
use super::problem::{ApiError, Fault};
use crate::accounts::{Caller, Scope};
use crate::ids::UserId;

/// The most faults that one answer lists.
const MAX_FAULTS: usize = 100;
/// The longest credential that is looked at, in bytes.
const MAX_TOKEN: usize = 8192;

/// The document, compiled, and what deciding about requests needs.
pub struct Contract {
    router: matchit::Router<Path>,
    authenticator: Arc<dyn Authenticator>,
    limits: Arc<Limits>,
    challenges: Challenges,
    body_limits: BodyLimits,
}

/// The operations of one route pattern.
#[derive(Debug)]
struct Path {
    pattern: Arc<str>,
    operations: Vec<(Method, Operation)>,
}

/// The document describes something that cannot be served; a programming error, found at the start.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the API's description cannot be compiled: {0}")]
pub struct ContractError(String);

impl From<matchit::InsertError> for ContractError {
    fn from(error: matchit::InsertError) -> Self {
        Self(error.to_string())
    }
}

/// What is known about a request, filled as it goes; the log and the answer's headers are made from it.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) request_id: Arc<str>,
    /// The route pattern, when one matched.
    pub(super) route: Option<Arc<str>>,
    pub(super) user: Option<UserId>,
    pub(super) remaining: Option<Remaining>,
}

/// Where a request leads.
pub(super) enum Found<'a, 'p> {
    /// To an operation.
    Operation(Matched<'a, 'p>),
    /// To a path that has no such method; these it has.
    OtherMethods(String),
    /// Nowhere.
    Nothing,
}

/// An operation and the texts of its path parameters.
pub(super) struct Matched<'a, 'p> {
    operation: &'a Operation,
    path: matchit::Params<'a, 'p>,
}

impl Contract {
    /// Compiles the document.
    ///
    /// # Errors
    ///
    /// When an operation has no id, a schema is wrong or two patterns collide.
    pub fn compile(
        document: &ApiDocument,
        authenticator: Arc<dyn Authenticator>,
        limits: Arc<Limits>,
        challenges: Challenges,
        body_limits: BodyLimits,
    ) -> Result<Self, ContractError> {
        let mut router = matchit::Router::new();
        for (pattern, item) in document.value["paths"].as_object().into_iter().flatten() {
            let shared: Arc<str> = pattern.as_str().into();
            let operations = compile_path(&shared, item, document).map_err(ContractError)?;
            let path = Path { pattern: shared, operations };
            router.insert(pattern.clone(), path).map_err(|error| ContractError(format!("{pattern}: {error}")))?;
        }
        Ok(Self { router, authenticator, limits, challenges, body_limits })
    }

    /// Finds the operation for a method (`HEAD` counts as `GET`) and a path.
    pub(super) fn find<'a, 'p>(&'a self, method: &Method, path: &'p str, exchange: &mut Exchange) -> Found<'a, 'p> {
        let Ok(matched) = self.router.at(path) else { return Found::Nothing };
        exchange.route = Some(Arc::clone(&matched.value.pattern));
        match matched.value.operations.iter().find(|(own, _)| own == method) {
            Some((_, operation)) => Found::Operation(Matched { operation, path: matched.params }),
            None => Found::OtherMethods(matched.value.allowed()),
        }
    }

    /// Decides whether the operation may run; if so, the request carries the [`Caller`] and a body that parses.
    pub(super) async fn admit(
        &self,
        matched: &Matched<'_, '_>,
        request: &mut Request,
        exchange: &mut Exchange,
        operations: &Operations,
    ) -> Result<(), ApiError> {
        let operation = matched.operation;
        let mut subject = Subject::address(request.remote_addr().as_socket_addr().map(std::net::SocketAddr::ip));
        if let Some(scope) = operation.scope {
            let caller = self.authenticate(request.headers(), scope, &exchange.request_id).await?;
            exchange.user = Some(caller.user_id);
            if operation.class == super::limits::Class::General {
                subject = Subject::User(caller.user_id.0);
            }
            if !operation.reach.includes(caller.credential) {
                return Err(self.not_for_programs());
            }
            if !caller.scopes.allow(scope) {
                return Err(self.insufficient(scope));
            }
            request.set_data(caller);
        }
        exchange.remaining = self.limits.count(operation.class, subject)?;
        let parsed = if let Some(rule) = &operation.body {
            body::read(request, rule, self.body_limits).await?
        } else {
            body::sign(request, &[]);
            None
        };
        let mut faults = faults_of(matched, request, parsed.as_ref());
        if faults.is_empty() {
            return Ok(());
        }
        rehearsal::tell_more(operation, request, parsed.as_ref(), operations, &mut faults, MAX_FAULTS).await;
        Err(refused(faults))
    }

    async fn authenticate(&self, headers: &HeaderMap, needed: Scope, request_id: &str) -> Result<Caller, ApiError> {
        let token = bearer(headers).ok_or_else(|| {
            unauthorized("A bearer token is needed: `Authorization: Bearer …`.")
                .header("www-authenticate", self.challenges.missing(needed))
        })?;
        match self.authenticator.authenticate(token, request_id).await {
            Ok(caller) => Ok(caller),
            Err(AuthError::Invalid(reason)) => {
                let error = unauthorized(format!("The access token {reason}."));
                Err(error.header("www-authenticate", self.challenges.invalid(reason, needed)))
            }
            Err(error @ AuthError::Unavailable(_)) => Err(ApiError::unavailable(&error)),
        }
    }

    fn insufficient(&self, scope: Scope) -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, "insufficient-scope", "The credential does not allow this")
            .detail(format!("The scope `{}` is needed.", scope.as_str()))
            .header("www-authenticate", self.challenges.insufficient(scope))
    }

    fn not_for_programs(&self) -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, "not-for-programs", "Programs cannot do this")
            .detail("This is for people who signed in to MindFlow themselves, not for programs that they connected.")
            .header("www-authenticate", self.challenges.not_for_programs())
    }
}

impl Path {
    /// The value of `Allow` (RFC 9110, section 10.2.1).
    fn allowed(&self) -> String {
        let mut methods: Vec<&str> = self.operations.iter().map(|(method, _)| method.as_str()).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.push("OPTIONS");
        methods.join(", ")
    }
}

impl Matched<'_, '_> {
    /// The operation's id.
    pub(super) fn operation_id(&self) -> &Arc<str> {
        &self.operation.id
    }
}

fn compile_path(pattern: &Arc<str>, item: &Value, document: &ApiDocument) -> Result<Vec<(Method, Operation)>, String> {
    let described: BTreeMap<_, _> = item.as_object().into_iter().flatten().collect();
    described
        .into_iter()
        .map(|(method, operation)| {
            let method = Method::try_from(method.to_uppercase().as_str()).map_err(|error| error.to_string())?;
            let operation = Operation::compile(&method, pattern, operation, document)?;
            Ok((method, operation))
        })
        .collect()
}

fn faults_of(matched: &Matched<'_, '_>, request: &Request, body: Option<&json::Parsed>) -> Vec<Fault> {
    let operation = matched.operation;
    let mut found = Vec::new();
    parameters::check_path(operation, &matched.path, MAX_FAULTS, &mut found);
    parameters::check_query(operation, request.uri().query(), MAX_FAULTS, &mut found);
    parameters::check_headers(operation, request.headers(), MAX_FAULTS, &mut found);
    if let (Some(parsed), Some(body)) = (body, &operation.body) {
        body.rule.check(&parsed.value, MAX_FAULTS, &mut found, str::to_owned);
        if parsed.has_nul {
            body::find_nul(&parsed.value, "", MAX_FAULTS, &mut found);
        }
    }
    found
}

fn refused(faults: Vec<Fault>) -> ApiError {
    let full = faults.len() >= MAX_FAULTS;
    let error = ApiError::invalid(faults);
    if full { error.detail(format!("There are many faults; the first {MAX_FAULTS} are listed.")) } else { error }
}

/// The token of `Authorization: Bearer …` (RFC 6750, section 2.1). Of several such headers none counts: whoever stands in
/// between may have looked at another one.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (only, None) = (all.next()?, all.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= MAX_TOKEN).then_some(token)
}

fn unauthorized(detail: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", "Authentication is needed").detail(detail)
}
