//! Builds what chats and agents use.

use std::sync::Arc;

use super::App;
use crate::http::contract::ContractError;
use crate::http::cors::CHATS;
use crate::http::mcp::Services;
use crate::mcp::handler::{Handler, Identity};
use crate::mcp::toolbox::{Desk, Toolbox};

/// The tools over the app's tasks.
pub(super) fn toolbox(app: &App) -> Result<Arc<Toolbox>, ContractError> {
    let desk = Desk {
        tasks: app.tasks.clone(),
        clock: app.clock.clone(),
        most_rows: app.config.mcp.most_tasks,
        public_url: app.issuer.clone(),
        metrics: app.metrics.mcp.clone(),
    };
    Ok(Arc::new(Toolbox::new(desk, app.config.mcp.widgets)?))
}

/// The protocol over the tools.
pub(super) fn services(app: &App, toolbox: Arc<Toolbox>) -> Services {
    let chosen = &app.config.mcp;
    let identity = Identity {
        name: chosen.server_name.clone(),
        version: chosen.server_version.clone().unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned()),
        description: chosen.server_description.clone(),
    };
    let origins = app.config.server.cors_origins.iter().cloned().chain(CHATS.map(str::to_owned));
    Services {
        handler: Handler::new(Arc::clone(&toolbox), identity, chosen.widgets),
        toolbox,
        public_url: app.issuer.clone(),
        origins: origins.collect(),
    }
}
