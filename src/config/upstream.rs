//! The section `upstream`: accounts elsewhere through which people may sign in.

use super::source::Values;
use super::value::{self, Secret};

/// What this server is called at a provider.
#[derive(Clone, Debug)]
pub struct UpstreamClient {
    /// Its name there.
    pub id: String,
    /// What proves it; `None` for a public client.
    pub secret: Option<Secret>,
}

/// Any provider that speaks OpenID Connect.
#[derive(Clone, Debug)]
pub struct OidcProvider {
    /// Who it is.
    pub issuer: String,
    /// What people call it.
    pub name: String,
    /// What this server is called there.
    pub client: UpstreamClient,
}

/// Accounts elsewhere through which people may sign in.
#[derive(Clone, Debug, Default)]
pub struct Upstream {
    /// Google.
    pub google: Option<UpstreamClient>,
    /// GitHub.
    pub github: Option<UpstreamClient>,
    /// GitHub's web site, or that of a GitHub Enterprise Server.
    pub github_url: String,
    /// Another one.
    pub oidc: Option<OidcProvider>,
}

impl Upstream {
    pub(super) fn from_values(values: &mut Values) -> Self {
        let google = client(values, "upstream.google_client_id", "upstream.google_client_secret", true);
        let github = client(values, "upstream.github_client_id", "upstream.github_client_secret", true);
        let oidc = client(values, "upstream.oidc_client_id", "upstream.oidc_client_secret", false);
        let issuer = values.get("upstream.oidc_issuer", value::optional_issuer);
        let name = values.get("upstream.oidc_name", value::words);
        if oidc.is_some() != issuer.is_some() {
            values.fault("upstream.oidc_issuer", "it and `upstream.oidc_client_id` need each other");
        }
        Self {
            google,
            github,
            github_url: values.get("upstream.github_url", value::site),
            oidc: issuer.zip(oidc).map(|(issuer, client)| OidcProvider { issuer, name, client }),
        }
    }
}

fn client(values: &mut Values, id: &'static str, secret: &'static str, needed: bool) -> Option<UpstreamClient> {
    let (name, proof) = (values.get(id, value::optional_words), values.get(secret, value::optional_secret));
    match (name, proof) {
        (None, None) => None,
        (None, Some(_)) => {
            values.fault(id, "a client secret needs it beside it");
            None
        }
        (Some(_), None) if needed => {
            values.fault(secret, "a client id needs it beside it");
            None
        }
        (Some(id), secret) => Some(UpstreamClient { id, secret }),
    }
}
