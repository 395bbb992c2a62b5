//! GitHub: OAuth 2 without an ID token; who somebody is, its API says.

use oauth2::TokenResponse as _;
use serde::Deserialize;

use super::provider::Tokens;
use super::wire::{Wire, WireError, endpoint};
use super::{Endpoints, UpstreamError};
use crate::accounts::identities::Foreign;

/// `GET /user`. The login can change and be taken over by somebody else; the number stays.
#[derive(Deserialize)]
struct User {
    id: u64,
    name: Option<String>,
}

/// One of `GET /user/emails`.
#[derive(Deserialize)]
struct Address {
    email: String,
    #[serde(default)]
    primary: bool,
    #[serde(default)]
    verified: bool,
}

/// The endpoints of the site.
pub(super) fn endpoints(site: &str) -> Result<Endpoints, WireError> {
    Ok(Endpoints {
        issuer: format!("{site}/login/oauth"),
        authorization: endpoint(&format!("{site}/login/oauth/authorize"))?,
        token: endpoint(&format!("{site}/login/oauth/access_token"))?,
        userinfo: None,
        names_issuer: false,
        secret_in_body: true,
    })
}

/// Finds out whom the access token is about.
pub(super) async fn identify(wire: &Wire, tokens: &Tokens, api: &str) -> Result<Foreign, UpstreamError> {
    let token = Some(tokens.access_token().secret().as_str());
    let user: User = wire.get(&endpoint(&format!("{api}/user"))?, token).await?;
    let addresses: Vec<Address> = wire.get(&endpoint(&format!("{api}/user/emails"))?, token).await?;
    let address = addresses.into_iter().find(|address| address.primary);
    Ok(Foreign {
        provider: "",
        provider_name: String::new(),
        subject: user.id.to_string(),
        email_verified: address.as_ref().is_some_and(|address| address.verified),
        email: address.map(|address| address.email),
        full_name: user.name,
    })
}
