//! The providers through which people may sign in, built from the configuration.

use super::starting::StartError;
use crate::clock::Clock;
use crate::config::{Config, UpstreamClient};
use crate::oauth::upstream::{Kind, Provider, Upstreams};
use crate::secret_key::SecretKey;

/// Who Google is, by its discovery document.
const GOOGLE: &str = "https://accounts.google.com";
/// GitHub's own site, whose API has a host of its own.
const GITHUB: &str = "https://github.com";

/// Every provider that is configured.
pub(super) fn make(config: &Config, secret: SecretKey, clock: Clock, port: u16) -> Result<Upstreams, StartError> {
    let chosen = &config.upstream;
    let mut providers = Vec::new();
    if let Some(client) = &chosen.google {
        providers.push(provider("google", "Google", Kind::Oidc { issuer: GOOGLE.to_owned() }, client));
    }
    if let Some(client) = &chosen.github {
        let site = chosen.github_url.clone();
        // A server of one's own has its API below the site.
        let api = if site == GITHUB { "https://api.github.com".to_owned() } else { format!("{site}/api/v3") };
        providers.push(provider("github", "GitHub", Kind::GitHub { site, api }, client));
    }
    if let Some(oidc) = &chosen.oidc {
        providers.push(provider("oidc", &oidc.name, Kind::Oidc { issuer: oidc.issuer.clone() }, &oidc.client));
    }
    Upstreams::new(providers, config.server.public_url(port), secret, clock).map_err(StartError::Upstreams)
}

fn provider(id: &'static str, name: &str, kind: Kind, client: &UpstreamClient) -> Provider {
    Provider { id, name: name.to_owned(), kind, client_id: client.id.clone(), client_secret: client.secret.clone() }
}
