//! The rest of a refused request: the operation itself says what else is wrong with it.
//!
//! A schema knows nothing of the present moment or of what somebody owns. So that a client learns of all its faults at
//! once, what the schema refused is replaced by something harmless, and the operation is asked about the rest. Reading
//! changes nothing; an operation that changes something must know of rehearsals, see [`checked`](crate::http::checked).

use poem::endpoint::BoxEndpoint;
use poem::http::header::CONTENT_TYPE;
use poem::http::{Method, Uri};
use poem::{Request, Response};
use url::form_urlencoded;

use super::json::Parsed;
use super::operation::Operation;
use super::repair::repaired;
use crate::http::checked::REHEARSAL;
use crate::http::problem::{ApiError, Fault};

/// poem-openapi's routes.
pub(crate) type Operations = BoxEndpoint<'static, Response>;

/// Adds what the operation finds wrong with the rest of a request in which the schema `found` faults; nothing that was
/// concluded from what the schema refused. Up to `limit` faults in all.
pub(super) async fn tell_more(
    operation: &Operation,
    request: &Request,
    body: Option<&Parsed>,
    operations: &Operations,
    found: &mut Vec<Fault>,
    limit: usize,
) {
    let Some(rest) = rest_of(operation, request, body, found) else { return };
    let refused = match operations.call(rest).await {
        Ok(response) => response.extensions().get::<ApiError>().map(|error| error.faults().to_vec()),
        Err(error) => error.downcast_ref::<ApiError>().map(|error| error.faults().to_vec()),
    };
    let mut more = refused.unwrap_or_default();
    more.retain(|fault| !found.iter().any(|known| fault.rests_on(&known.field)));
    found.extend(more);
    found.truncate(limit);
}

/// The request without what the schema refused; `None` when too little is left.
fn rest_of(operation: &Operation, request: &Request, body: Option<&Parsed>, found: &[Fault]) -> Option<Request> {
    if found.iter().any(|fault| fault.field.starts_with('{')) {
        return None;
    }
    let uri = request.uri();
    let mut rest = Request::builder().method(request.method().clone()).uri(rest_of_query(uri, found)?);
    let body = match (&operation.body, body) {
        (Some(rule), Some(body)) if rule.taken => Some(repaired(body.value.clone(), rule.rule.schema(), found)),
        (None, _) if *request.method() == Method::GET => None,
        _ => return None,
    };
    rest = rest.header(CONTENT_TYPE, REHEARSAL);
    let mut rest = match body {
        Some(body) => rest.body(body.to_string()),
        None => rest.finish(),
    };
    // Who asks, and under which id.
    rest.extensions_mut().clone_from(request.extensions());
    Some(rest)
}

fn rest_of_query(uri: &Uri, found: &[Fault]) -> Option<Uri> {
    let Some(query) = uri.query() else { return Some(uri.clone()) };
    let refused = |name: &str| found.iter().any(|fault| fault.field.strip_prefix('?') == Some(name));
    let kept = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| !refused(name));
    let kept: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
    format!("{}?{kept}", uri.path()).parse().ok()
}
