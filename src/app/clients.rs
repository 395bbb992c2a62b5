//! The programs that may be connected, built from the configuration.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use super::starting::StartError;
use crate::clock::Clock;
use crate::config::Config;
use crate::oauth::fetch::{Fetcher, HttpsFetcher, Reach};
use crate::oauth::{ClientParts, ClientSettings, Clients};
use crate::store::Store;

/// Clients, the built-in ones among them.
pub(super) async fn make(config: &Config, store: &Store, clock: &Clock, port: u16) -> Result<Arc<Clients>, StartError> {
    let oauth = &config.oauth;
    let clients = Clients::new(ClientParts {
        store: store.clone(),
        clock: clock.clone(),
        fetcher: make_fetcher(config)?,
        issuer: config.server.public_url(port),
        settings: ClientSettings {
            dynamic_registration: oauth.dynamic_registration,
            client_documents: oauth.client_documents,
            hosts: oauth.registration_hosts.clone(),
            most_unused_per_address: oauth.unused_clients_per_address,
            most_unused: oauth.unused_clients,
            any_port: oauth.allow_private_addresses,
        },
    });
    clients.add_built_in().await.map_err(StartError::Clients)?;
    Ok(Arc::new(clients))
}

fn make_fetcher(config: &Config) -> Result<Arc<dyn Fetcher>, StartError> {
    let reach = if config.oauth.allow_private_addresses { Reach::Anywhere } else { Reach::Public };
    let read =
        |path: &PathBuf| fs::read(path).map_err(|source| StartError::RootCertificate { path: path.clone(), source });
    let roots = config.oauth.extra_root_certificate.as_ref().map(read).transpose()?;
    Ok(Arc::new(HttpsFetcher::new(reach, roots)))
}
