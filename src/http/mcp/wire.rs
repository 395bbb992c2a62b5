//! The protocol over HTTP, whoever answers it: what is common to every handler of rmcp, tests' own included.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use poem::http::header::{ACCEPT, ALLOW, AUTHORIZATION, CONTENT_TYPE, ORIGIN};
use poem::http::{self, HeaderMap, HeaderValue, StatusCode};
use poem::{Body, Request, Response};
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};

use super::lift;
use super::message::{Message, Refused};
use crate::http::contract::{BodyLimits, collect_within};
use crate::http::problem::ApiError;

/// Stands for all origins.
const ANY: &str = "*";
/// What rmcp wants to be accepted.
const BOTH_TYPES: &str = "application/json, text/event-stream";

/// A handler behind its endpoint; sessions are not kept.
pub struct Wire<H> {
    service: StreamableHttpService<H, NeverSessionManager>,
    /// Whether pages of every origin may call.
    any_origin: bool,
    body_limits: BodyLimits,
}

/// A request whose body was read.
#[derive(Debug)]
pub struct Read {
    bytes: Bytes,
    message: Result<Message, Refused>,
}

impl Read {
    /// The tool that is called, if one is.
    pub fn tool(&self) -> Option<&str> {
        self.message.as_ref().ok()?.tool()
    }
}

impl<H: ServerHandler + Clone> Wire<H> {
    /// Puts `handler` on the wire: for clients of `public_url`, and for pages of `origins` (`*` stands for all).
    pub fn new(handler: H, public_url: &str, origins: &[String], body_limits: BodyLimits) -> Self {
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_max_request_body_bytes(body_limits.max_bytes);
        let config = only_own_names(config, public_url, origins);
        let service = StreamableHttpService::new(move || Ok(handler.clone()), Arc::default(), config);
        Self { service, any_origin: origins.iter().any(|origin| origin == ANY), body_limits }
    }

    /// Reads the body of a `POST`.
    ///
    /// # Errors
    ///
    /// 408 and 413; a body that is no message is told in the answer.
    pub async fn read(&self, request: &mut Request) -> Result<Read, ApiError> {
        let bytes = collect_within(request, self.body_limits).await?;
        let message = Message::read(&bytes);
        // What was read is what is handed on: `30.0` as the integer that it is.
        let bytes = message.as_ref().map_or(bytes, Message::to_bytes);
        Ok(Read { bytes, message })
    }

    /// Answers what was read.
    ///
    /// # Errors
    ///
    /// What HTTP itself refuses; faults of the protocol are answers.
    pub async fn answer(&self, request: &mut Request, Read { bytes, message }: Read) -> Result<Response, ApiError> {
        let message = match message {
            Ok(message) => message,
            Err(refused) => return Ok(refused.into()),
        };
        if !self.any_origin && !names_an_origin(request.headers()) {
            return Err(foreign("The `Origin` is not one: a scheme, a host and perhaps a port"));
        }
        if ["application/json", "text/event-stream"].iter().all(|kind| accepts(request.headers(), kind)) {
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static(BOTH_TYPES));
        }
        let (parts, body) = self.service.handle(forwarded(request, bytes)).await.into_parts();
        if is_plain(&parts) {
            return plain(&parts, body, &message).await;
        }
        let body = match message.method() {
            Some("tools/list") => lift::security_schemes(body).await,
            _ => Body::from(poem_body(body)),
        };
        let mut response = Response::builder().status(parts.status).body(body);
        *response.headers_mut() = parts.headers;
        Ok(response)
    }
}

/// Whether the page that asks says where it comes from as browsers do, if it says so at all. rmcp takes what follows the host
/// for a port, and leaves it out where it is none.
fn names_an_origin(headers: &HeaderMap) -> bool {
    let mut all = headers.get_all(ORIGIN).iter();
    let (Some(origin), None) = (all.next(), all.next()) else { return !headers.contains_key(ORIGIN) };
    let Ok(text) = origin.to_str() else { return false };
    if text == "null" {
        return true;
    }
    let Ok(uri) = text.parse::<http::Uri>() else { return false };
    let Some(port) = uri.authority().and_then(|authority| authority.as_str().strip_prefix(authority.host())) else {
        return false;
    };
    let is_number = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    uri.scheme().is_some()
        && (port.is_empty() || port.strip_prefix(':').is_some_and(is_number))
        && uri.path_and_query().is_none_or(|rest| rest.as_str() == "/")
}

/// Whether `Accept` takes a type (RFC 9110, section 12.5.1): the range that names it most closely decides, and a request
/// without the header takes all. rmcp looks for the types by their names alone.
fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let group = kind.split_once('/').map_or(kind, |(group, _)| group);
    let ranges =
        headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let mut closest = None;
    for range in ranges.filter(|range| !range.trim().is_empty()) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let rank = match name.split_once('/') {
            _ if name == kind => 2,
            Some((own, "*")) if own == group => 1,
            Some(("*", "*")) => 0,
            _ => {
                closest = closest.or(Some((-1, false)));
                continue;
            }
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let taken = weight.and_then(|weight| weight.trim().parse::<f32>().ok()).is_none_or(|weight| weight > 0.0);
        if closest.is_none_or(|(known, _)| rank >= known) {
            closest = Some((rank, taken));
        }
    }
    closest.is_none_or(|(_, taken)| taken)
}

/// The refusal of a request that another site makes.
fn foreign(detail: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "foreign-origin", "The request comes from elsewhere").detail(detail)
}

/// Only pages that may call, and only under the server's own names, so that no page of another site can reach a server on
/// the same machine or network (DNS rebinding).
fn only_own_names(
    config: StreamableHttpServerConfig,
    public_url: &str,
    origins: &[String],
) -> StreamableHttpServerConfig {
    const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
    let url = url::Url::parse(public_url).ok();
    let host = url.as_ref().and_then(url::Url::host_str).map(|host| host.trim_matches(['[', ']']).to_owned());
    let is_local = host.as_deref().is_some_and(|host| LOOPBACK.contains(&host));
    // Who can send a request to the loopback address as such is on this machine already.
    let hosts = LOOPBACK.into_iter().map(str::to_owned).chain(host);
    let config = config.with_allowed_hosts(hosts);
    if origins.iter().any(|origin| origin == ANY) {
        return config.disable_allowed_origins();
    }
    let own = url.map(|url| with_port(&url.origin().ascii_serialization()));
    let local = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"].map(str::to_owned);
    let allowed =
        origins.iter().map(|origin| with_port(origin)).chain(own).chain(local.into_iter().filter(|_| is_local));
    config.with_allowed_origins(allowed).enforce_origin_validation()
}

/// An origin with its port written out: rmcp takes one without as any.
fn with_port(origin: &str) -> String {
    match url::Url::parse(origin) {
        Ok(url) if url.port().is_none() => {
            url.port_or_known_default().map_or_else(|| origin.to_owned(), |port| format!("{origin}:{port}"))
        }
        _ => origin.to_owned(),
    }
}

/// The request as rmcp takes it, with everything that is known about it.
fn forwarded(request: &mut Request, body: Bytes) -> http::Request<Full<Bytes>> {
    let mut forwarded = http::Request::new(Full::new(body));
    *forwarded.method_mut() = request.method().clone();
    *forwarded.uri_mut() = request.uri().clone();
    *forwarded.headers_mut() = std::mem::take(request.headers_mut());
    // Who asks goes along as the caller; what they showed is nobody's business any more.
    forwarded.headers_mut().remove(AUTHORIZATION);
    std::mem::swap(forwarded.extensions_mut(), request.extensions_mut());
    forwarded
}

/// What rmcp answers with.
pub(super) type RmcpBody = BoxBody<Bytes, Infallible>;

/// A body whose parts may come later.
pub(super) fn poem_body(body: RmcpBody) -> BoxBody<Bytes, io::Error> {
    body.map_err(|never| match never {}).boxed()
}

/// Whether rmcp refused in words of its own instead of the protocol's.
fn is_plain(parts: &http::response::Parts) -> bool {
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    !parts.status.is_success() && !kind.starts_with("application/json") && !kind.starts_with("text/event-stream")
}

/// The same refusal as the protocol's error, or as a problem document where it is about HTTP.
async fn plain(parts: &http::response::Parts, body: RmcpBody, message: &Message) -> Result<Response, ApiError> {
    let told = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let told = String::from_utf8_lossy(&told).into_owned();
    let (kind, title) = match parts.status {
        StatusCode::FORBIDDEN => return Err(foreign(told)),
        StatusCode::NOT_ACCEPTABLE => ("not-acceptable", "The client must take JSON and event streams"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE if told.contains("Content-Type") => {
            ("unsupported-media-type", "The body's type is not supported")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => return Ok(message.refused().into()),
        status if status.is_server_error() => return Err(ApiError::internal(&io::Error::other(told))),
        _ => ("refused", "The request was refused"),
    };
    let mut error = ApiError::new(parts.status, kind, title).detail(told);
    if let Some(allow) = parts.headers.get(ALLOW) {
        error = error.header(ALLOW, allow.clone());
    }
    Err(error)
}

impl From<Refused> for Response {
    fn from(refused: Refused) -> Self {
        let body = refused.body().to_string();
        Self::builder().status(StatusCode::BAD_REQUEST).header(CONTENT_TYPE, "application/json").body(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &http::HeaderName, values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn types_are_excluded_only_by_a_header_that_does() {
        for (accept, json, stream) in [
            (&[][..], true, true),
            (&[""], true, true),
            (&["*/*"], true, true),
            (&["application/*, text/*"], true, true),
            (&["application/json", "text/event-stream"], true, true),
            (&["Application/JSON;q=0.5, */*;q=0.1"], true, true),
            (&["application/json"], true, false),
            (&["text/event-stream, application/xml"], false, true),
            (&["*/*, text/event-stream;q=0"], true, false),
            (&["text/*;q=0, text/event-stream, application/*"], true, true),
            (&["image/png"], false, false),
        ] {
            let headers = headers(&ACCEPT, accept);
            let found = (accepts(&headers, "application/json"), accepts(&headers, "text/event-stream"));
            assert_eq!(found, (json, stream), "{accept:?}");
        }
    }

    #[test]
    fn an_origin_is_a_scheme_a_host_and_perhaps_a_port() {
        for good in
            ["https://chatgpt.com", "http://127.0.0.1:18804", "http://[::1]:8000", "vscode-webview://abc", "null"]
        {
            assert!(names_an_origin(&headers(&ORIGIN, &[good])), "{good}");
        }
        for bad in [
            "http://127.0.0.1:18804.evil",
            "http://127.0.0.1:",
            "http://127.0.0.1:+80",
            "http://127.0.0.1:99999",
            "http://evil@127.0.0.1",
            "http://127.0.0.1/evil",
            "127.0.0.1",
            "",
        ] {
            assert!(!names_an_origin(&headers(&ORIGIN, &[bad])), "{bad}");
        }
        assert!(names_an_origin(&HeaderMap::new()));
        assert!(!names_an_origin(&headers(&ORIGIN, &["https://chatgpt.com", "https://evil.example"])));
    }
}
