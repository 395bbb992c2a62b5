//! `/metrics`: what the server counts, for Prometheus and its kin.
//!
//! Without a token, machines of the same network may read it: peers with a private address whose request came straight
//! here. What a proxy passes on may come from anywhere, whatever the proxy's own address is.

use std::net::IpAddr;
use std::sync::Arc;

use poem::http::header::{ACCEPT, AUTHORIZATION, FORWARDED, VIA};
use poem::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use poem::{IntoResponse, Request, Response};
use poem_openapi::payload::Payload;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, OpenApi, Tags};
use subtle::ConstantTimeEq;

use super::problem::ApiError;
use crate::config::{self, Secret};
use crate::observe::metrics::{Format, Metrics};

/// What proxies add to what they pass on.
const PASSED_ON: [HeaderName; 6] = [
    FORWARDED,
    VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("cf-connecting-ip"),
];

/// Who may read the metrics.
#[derive(Clone, Debug)]
pub enum MetricsAccess {
    /// Everybody.
    Everybody,
    /// Peers on private addresses whose request no proxy passed on.
    Neighbours,
    /// Who shows this token.
    Token(Secret),
    /// Nobody.
    Nobody,
}

impl MetricsAccess {
    /// What the operator chose.
    pub fn of(chosen: &config::Metrics) -> Self {
        match (chosen.access, &chosen.token) {
            (config::MetricsAccess::Off, _) => Self::Nobody,
            (config::MetricsAccess::Public, _) => Self::Everybody,
            (config::MetricsAccess::Private, Some(token)) => Self::Token(token.clone()),
            (config::MetricsAccess::Private, None) => Self::Neighbours,
        }
    }

    fn check(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Result<(), ApiError> {
        match self {
            Self::Everybody => Ok(()),
            Self::Nobody => Err(ApiError::not_found("page")),
            Self::Token(token) if shows(headers, token) => Ok(()),
            Self::Token(_) => {
                let error = ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", "Authentication is needed");
                Err(error.detail("Metrics are read with the token of `METRICS_TOKEN`: `Authorization: Bearer …`."))
            }
            Self::Neighbours if is_neighbour(peer, headers) => Ok(()),
            Self::Neighbours => {
                let error = ApiError::new(StatusCode::FORBIDDEN, "not-from-here", "Metrics are not shown here");
                Err(error.detail(
                    "Without `METRICS_TOKEN`, only machines of the server's own network may read metrics, and not through a proxy.",
                ))
            }
        }
    }
}

fn is_neighbour(peer: Option<IpAddr>, headers: &HeaderMap) -> bool {
    // Who has no address sits on this machine, behind a socket or in a test.
    let near = peer.is_none_or(|peer| is_private(peer.to_canonical()));
    near && !PASSED_ON.iter().any(|name| headers.contains_key(name))
}

const fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => four.is_loopback() || four.is_private() || four.is_link_local(),
        IpAddr::V6(six) => six.is_loopback() || six.is_unique_local() || six.is_unicast_link_local(),
    }
}

fn shows(headers: &HeaderMap, token: &Secret) -> bool {
    let shown = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    let shown = shown.split_at_checked(7).filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "));
    shown.is_some_and(|(_, shown)| bool::from(shown.trim_ascii().ct_eq(token.expose().as_bytes())))
}

/// The operation.
pub struct MetricsApi {
    metrics: Arc<Metrics>,
    access: MetricsAccess,
    before: BeforeScrape,
}

/// What is looked at before the numbers are written down.
pub type BeforeScrape = Arc<dyn Fn() -> futures_util::future::BoxFuture<'static, ()> + Send + Sync>;

#[derive(Tags)]
enum Tag {
    /// What the server counts, for Prometheus.
    Monitoring,
}

/// Metrics in one of the two formats of Prometheus.
struct Exposition {
    text: String,
    format: Format,
}

impl IntoResponse for Exposition {
    fn into_response(self) -> Response {
        Response::builder().content_type(self.format.media_type()).body(self.text)
    }
}

impl Payload for Exposition {
    const CONTENT_TYPE: &'static str = Format::Classic.media_type();

    fn schema_ref() -> MetaSchemaRef {
        String::schema_ref()
    }
}

impl ApiResponse for Exposition {
    fn meta() -> MetaResponses {
        let content = [Format::Classic, Format::OpenMetrics]
            .map(|format| MetaMediaType { content_type: format.media_type(), schema: String::schema_ref() });
        let response = MetaResponse {
            description: "Everything that is counted, as it is now.",
            status: Some(200),
            status_range: None,
            content: content.into(),
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_registry: &mut Registry) {}
}

impl MetricsApi {
    /// Shows `metrics` to whom `access` lets; `before` is run with each scrape.
    pub fn new(metrics: Arc<Metrics>, access: MetricsAccess, before: BeforeScrape) -> Self {
        Self { metrics, access, before }
    }
}

#[OpenApi(tag = "Tag::Monitoring")]
impl MetricsApi {
    /// Read the metrics
    ///
    /// In the text format of Prometheus, or as OpenMetrics for who accepts `application/openmetrics-text`. Never limited.
    /// Without further settings, machines of the server's own network may read them; with `METRICS_TOKEN`, who sends it
    /// as a bearer token.
    ///
    /// - 401: A token is needed.
    /// - 403: Metrics are not shown to this address.
    /// - 404: Metrics are not shown at all.
    #[oai(path = "/metrics", method = "get", operation_id = "read_metrics")]
    async fn read_metrics(&self, request: &Request) -> Result<Exposition, ApiError> {
        let peer = request.remote_addr().as_socket_addr().map(std::net::SocketAddr::ip);
        self.access.check(peer, request.headers())?;
        (self.before)().await;
        let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
        let format = Format::wanted(accept);
        Ok(Exposition { text: self.metrics.text(format), format })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        pairs.collect::<Vec<(HeaderName, HeaderValue)>>().into_iter().collect()
    }

    fn status(access: &MetricsAccess, peer: &str, pairs: &[(&str, &str)]) -> u16 {
        let peer = Some(peer.parse().unwrap());
        access.check(peer, &headers(pairs)).err().map_or(200, |error| error.status().as_u16())
    }

    #[test]
    fn neighbours_may_read_and_the_internet_may_not() {
        let access = MetricsAccess::Neighbours;

        for peer in
            ["127.0.0.1", "::1", "10.1.2.3", "172.18.0.5", "192.168.1.9", "fd00::1", "fe80::1", "::ffff:127.0.0.1"]
        {
            assert_eq!(status(&access, peer, &[]), 200, "{peer}");
        }
        for peer in ["8.8.8.8", "100.64.0.1", "2a00:1450::1", "64:ff9b::a00:1", "::ffff:8.8.8.8"] {
            assert_eq!(status(&access, peer, &[]), 403, "{peer}");
        }
        assert!(access.check(None, &headers(&[])).is_ok());
    }

    #[test]
    fn what_a_proxy_passes_on_may_come_from_anywhere() {
        for name in ["Forwarded", "X-Forwarded-For", "Via", "X-Real-IP", "CF-Connecting-IP", "X-Forwarded-Host"] {
            assert_eq!(status(&MetricsAccess::Neighbours, "127.0.0.1", &[(name, "x")]), 403, "{name}");
        }
    }

    #[test]
    fn a_token_opens_from_anywhere_and_nothing_else_does() {
        let access = MetricsAccess::Token(Secret::new("0123456789abcdef"));

        assert_eq!(status(&access, "8.8.8.8", &[("Authorization", "Bearer 0123456789abcdef")]), 200);
        assert_eq!(status(&access, "8.8.8.8", &[("Authorization", "bearer  0123456789abcdef")]), 200);
        for wrong in ["Bearer 0123456789abcdeF", "Bearer", "Basic 0123456789abcdef", "Bearer 0123456789abcdef0"] {
            assert_eq!(status(&access, "127.0.0.1", &[("Authorization", wrong)]), 401, "{wrong}");
        }
        assert_eq!(status(&access, "127.0.0.1", &[]), 401);
    }

    #[test]
    fn an_operator_may_open_or_close_it_for_all() {
        assert_eq!(status(&MetricsAccess::Everybody, "8.8.8.8", &[("Via", "x")]), 200);
        assert_eq!(status(&MetricsAccess::Nobody, "127.0.0.1", &[]), 404);
    }
}
