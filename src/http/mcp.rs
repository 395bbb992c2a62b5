//! `/mcp`: the Model Context Protocol over HTTP, in front of [`crate::mcp`].
//!
//! A request is authenticated, counted and read here, and carries its caller on; the protocol itself is rmcp's ([`wire`]).
//! Both of its eras are served without sessions: 2026-07-28, and the ones that begin with `initialize`.

mod lift;
mod message;
pub mod wire;

use std::sync::Arc;

use poem::http::Method;
use poem::{Request, Response};

use self::wire::Wire;
use super::contract::{BodyLimits, Exchange};
use super::gate::Gate;
use super::limits::{Class, Subject};
use super::load::{Counted, Work};
use super::problem::ApiError;
use super::{edge, errors};
use crate::accounts::Scope;
use crate::mcp::handler::Handler;
use crate::mcp::toolbox::Toolbox;

/// The paths of the endpoint; some clients put a slash at the end.
pub(super) const PATHS: [&str; 2] = ["/mcp", "/mcp/"];
/// The methods of the endpoint: there are no sessions to listen to or to end.
const METHODS: &str = "POST, OPTIONS";

/// What the endpoint is built from.
pub struct Services {
    /// The tools.
    pub toolbox: Arc<Toolbox>,
    /// The protocol.
    pub handler: Handler,
    /// The public URL, without a slash at the end.
    pub public_url: String,
    /// Web origins whose pages may call; `*` stands for all.
    pub origins: Vec<String>,
}

/// The endpoint.
pub(super) struct McpEndpoint {
    wire: Wire<Handler>,
    toolbox: Arc<Toolbox>,
    gate: Gate,
    counted: Counted,
}

impl McpEndpoint {
    /// The endpoint behind its door.
    pub(super) fn new(services: Services, gate: Gate, counted: Counted, body_limits: BodyLimits) -> Self {
        let Services { toolbox, handler, public_url, origins } = services;
        Self { wire: Wire::new(handler, &public_url, &origins, body_limits), toolbox, gate, counted }
    }

    /// Answers a request.
    ///
    /// # Errors
    ///
    /// What HTTP itself refuses: 401, 403, 405, 406, 408, 413, 415, 429. Faults of the protocol are answers.
    pub(super) async fn answer(&self, request: &mut Request, exchange: &mut Exchange) -> Result<Response, ApiError> {
        if request.method() == Method::OPTIONS {
            return Ok(edge::options(METHODS));
        }
        let caller = self.gate.identify(request.headers(), Scope::Read, &exchange.request_id).await?;
        exchange.user = Some(caller.user_id);
        self.gate.demand(&caller, Scope::Read)?;
        exchange.remaining = self.counted.limits.count(Class::Mcp, Subject::User(caller.user_id.0)).await?;
        if request.method() != Method::POST {
            return Err(errors::no_method(METHODS));
        }
        let read = self.wire.read(request).await?;
        if let Some(scope) = read.tool().and_then(|tool| self.toolbox.scope(tool)) {
            self.gate.demand(&caller, scope)?;
        }
        request.set_data(caller);
        let _place = self.counted.load.enter(Work::Counted).await?;
        self.wire.answer(request, read).await
    }
}
