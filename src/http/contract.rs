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
use std::net::IpAddr;
use std::sync::Arc;

use poem::Request;
use poem::http::Method;
use serde_json::Value;

pub use self::body::{BodyLimits, find_nul};
pub(super) use self::body::{collect_within, too_slow};
pub(super) use self::json::parse;
use self::operation::Operation;
pub(super) use self::rehearsal::Operations;
pub use self::schema::Rule;
use super::document::ApiDocument;
use super::gate::Gate;
use super::limits::{Limits, Remaining, Subject};
use super::problem::{ApiError, Fault};
use crate::ids::UserId;
use crate::oauth::Resource;

/// The most faults that one answer lists.
const MAX_FAULTS: usize = 100;

/// The document, compiled, and what deciding about requests needs.
pub struct Contract {
    router: matchit::Router<Path>,
    gates: Gates,
    limits: Arc<Limits>,
    body_limits: BodyLimits,
}

/// The doors of what the document describes.
#[derive(Clone)]
pub struct Gates {
    /// Of everything under `/api`.
    pub api: Gate,
    /// Of the tools under `/mcp`.
    pub mcp: Gate,
}

impl Gates {
    const fn of(&self, resource: Resource) -> &Gate {
        match resource {
            Resource::Api => &self.api,
            Resource::Mcp => &self.mcp,
        }
    }
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

impl From<String> for ContractError {
    fn from(reason: String) -> Self {
        Self(reason)
    }
}

impl From<matchit::InsertError> for ContractError {
    fn from(error: matchit::InsertError) -> Self {
        Self(error.to_string())
    }
}

/// What is known about a request, filled as it goes; the log and the answer's headers are made from it.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) request_id: Arc<str>,
    /// The client's address.
    pub(super) client: Option<IpAddr>,
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
        gates: Gates,
        limits: Arc<Limits>,
        body_limits: BodyLimits,
    ) -> Result<Self, ContractError> {
        let mut router = matchit::Router::new();
        for (pattern, item) in document.value["paths"].as_object().into_iter().flatten() {
            let shared: Arc<str> = pattern.as_str().into();
            let operations = compile_path(&shared, item, document).map_err(ContractError)?;
            let path = Path { pattern: shared, operations };
            router.insert(pattern.clone(), path).map_err(|error| ContractError(format!("{pattern}: {error}")))?;
        }
        Ok(Self { router, gates, limits, body_limits })
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

    /// Decides whether the operation may run; if so, the request carries the [`Caller`](crate::accounts::Caller) and a body that parses.
    pub(super) async fn admit(
        &self,
        matched: &Matched<'_, '_>,
        request: &mut Request,
        exchange: &mut Exchange,
        operations: &Operations,
    ) -> Result<(), ApiError> {
        let operation = matched.operation;
        let mut subject = Subject::address(exchange.client);
        if let Some(scope) = operation.scope {
            let gate = self.gates.of(operation.resource);
            let caller = gate.identify(request.headers(), scope, &exchange.request_id).await?;
            exchange.user = Some(caller.user_id);
            if operation.class.is_by_user() {
                subject = Subject::User(caller.user_id.0);
            }
            if !operation.reach.includes(caller.credential) {
                return Err(gate.not_for_programs());
            }
            gate.demand(&caller, scope)?;
            request.set_data(caller);
        }
        exchange.remaining = self.limits.count(operation.class, subject).await?;
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
