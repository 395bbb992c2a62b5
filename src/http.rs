//! The HTTP edge: the only user of poem.
//!
//! - `edge`: the way of every request; [`endpoint`] builds it.
//! - [`contract`]: requests are held against the OpenAPI [`document`] before a handler sees them.
//! - [`auth`], [`gate`]: who is asking; [`limits`]: how often; `client_address`, `request_id`, `cors`, `headers`,
//!   `compress`, `drain`, `access_log`: around it.
//! - [`problem`], [`payload`], [`conditional`]: what handlers answer with and read; `errors` for what they do not catch.
//! - [`oauth`]: the endpoints through which programs are connected; [`mcp`]: the one that chats and agents use.
//! - [`health`], [`pages`]: what is there besides the API; [`serve`]: the socket, and
//!   what is said where no handler can; [`load`]: how many requests are worked on.

mod access_log;
pub mod accounts;
pub mod apps;
pub mod attachments;
pub mod auth;
pub mod batch;
pub mod challenge;
pub mod changes;
pub mod checked;
mod client_address;
mod compress;
pub mod conditional;
pub mod contract;
pub mod cors;
pub mod document;
mod drain;
mod edge;
mod errors;
pub mod events;
mod examples;
pub mod fields;
pub mod gate;
pub mod groups;
mod headers;
pub mod health;
pub mod limits;
pub mod lists;
pub mod load;
pub mod mcp;
pub mod mcp_tools;
pub mod metrics;
pub mod oauth;
pub mod page_cache;
pub mod pages;
pub mod payload;
pub mod policies;
mod policy_params;
pub mod problem;
pub mod ranking;
pub mod ranking_views;
pub mod reach;
pub mod request_id;
pub mod serve;
pub mod tags;
mod task_errors;
pub mod task_queries;
pub mod task_views;
pub mod tasks;
pub mod transfer;

use std::sync::Arc;

use poem::IntoEndpoint;
pub use poem::{Endpoint, Response};
use poem_openapi::{OpenApi, OpenApiService};

use self::auth::Authenticator;
use self::client_address::Proxies;
use self::contract::{BodyLimits, Contract, ContractError, Gates};
use self::cors::Cors;
use self::document::ApiDocument;
use self::edge::Edge;
use self::gate::Gate;
use self::headers::Safety;
use self::health::HealthApi;
use self::limits::Limits;
use self::load::{Counted, Load};
use self::mcp::McpEndpoint;
use self::metrics::{BeforeScrape, MetricsAccess, MetricsApi};
use self::oauth::{OAuthRoutes, Services};
use self::pages::{Pages, Preview, Swagger};
use crate::clock::Clock;
use crate::config::Config;
use crate::oauth::Resource;
use crate::observe::health::Health;
use crate::observe::metrics::Metrics;
use crate::observe::reports::Reporter;
use crate::observe::telemetry::Telemetry;

/// What the edge is built from, besides the API.
pub struct Parts<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// Turns tokens into callers.
    pub authenticator: Arc<dyn Authenticator>,
    /// Counts requests; housekeeping holds it too.
    pub limits: Arc<Limits>,
    /// The checks behind `/health`.
    pub health: Arc<Health>,
    /// Counts requests, and what `/metrics` shows.
    pub metrics: Arc<Metrics>,
    /// The way of traces.
    pub telemetry: Telemetry,
    /// The server's time.
    pub clock: Clock,
    /// What the endpoints of OAuth work with; without it there are none.
    pub oauth: Option<Services>,
    /// What the endpoint of the Model Context Protocol works with; without it there is none.
    pub mcp: Option<mcp::Services>,
}

/// Builds the server's endpoint around the operations of `api` (a tuple of `#[OpenApi]` types).
///
/// # Errors
///
/// When the API's description is wrong: an operation without id, two patterns that collide.
pub fn endpoint<T: OpenApi + 'static>(
    api: T,
    parts: Parts<'_>,
) -> Result<impl Endpoint<Output = Response> + use<T>, ContractError> {
    let Parts { config, authenticator, limits, health, metrics, telemetry, clock, oauth, mcp } = parts;
    let server = &config.server;
    let document = ApiDocument::of::<T>().served_at(&server.public_url(server.port));
    let issuer = oauth.as_ref().map_or_else(|| server.public_url(server.port), |services| services.issuer.clone());
    let counted = metrics.oauth.clone();
    let gate = |resource| Gate::new(Arc::clone(&authenticator), &issuer, resource).counting(counted.clone());
    let gates = Gates { api: gate(Resource::Api), mcp: gate(Resource::Mcp) };
    let load = Arc::new(Load::new(&config.limits));
    let counted = Counted { limits: Arc::clone(&limits), load: Arc::clone(&load) };
    let oauth = oauth.map(|services| OAuthRoutes::new(services, counted.clone(), server.body_timeout)).transpose()?;
    let body_limits = BodyLimits { max_bytes: server.max_body_bytes, patience: server.body_timeout };
    let mcp = mcp.map(|services| McpEndpoint::new(services, gates.mcp.clone(), counted.clone(), body_limits));
    let contract = Contract::compile(&document, gates, limits, body_limits)?;
    let swagger = if server.enable_swagger { Swagger::Shown } else { Swagger::Hidden };
    let frames = server.widget_frame_ancestors.as_slice();
    let preview = if config.mcp.widgets { Preview::Shown { frames } } else { Preview::Hidden };
    let monitoring = MetricsApi::new(Arc::clone(&metrics), MetricsAccess::of(&config.metrics), before_scrape(&health));
    let service =
        OpenApiService::new((HealthApi::new(health), monitoring, api), document::TITLE, env!("CARGO_PKG_VERSION"));
    Ok(Edge {
        contract,
        oauth,
        mcp,
        pages: Pages::new(&document.value, swagger, preview),
        cors: Cors::new(&server.cors_origins),
        load,
        max_header_bytes: config.connections.max_header_bytes,
        proxies: Proxies::new(server),
        safety: Safety::of(&server.public_url(server.port)),
        clock,
        metrics: metrics.http.clone(),
        reporter: Reporter::of_process(),
        telemetry,
        operations: service.into_endpoint(),
    })
}

/// The checks are made with every scrape, which notes what they find.
fn before_scrape(health: &Arc<Health>) -> BeforeScrape {
    let health = Arc::clone(health);
    Arc::new(move || {
        let health = Arc::clone(&health);
        Box::pin(async move {
            health.report().await;
        })
    })
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
