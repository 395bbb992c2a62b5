//! Requests to providers: TLS, no redirects, little time, small answers.

use std::error::Error as StdError;
use std::time::Duration;

use oauth2::basic::BasicErrorResponse;
use oauth2::http::header::{ACCEPT, AUTHORIZATION};
use oauth2::{AuthorizationCode, HttpRequest, HttpResponse, PkceCodeVerifier, RequestTokenError};
use reqwest::redirect::Policy;
use serde::de::DeserializeOwned;
use url::{Host, Url};

use super::provider::{Tokens, UpstreamClient};

/// How long a provider may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most of an answer that is read, in bytes.
const MOST_BYTES: usize = 256 * 1024;

/// Why a provider could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The system gives no client.
    #[error("no client for HTTPS can be made")]
    Client(#[source] reqwest::Error),
    /// An endpoint is no URL, or one without TLS.
    #[error("an endpoint is no https URL")]
    Url,
    /// It did not answer.
    #[error("it did not answer")]
    Silent(#[source] reqwest::Error),
    /// It answered with an error.
    #[error("it answered with status {0}")]
    Status(u16),
    /// It answered with more than is read.
    #[error("its answer is too long")]
    TooLong,
    /// It answered with something else.
    #[error("its answer cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// It did not take the code.
    #[error("it did not take the code")]
    Refused(#[source] Box<dyn StdError + Send + Sync>),
}

/// The way to providers.
pub(super) struct Wire(reqwest::Client);

impl Wire {
    pub(super) fn new() -> Result<Self, WireError> {
        let builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .timeout(TIMEOUT)
            // GitHub answers nobody without a name.
            .user_agent(concat!("MindFlow/", env!("CARGO_PKG_VERSION")));
        builder.build().map(Self).map_err(WireError::Client)
    }

    /// Exchanges a code for tokens.
    pub(super) async fn redeem(
        &self,
        client: &UpstreamClient,
        code: &str,
        verifier: String,
    ) -> Result<Tokens, WireError> {
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier));
        // A client of its own (a counted reference): the compiler cannot prove of a borrowed one that the future may change
        // threads.
        let http = self.0.clone();
        let carry = move |request: HttpRequest| carry(http.clone(), request);
        request.request_async(&carry).await.map_err(|error: RequestTokenError<WireError, BasicErrorResponse>| {
            match error {
                RequestTokenError::Request(error) => error,
                other => WireError::Refused(Box::new(Refusal(kind_of(&other)))),
            }
        })
    }

    /// Asks for JSON, with an access token where one is needed.
    pub(super) async fn get<T: DeserializeOwned>(&self, url: &Url, token: Option<&str>) -> Result<T, WireError> {
        let mut request = self.0.get(url.clone()).header(ACCEPT, "application/json");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = request.send().await.map_err(|error| WireError::Silent(error.without_url()))?;
        if !response.status().is_success() {
            return Err(WireError::Status(response.status().as_u16()));
        }
        serde_json::from_slice(&read(response).await?).map_err(WireError::Unreadable)
    }
}

/// What a token endpoint says instead of tokens, without what it may repeat of the request.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refusal(String);

fn kind_of(error: &RequestTokenError<WireError, BasicErrorResponse>) -> String {
    match error {
        RequestTokenError::ServerResponse(answer) => answer.error().to_string(),
        RequestTokenError::Parse(..) => "its answer cannot be read".to_owned(),
        RequestTokenError::Request(_) | RequestTokenError::Other(_) => "its answer is of no use".to_owned(),
    }
}

async fn carry(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, WireError> {
    let request = reqwest::Request::try_from(request).map_err(WireError::Client)?;
    let response = http.execute(request).await.map_err(|error| WireError::Silent(error.without_url()))?;
    let mut answer = HttpResponse::new(Vec::new());
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    *answer.body_mut() = read(response).await?;
    Ok(answer)
}

async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, WireError> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| WireError::Silent(error.without_url()))? {
        if body.len() + piece.len() > MOST_BYTES {
            return Err(WireError::TooLong);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// An endpoint with TLS; without it only on this machine, for tests.
pub(super) fn endpoint(text: &str) -> Result<Url, WireError> {
    let url = Url::parse(text).map_err(|_| WireError::Url)?;
    let safe = match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        ("http", Some(Host::Domain(name))) => name == "localhost",
        _ => false,
    };
    if safe { Ok(url) } else { Err(WireError::Url) }
}
