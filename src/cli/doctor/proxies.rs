//! Whether the addresses of clients can be told apart.

use std::net::IpAddr;

use url::Url;

use super::configuration::is_loopback;
use super::finding::Findings;
use crate::config::Config;

/// Who listens where only this machine reaches it, but is known by an address of the world, stands behind a proxy.
pub(super) fn check(config: &Config, findings: &mut Findings) {
    let check = "proxies";
    let server = &config.server;
    let public = server.public_url.as_deref().and_then(|url| Url::parse(url).ok());
    let hidden = server.host == "localhost" || server.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let behind = public.is_some_and(|url| url.scheme() == "https" || (hidden && !is_loopback(&url)));
    if behind && server.trusted_proxies.is_empty() {
        findings.warning(
            check,
            "there is a proxy in front, and none is trusted: all clients count as one address for the limits of sign-ins",
            "name the proxy's address in server.trusted_proxies (on this machine: 127.0.0.1 and ::1)",
        );
    } else if server.trusted_proxies.is_empty() {
        findings.ok(check, "none; the address of a client is that of its connection");
    } else {
        findings.ok(check, "the addresses of clients come from the trusted proxies");
    }
}
