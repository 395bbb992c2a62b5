//! The way of every request, in one place: id, origin, page or operation, answer, headers, log.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use poem::http::header::{ALLOW, CONTENT_LENGTH};
use poem::http::{HeaderValue, Method, StatusCode};
use poem::{Endpoint, Request, Response, Result};
use tracing::Instrument;

use super::client_address::{self, Proxies};
use super::contract::{Contract, Exchange, Found, Operations};
use super::cors::{self, Cors};
use super::headers::Safety;
use super::limits::{Class, class_of};
use super::load::{Load, Work};
use super::mcp::{self, McpEndpoint};
use super::oauth::OAuthRoutes;
use super::oauth::call::WasHead;
use super::pages::Pages;
use super::problem::ApiError;
use super::request_id::{self, RequestId};
use super::{access_log, compress, conditional, drain, errors, pages};
use crate::clock::Clock;
use crate::observe::metrics::HttpMetrics;
use crate::observe::reports::{self, Reporter};
use crate::observe::telemetry::Telemetry;

/// Where files are attached to tasks.
const UPLOADS: &str = "/api/tasks/{task_id}/attachments";

/// The server's one endpoint.
pub(super) struct Edge {
    pub(super) contract: Contract,
    pub(super) oauth: Option<OAuthRoutes>,
    pub(super) mcp: Option<McpEndpoint>,
    pub(super) pages: Pages,
    pub(super) cors: Cors,
    pub(super) load: Arc<Load>,
    pub(super) max_header_bytes: usize,
    pub(super) proxies: Proxies,
    pub(super) safety: Safety,
    pub(super) clock: Clock,
    pub(super) metrics: HttpMetrics,
    pub(super) reporter: Reporter,
    pub(super) telemetry: Telemetry,
    /// poem-openapi's routes, which only see requests that the contract admitted.
    pub(super) operations: Operations,
}

impl Endpoint for Edge {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let started = Instant::now();
        let _in_flight = self.metrics.begin();
        let request_id = request_id::of(request.headers(), &self.clock);
        self.proxies.note(&mut request);
        let client = client_address::of(&request);
        let mut exchange =
            Exchange { request_id: Arc::clone(&request_id), client, route: None, user: None, remaining: None };
        let method = request.method().clone();
        let origin = self.cors.allowed(&request);
        let packed = compress::is_wanted(request.headers());
        if method == Method::HEAD {
            request.set_method(Method::GET);
            request.set_data(WasHead);
        }
        request.set_data(RequestId(Arc::clone(&request_id)));
        let span = tracing::error_span!("request", request.id = &*request_id);
        let trace = self.telemetry.begin(method.as_str(), request.headers());
        // Boxed, because those who carry it hand it on from one to the other, some kilobytes each time.
        let answering = Box::pin(async {
            finished(AssertUnwindSafe(self.answer(request, &mut exchange)).catch_unwind().await, &request_id)
        });
        let answering = trace.carry(answering.instrument(span));
        let mut response = self.reporter.in_request(&request_id, method.as_str(), answering).await;
        if packed {
            response = compress::compress(response).await;
        }
        if let Some(remaining) = &exchange.remaining {
            remaining.write(response.headers_mut());
        }
        self.safety.complete(response.headers_mut(), &request_id);
        self.cors.write(origin.as_ref(), &mut response);
        if method == Method::HEAD {
            response = without_body(response).await;
        }
        let (route, status) = (exchange.route.as_deref(), response.status());
        self.metrics.answered(route, method.as_str(), status.as_u16(), started.elapsed());
        trace.end(method.as_str(), route, status.as_u16(), &request_id);
        access_log::write(&exchange, &method, status, started);
        Ok(response)
    }
}

impl Edge {
    async fn answer(&self, mut request: Request, exchange: &mut Exchange) -> Result<Response> {
        let method = request.method().clone();
        match self.lead(&mut request, exchange).await {
            Ok(Some(response)) => Ok(response),
            Ok(None) => {
                let known = conditional::known_to_reader(&request);
                let _place = self.load.enter(is_worked_on(exchange, &method)).await?;
                let response = self.operations.call(request).await?;
                Ok(conditional::unless_known(response, known.as_ref()))
            }
            Err(error) => {
                drain::drain(&mut request).await;
                Err(error.into())
            }
        }
    }

    /// Answers what needs no operation; `None` leads to one that may run.
    async fn lead(&self, request: &mut Request, exchange: &mut Exchange) -> Result<Option<Response>, ApiError> {
        errors::check_target(request.uri())?;
        errors::check_head(request, self.max_header_bytes)?;
        let path = request.uri().path().to_owned();
        if let Some(oauth) = &self.oauth
            && let Some(endpoint) = oauth.find(&path)
        {
            exchange.route = Some(endpoint.pattern().into());
            reports::note_route(request.method().as_str(), endpoint.pattern());
            return oauth.answer(endpoint, request, &mut exchange.remaining).await.map(Some);
        }
        if cors::is_preflight(request) {
            return Ok(Some(cors::preflight()));
        }
        if let Some(endpoint) = self.mcp.as_ref().filter(|_| mcp::PATHS.contains(&&*path)) {
            exchange.route = Some(mcp::PATHS[0].into());
            reports::note_route(request.method().as_str(), mcp::PATHS[0]);
            // Boxed, so that the others need not hold room for it.
            return Box::pin(endpoint.answer(request, exchange)).await.map(Some);
        }
        if let Some((pattern, page)) = self.pages.find(&path) {
            exchange.route = Some(pattern.into());
            return match *request.method() {
                Method::GET => Ok(Some(page.response(request.headers()))),
                Method::OPTIONS => Ok(Some(options(pages::METHODS))),
                _ => Err(errors::no_method(pages::METHODS)),
            };
        }
        match self.contract.find(request.method(), &path, exchange) {
            Found::Operation(matched) => {
                reports::note_route(request.method().as_str(), exchange.route.as_deref().unwrap_or_default());
                self.contract.admit(&matched, request, exchange, &self.operations).await?;
                tracing::debug!(operation = &**matched.operation_id(), "admitted");
                Ok(None)
            }
            Found::OtherMethods(allowed) if request.method() == Method::OPTIONS => Ok(Some(options(&allowed))),
            Found::OtherMethods(allowed) => Err(errors::no_method(&allowed)),
            Found::Nothing => Err(errors::no_route()),
        }
    }
}

/// What the client gets, whatever happened.
fn finished(answered: Result<Result<Response>, Box<dyn Any + Send>>, request_id: &str) -> Response {
    match answered {
        Ok(Ok(response)) => errors::complete(response, request_id),
        Ok(Err(error)) => errors::to_response(&error, request_id),
        Err(panic) => errors::after_panic(&*panic, request_id),
    }
}

/// Health checks and metrics are answered however busy the server is. A file that arrives slowly is no work.
fn is_worked_on(exchange: &Exchange, method: &Method) -> Work {
    match exchange.route.as_deref() {
        Some(UPLOADS) if method == Method::POST => Work::Free,
        Some(route) if class_of(route) == Class::Exempt => Work::Free,
        _ => Work::Counted,
    }
}

/// What a path takes, for who asks with `OPTIONS`.
pub(super) fn options(allowed: &str) -> Response {
    Response::builder().status(StatusCode::NO_CONTENT).header(ALLOW, allowed).finish()
}

/// The answer to `HEAD`: as to `GET`, but without the body (RFC 9110, section 9.3.2).
async fn without_body(mut response: Response) -> Response {
    let body = response.take_body();
    // What is too large to be made for its length alone says it itself.
    if response.headers().contains_key(CONTENT_LENGTH) {
        return response;
    }
    let streamed = response.content_type().is_some_and(|kind| kind.starts_with("text/event-stream"));
    if !streamed
        && response.status() != StatusCode::NO_CONTENT
        && response.status() != StatusCode::NOT_MODIFIED
        && let Ok(bytes) = body.into_bytes().await
    {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    }
    response
}
