//! A provider, as the operator configured it.

use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthType, AuthUrl, Client, ClientId, ClientSecret, EndpointNotSet, EndpointSet, ExtraTokenFields, RedirectUrl,
    StandardRevocableToken, StandardTokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};

use super::Endpoints;
use super::wire::WireError;
use crate::config::Secret;

/// What a provider speaks.
#[derive(Clone, Debug)]
pub enum Kind {
    /// OpenID Connect; its endpoints are discovered.
    Oidc {
        /// Who it is, as its discovery document says.
        issuer: String,
    },
    /// GitHub's own dialect.
    GitHub {
        /// Its web site, such as `https://github.com`.
        site: String,
        /// Its API, such as `https://api.github.com`.
        api: String,
    },
}

/// A provider.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its name in paths and in the database: `google`, `github` or `oidc`.
    pub id: &'static str,
    /// Its name for people.
    pub name: String,
    /// What it speaks.
    pub kind: Kind,
    /// What this server is called there.
    pub client_id: String,
    /// What proves that; `None` for a public client.
    pub client_secret: Option<Secret>,
}

/// What comes beside the access token.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Extra {
    /// Of OpenID Connect.
    #[serde(default)]
    pub(super) id_token: Option<String>,
}

impl ExtraTokenFields for Extra {}

/// The provider's answer to a code.
pub(super) type Tokens = StandardTokenResponse<Extra, BasicTokenType>;

/// This server as the provider's client.
pub(super) type UpstreamClient = Client<
    BasicErrorResponse,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

impl Provider {
    /// What is asked for: who it is, and their address.
    pub(super) const fn scopes(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Oidc { .. } => &["openid", "email", "profile"],
            Kind::GitHub { .. } => &["read:user", "user:email"],
        }
    }

    pub(super) fn client(&self, endpoints: &Endpoints, callback: &str) -> Result<UpstreamClient, WireError> {
        let redirect = RedirectUrl::new(callback.to_owned()).map_err(|_| WireError::Url)?;
        let client = Client::new(ClientId::new(self.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(endpoints.authorization.clone()))
            .set_token_uri(TokenUrl::from_url(endpoints.token.clone()))
            .set_redirect_uri(redirect)
            .set_auth_type(if endpoints.secret_in_body { AuthType::RequestBody } else { AuthType::BasicAuth });
        Ok(match &self.client_secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
            None => client,
        })
    }
}
