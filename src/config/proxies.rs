//! Keys of the section `server` about who stands between it and its clients, and who may show its pages.

use std::net::IpAddr;

use ipnet::IpNet;
use url::Url;

use super::source::Raw;
use super::value::list;

/// The header in which trusted proxies name the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyHeader {
    /// Whichever of the two there is. Of two that name different clients, neither is believed: one of them is the
    /// client's own invention.
    #[default]
    Auto,
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// `X-Forwarded-For`.
    XForwardedFor,
}

/// Networks, such as 10.0.0.0/8, and single addresses.
pub(super) fn networks(raw: &Raw) -> Option<Vec<IpNet>> {
    let network = |text: &String| {
        let text = text.trim();
        text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
    };
    list(raw)?.iter().map(network).collect()
}

pub(super) fn proxy_header(raw: &Raw) -> Option<ProxyHeader> {
    match super::value::text(raw)?.to_ascii_lowercase().as_str() {
        "auto" => Some(ProxyHeader::Auto),
        "forwarded" => Some(ProxyHeader::Forwarded),
        "x-forwarded-for" => Some(ProxyHeader::XForwardedFor),
        _ => None,
    }
}

/// Sources of `frame-ancestors` (CSP level 3, section 6.4.2): origins, perhaps with `*.` before their host.
pub(super) fn frames(raw: &Raw) -> Option<Vec<String>> {
    list(raw)?.iter().map(|text| frame(text.trim())).collect()
}

fn frame(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let (wild, host) = rest.strip_prefix("*.").map_or(("", rest), |host| ("*.", host));
    let url = Url::parse(&format!("{scheme}://{host}")).ok()?;
    let web = matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty();
    let bare =
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && !host.contains(['*', ';', ',']);
    let origin = url.origin().ascii_serialization();
    (web && bare).then(|| origin.replacen("://", &format!("://{wild}"), 1))
}

/// `redis://…` or `rediss://…`.
#[expect(
    clippy::option_option,
    reason = "the outer says whether the value could be read, the inner whether one was chosen"
)]
pub(super) fn redis_url(raw: &Raw) -> Option<Option<super::Secret>> {
    super::value::optional(raw, |text| {
        let url = Url::parse(text).ok()?;
        (matches!(url.scheme(), "redis" | "rediss") && url.has_host()).then(|| super::Secret::new(text))
    })
}
