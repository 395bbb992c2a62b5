//! Getting what strangers name by URL, without being turned against one's own network.
//!
//! Documents and keys of clients come from URLs that anybody may send. So: `https` only, no redirects, no proxy, a deadline,
//! a size, JSON only, and **every** address of the host must be public *before* a connection is opened, and is the one
//! that is connected to (a name that answers differently the second time gains nothing).

use std::error::Error as StdError;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, AGE, CACHE_CONTROL, CONTENT_TYPE, HeaderMap};
use reqwest::redirect::Policy;
use url::{Host, Url};

use super::addresses::is_public;

/// How long a fetch may take from the first look-up to the last byte.
const DEADLINE: Duration = Duration::from_secs(5);
/// How long of it the connection may take.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);
/// The only port, outside of tests.
const HTTPS_PORT: u16 = 443;

/// What was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The body.
    pub body: Vec<u8>,
    /// How long it may be used, as the server said (RFC 9111); `None` when it did not.
    pub fresh_for: Option<Duration>,
}

/// Why nothing was fetched; told as the end of a sentence that begins with the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The host is, or is also, an address of no public network, or the port is none for this.
    #[error("does not lead to the public Internet")]
    NotPublic,
    /// No connection, no trusted certificate, or not in time.
    #[error("cannot be reached")]
    Unreachable,
    /// The answer's status.
    #[error("answers with status {0}")]
    Status(u16),
    /// The answer's media type.
    #[error("does not answer with JSON")]
    NotJson,
    /// The body is larger than allowed.
    #[error("answers with too much")]
    TooLarge,
    /// Too much is fetched already.
    #[error("was asked for too often; try again in a minute")]
    Busy,
}

impl FetchError {
    /// Whether it may pass without anybody changing anything, so that what was fetched before may serve meanwhile.
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::Unreachable | Self::Busy | Self::Status(408 | 429 | 500..))
    }
}

/// Gets JSON documents.
#[async_trait]
pub trait Fetcher: Send + Sync {
    /// Gets the document at `url`, of at most `most_bytes` bytes.
    async fn fetch(&self, url: &Url, most_bytes: usize) -> Result<Fetched, FetchError>;
}

/// Where documents may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Port 443 of public addresses.
    Public,
    /// Anywhere: for tests.
    Anywhere,
}

/// Gets documents over HTTPS.
pub struct HttpsFetcher {
    reach: Reach,
    extra_roots: Option<Vec<u8>>,
    /// Made when it is first needed: what the system's certificate authorities take of memory is a tenth of an idle server, and
    /// most never fetch anything. `None` when it cannot be made.
    client: OnceLock<Option<reqwest::Client>>,
}

impl HttpsFetcher {
    /// A fetcher that trusts the system's certificate authorities.
    ///
    /// - `extra_roots`: further authorities, as PEM.
    pub const fn new(reach: Reach, extra_roots: Option<Vec<u8>>) -> Self {
        Self { reach, extra_roots, client: OnceLock::new() }
    }

    fn client(&self) -> Result<&reqwest::Client, FetchError> {
        let client = self.client.get_or_init(|| match self.make_client() {
            Ok(client) => Some(client),
            Err(error) => {
                let error = &error as &dyn StdError;
                tracing::error!(error, "documents of clients cannot be fetched: are there certificate authorities?");
                None
            }
        });
        client.as_ref().ok_or(FetchError::Unreachable)
    }

    fn make_client(&self) -> Result<reqwest::Client, reqwest::Error> {
        let mut builder = reqwest::Client::builder()
            .https_only(true)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .timeout(DEADLINE)
            .connect_timeout(CONNECT_DEADLINE)
            // Each fetch looks its host up anew.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("MindFlow/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(PublicResolver(self.reach)));
        if let Some(pem) = &self.extra_roots {
            builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem)?);
        }
        builder.build()
    }

    /// Refuses what needs no look-up to be refused; hosts that are names are judged when they are looked up.
    fn check(&self, url: &Url) -> Result<(), FetchError> {
        if self.reach == Reach::Anywhere {
            return Ok(());
        }
        let public = match url.host() {
            Some(Host::Domain(_)) => true,
            Some(Host::Ipv4(four)) => is_public(four.into()),
            Some(Host::Ipv6(six)) => is_public(six.into()),
            None => false,
        };
        let port = url.port_or_known_default() == Some(HTTPS_PORT);
        if public && port { Ok(()) } else { Err(FetchError::NotPublic) }
    }
}

#[async_trait]
impl Fetcher for HttpsFetcher {
    async fn fetch(&self, url: &Url, most_bytes: usize) -> Result<Fetched, FetchError> {
        self.check(url)?;
        let request = self.client()?.get(url.clone()).header(ACCEPT, "application/json");
        let mut response = request.send().await.map_err(|error| why(&error))?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        if !is_json(response.headers()) {
            return Err(FetchError::NotJson);
        }
        if response.content_length().is_some_and(|length| length > most_bytes as u64) {
            return Err(FetchError::TooLarge);
        }
        let fresh_for = fresh_for(response.headers());
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| why(&error))? {
            if body.len() + piece.len() > most_bytes {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&piece);
        }
        Ok(Fetched { body, fresh_for })
    }
}

/// Looks names up, and gives their addresses only when all of them are public.
struct PublicResolver(Reach);

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if reach == Reach::Public && !found.iter().all(|address| is_public(address.ip())) {
                return Err(NotPublicError.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address that is not public")]
struct NotPublicError;

fn why(error: &reqwest::Error) -> FetchError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<NotPublicError>() {
            return FetchError::NotPublic;
        }
        cause = error.source();
    }
    tracing::info!(error = error as &dyn std::error::Error, "a client's document cannot be fetched");
    FetchError::Unreachable
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn fresh_for(headers: &HeaderMap) -> Option<Duration> {
    let number = |text: &str| text.trim().trim_matches('"').parse::<u64>().ok();
    let mut fresh = None;
    for value in headers.get_all(CACHE_CONTROL) {
        for directive in value.to_str().unwrap_or_default().split(',') {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" | "no-cache" => return Some(Duration::ZERO),
                "max-age" => fresh = Some(number(value).unwrap_or(0)),
                _ => {}
            }
        }
    }
    let age = headers.get(AGE).and_then(|value| value.to_str().ok()).and_then(number).unwrap_or(0);
    fresh.map(|seconds| Duration::from_secs(seconds.saturating_sub(age)))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn headers(pairs: &[(reqwest::header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn freshness_is_what_the_server_says() {
        for (said, seconds) in [
            ("max-age=600", Some(600)),
            ("public, Max-Age=\"600\", immutable", Some(600)),
            ("max-age=600, no-store", Some(0)),
            ("no-cache", Some(0)),
            ("max-age=x", Some(0)),
            ("public", None),
        ] {
            assert_eq!(fresh_for(&headers(&[(CACHE_CONTROL, said)])), seconds.map(Duration::from_secs), "{said}");
        }
        let aged = headers(&[(CACHE_CONTROL, "max-age=600"), (AGE, "590")]);
        assert_eq!(fresh_for(&aged), Some(Duration::from_secs(10)));
    }

    #[test]
    fn only_json_is_json() {
        for (kind, json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/jwk-set+json", true),
            ("text/html", false),
            ("text/json", false),
            ("application/jsonp", false),
            ("", false),
        ] {
            assert_eq!(is_json(&headers(&[(CONTENT_TYPE, kind)])), json, "{kind}");
        }
    }

    #[tokio::test]
    async fn addresses_and_ports_inside_are_not_asked() {
        let fetcher = HttpsFetcher::new(Reach::Public, None);
        for url in [
            "https://127.0.0.1/x",
            "https://[::1]/x",
            "https://[::ffff:10.0.0.1]/x",
            "https://169.254.169.254/latest/meta-data",
            "https://2130706433/x",
            "https://0x7f.1/x",
            "https://8.8.8.8:22/x",
            "https://example.com:8443/x",
            "https://localhost/x",
        ] {
            let refused = fetcher.fetch(&Url::parse(url).unwrap(), 10).await.unwrap_err();
            assert_eq!(refused, FetchError::NotPublic, "{url}");
        }
    }
}
