//! A server, as a client without a browser sees it.

use std::error::Error as StdError;
use std::time::Duration;

use anyhow::{Context as _, bail};
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::http::header::CONTENT_TYPE;
use oauth2::{
    ClientId, DeviceAuthorizationUrl, ErrorResponse, HttpRequest, HttpResponse, RefreshToken, RequestTokenError, Scope,
    StandardDeviceAuthorizationResponse, TokenUrl,
};
use reqwest::redirect::Policy;
use serde::Deserialize;
use serde_json::{Value, json};
use url::{Host, Url};

use super::Wait;
use super::credentials::Credential;
use crate::oauth::static_clients::COMMAND_LINE;

/// How long a server may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// What this program asks for.
const SCOPES: [&str; 2] = ["read", "write"];

/// An answer: its status, and its body as JSON (`null` when it is none).
pub(super) struct Asked {
    pub(super) status: u16,
    pub(super) body: Value,
}

/// A server that told where its endpoints are (RFC 8414).
#[derive(Deserialize)]
pub(super) struct Server {
    pub(super) issuer: String,
    token_endpoint: String,
    device_authorization_endpoint: String,
    revocation_endpoint: String,
    registration_endpoint: Option<String>,
}

/// The way of a request over HTTP.
pub(super) fn client() -> anyhow::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().redirect(Policy::none()).timeout(TIMEOUT);
    builder.user_agent(concat!("mindflow/", env!("CARGO_PKG_VERSION"))).build().context("no HTTP client can be made")
}

/// Asks for a path with an access token.
pub(super) async fn ask(http: &reqwest::Client, issuer: &str, path: &str, token: &str) -> anyhow::Result<Asked> {
    let response = http.get(format!("{issuer}{path}")).bearer_auth(token).send().await;
    let response = response.with_context(|| format!("{issuer} does not answer"))?;
    let status = response.status().as_u16();
    let body = response.bytes().await.with_context(|| format!("{issuer} broke off its answer"))?;
    Ok(Asked { status, body: serde_json::from_slice(&body).unwrap_or_default() })
}

impl Server {
    /// Asks a server for its endpoints.
    pub(super) async fn find(url: &str) -> anyhow::Result<Self> {
        let url = url.trim_end_matches('/');
        check(url)?;
        let Asked { status, body } = ask_openly(url).await?;
        if status != 200 {
            bail!("{url} is no MindFlow server: it answered with status {status}");
        }
        let server: Self = serde_json::from_value(body).with_context(|| format!("{url} is no MindFlow server"))?;
        // RFC 8414, section 3.3.
        if server.issuer != url {
            bail!("the server at {url} calls itself {}; use that name", server.issuer);
        }
        for endpoint in [&server.token_endpoint, &server.device_authorization_endpoint, &server.revocation_endpoint] {
            check(endpoint)?;
        }
        Ok(server)
    }

    /// Asks for a code for a person to allow; gives the client that asked, too.
    pub(super) async fn begin_device(&self) -> anyhow::Result<(String, StandardDeviceAuthorizationResponse)> {
        match self.begin_as(COMMAND_LINE).await {
            Ok(device) => Ok((COMMAND_LINE.to_owned(), device)),
            Err(refusal) if refusal.code.as_deref() == Some("invalid_client") => {
                let client_id = self.register().await?;
                let device = self.begin_as(&client_id).await?;
                Ok((client_id, device))
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Waits until somebody allowed or refused it.
    pub(super) async fn finish_device(
        &self,
        client_id: &str,
        device: &StandardDeviceAuthorizationResponse,
        wait: &Wait,
    ) -> anyhow::Result<BasicTokenResponse> {
        let (client, http) = (self.client(client_id)?, client()?);
        let carry = |request: HttpRequest| carry(&http, request);
        let waiting = client.exchange_device_access_token(device).request_async(&carry, wait, None).await;
        waiting.map_err(|error| Refusal::of(&error).into())
    }

    /// Gets the next tokens.
    pub(super) async fn refresh(&self, credential: &Credential) -> anyhow::Result<BasicTokenResponse> {
        let token = credential.refresh_token.clone().context("there is no refresh token")?;
        let (client, http) = (self.client(&credential.client_id)?, client()?);
        let carry = |request: HttpRequest| carry(&http, request);
        let refreshed = client.exchange_refresh_token(&RefreshToken::new(token)).request_async(&carry).await;
        refreshed.map_err(|error| Refusal::of(&error).into())
    }

    /// Ends the sign-in at the server (RFC 7009).
    pub(super) async fn revoke(&self, credential: &Credential) -> anyhow::Result<()> {
        let token = credential.refresh_token.as_ref().unwrap_or(&credential.access_token);
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("client_id", &credential.client_id)
            .finish();
        let request = client()?.post(&self.revocation_endpoint);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        let response = request.send().await.context("the server does not answer")?;
        if !response.status().is_success() {
            bail!("the server answered with status {}", response.status().as_u16());
        }
        Ok(())
    }

    async fn begin_as(&self, client_id: &str) -> Result<StandardDeviceAuthorizationResponse, Refusal> {
        let (client, http) = (self.client(client_id)?, client()?);
        let carry = |request: HttpRequest| carry(&http, request);
        let request = client
            .exchange_device_code()
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .add_extra_param("resource", format!("{}/api", self.issuer));
        request.request_async(&carry).await.map_err(|error| Refusal::of(&error))
    }

    /// Makes this program known where it is not.
    async fn register(&self) -> anyhow::Result<String> {
        let endpoint = self.registration_endpoint.as_deref();
        let endpoint = endpoint.context("the server knows no client of this program and takes no registrations")?;
        check(endpoint)?;
        let wish = json!({
            "client_name": "MindFlow command line",
            "grant_types": [DEVICE_CODE, "refresh_token"],
            "response_types": [],
            "token_endpoint_auth_method": "none",
            "application_type": "native",
        });
        let request = client()?.post(endpoint).header(CONTENT_TYPE, "application/json").body(wish.to_string());
        let response = request.send().await.context("the server does not answer")?;
        let body: Value = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
        body["client_id"].as_str().map(str::to_owned).context("the server did not take the registration")
    }

    fn client(
        &self,
        client_id: &str,
    ) -> anyhow::Result<
        BasicClient<
            oauth2::EndpointNotSet,
            oauth2::EndpointSet,
            oauth2::EndpointNotSet,
            oauth2::EndpointNotSet,
            oauth2::EndpointSet,
        >,
    > {
        Ok(BasicClient::new(ClientId::new(client_id.to_owned()))
            .set_auth_type(oauth2::AuthType::RequestBody)
            .set_device_authorization_url(DeviceAuthorizationUrl::new(self.device_authorization_endpoint.clone())?)
            .set_token_uri(TokenUrl::new(self.token_endpoint.clone())?))
    }
}

/// Why a server gave nothing.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Refusal {
    /// The protocol's code, when it was a refusal.
    code: Option<String>,
    text: String,
}

impl Refusal {
    fn of<E: StdError + 'static, T: ErrorResponse + 'static>(error: &RequestTokenError<E, T>) -> Self {
        match error {
            RequestTokenError::ServerResponse(answer) => {
                let told = serde_json::to_value(answer).unwrap_or_default();
                let code = told["error"].as_str().map(str::to_owned);
                let text = match code.as_deref() {
                    Some("access_denied") => "the request was denied".to_owned(),
                    Some("expired_token") => "nobody allowed it in time; try again".to_owned(),
                    _ => super::problem(&told),
                };
                Self { code, text }
            }
            RequestTokenError::Request(_) => Self { code: None, text: "the server does not answer".to_owned() },
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                Self { code: None, text: "the server gave an answer that cannot be read".to_owned() }
            }
        }
    }
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self { code: None, text: format!("{error:#}") }
    }
}

async fn ask_openly(url: &str) -> anyhow::Result<Asked> {
    let response = client()?.get(format!("{url}/.well-known/oauth-authorization-server")).send().await;
    let response = response.with_context(|| format!("{url} does not answer"))?;
    let status = response.status().as_u16();
    let body = response.bytes().await.with_context(|| format!("{url} broke off its answer"))?;
    Ok(Asked { status, body: serde_json::from_slice(&body).unwrap_or_default() })
}

async fn carry(http: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let response = http.execute(request.try_into()?).await?;
    let mut answer = HttpResponse::new(Vec::new());
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    *answer.body_mut() = response.bytes().await?.to_vec();
    Ok(answer)
}

/// Tokens go over TLS, or stay on this machine.
fn check(text: &str) -> anyhow::Result<()> {
    let url = Url::parse(text).with_context(|| format!("`{text}` is no URL"))?;
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if here => Ok(()),
        _ => bail!("`{text}` must begin with https:// (http:// is for this machine alone)"),
    }
}
