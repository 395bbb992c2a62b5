//! Who the client is, when proxies stand in between: `Forwarded` (RFC 7239) and `X-Forwarded-For`.
//!
//! Anybody can send such a header, so a word in it counts only when a trusted proxy wrote it. Each proxy adds to the right
//! end the address that it saw; read from there, the first address that is no trusted proxy's is the client, and what
//! stands further left is what the client claims. Scheme and host are never taken from headers: `PUBLIC_URL` says them.

mod forwarded;

use std::net::IpAddr;

use ipnet::IpNet;
use poem::Request;
use poem::http::{HeaderMap, HeaderName};

use self::forwarded::Hop;
use crate::config::{ProxyHeader, Server};

static FORWARDED: HeaderName = HeaderName::from_static("forwarded");
static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// How much of a chain is read, from its right end: more hops than any real way has.
const MOST_HOPS: usize = 32;
/// The longest chain that is read at all, in bytes.
const LONGEST: usize = 8192;

/// The proxies whose word is taken.
#[derive(Clone, Debug)]
pub(super) struct Proxies {
    trusted: Vec<IpNet>,
    header: ProxyHeader,
}

/// The client behind trusted proxies, in the extensions of a request that came through one.
#[derive(Clone, Copy, Debug)]
struct BehindProxy(IpAddr);

/// The address of the client of `request`; `None` where the connection has none.
pub(super) fn of(request: &Request) -> Option<IpAddr> {
    match request.data::<BehindProxy>() {
        Some(BehindProxy(address)) => Some(*address),
        None => peer(request),
    }
}

fn peer(request: &Request) -> Option<IpAddr> {
    request.remote_addr().as_socket_addr().map(|socket| socket.ip().to_canonical())
}

impl Proxies {
    /// Takes the proxies of the configuration.
    pub(super) fn new(server: &Server) -> Self {
        Self { trusted: server.trusted_proxies.clone(), header: server.proxy_header }
    }

    /// Finds out who the client is, for everybody who asks [`of`] later; costs nothing where no proxy is trusted.
    pub(super) fn note(&self, request: &mut Request) {
        if let Some(peer) = peer(request).filter(|peer| self.trusts(*peer)) {
            let client = self.client(peer, request.headers());
            request.set_data(BehindProxy(client));
        }
    }

    /// Whether an address is a trusted proxy's.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }

    /// The client behind the trusted proxy `peer`: `peer` itself where the headers do not say.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let named = |header: &HeaderName, parse: fn(&str, &mut Vec<Hop>)| {
            headers.contains_key(header).then(|| self.walk(peer, &hops(headers, header, parse)))
        };
        match self.header {
            ProxyHeader::Forwarded => named(&FORWARDED, forwarded::parse).unwrap_or(peer),
            ProxyHeader::XForwardedFor => named(&X_FORWARDED_FOR, forwarded::parse_plain).unwrap_or(peer),
            ProxyHeader::Auto => {
                match (named(&FORWARDED, forwarded::parse), named(&X_FORWARDED_FOR, forwarded::parse_plain)) {
                    // A proxy writes one of the two and may let the other pass, which the client wrote.
                    (Some(one), Some(other)) if one != other => peer,
                    (Some(client), _) | (None, Some(client)) => client,
                    (None, None) => peer,
                }
            }
        }
    }

    /// Follows the chain from its right end, as long as each hop is known and trusted.
    fn walk(&self, peer: IpAddr, hops: &[Hop]) -> IpAddr {
        let mut last = peer;
        for hop in hops.iter().rev().take(MOST_HOPS) {
            match hop {
                Hop::Known(address) => last = *address,
                // Whom the last proxy saw it does not tell, so nothing before it can be believed.
                Hop::Unknown => break,
            }
            if !self.trusts(last) {
                break;
            }
        }
        last
    }
}

/// The hops that all headers of the name tell of, in order.
fn hops(headers: &HeaderMap, name: &HeaderName, parse: fn(&str, &mut Vec<Hop>)) -> Vec<Hop> {
    let mut hops = Vec::new();
    let lines: Vec<_> = headers.get_all(name).iter().collect();
    if lines.iter().map(|line| line.len()).sum::<usize>() > LONGEST {
        return hops;
    }
    for line in lines {
        match line.to_str() {
            Ok(text) => parse(text, &mut hops),
            Err(_) => hops.push(Hop::Unknown),
        }
    }
    hops
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn client_of(header: ProxyHeader, headers: &[(&HeaderName, &str)]) -> String {
        let trusted = ["10.0.0.0/8", "2001:db8:aaaa::/48"].map(|network| network.parse().unwrap()).to_vec();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Proxies { trusted, header }.client(PROXY.parse().unwrap(), &map).to_string()
    }

    fn by_list(chain: &str) -> String {
        client_of(ProxyHeader::Auto, &[(&X_FORWARDED_FOR, chain)])
    }

    fn by_standard(chain: &str) -> String {
        client_of(ProxyHeader::Auto, &[(&FORWARDED, chain)])
    }

    #[test]
    fn the_client_is_the_rightmost_address_that_is_no_proxy() {
        for (chain, client) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7, 10.0.0.2, 10.1.2.3", "203.0.113.7"),
            ("1.2.3.4, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
            ("10.9.9.9", "10.9.9.9"),
            ("203.0.113.7:4711", "203.0.113.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:443, 2001:db8:aaaa::1", "2001:db8::7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
        ] {
            assert_eq!(by_list(chain), client, "{chain}");
        }
        for (chain, client) in [
            ("for=203.0.113.7", "203.0.113.7"),
            ("For=\"[2001:db8::7]:4711\";proto=https;by=10.0.0.9", "2001:db8::7"),
            ("for=1.2.3.4, for=203.0.113.7;host=x, for=\"10.0.0.2:_port\"", "203.0.113.7"),
            ("by=1.2.3.4;FOR=\"203.0.113.7:1\"", "203.0.113.7"),
            ("for=\"203.0.113\\.7\"", "203.0.113.7"),
        ] {
            assert_eq!(by_standard(chain), client, "{chain}");
        }
    }

    #[test]
    fn a_hop_that_cannot_be_read_ends_the_chain_at_the_proxy_before() {
        for chain in [
            "",
            "unknown",
            "1.2.3.4, unknown",
            "1.2.3.4, ",
            "_hidden",
            "1.2.3.4, 999.1.1.1",
            "fe80::1%eth0",
            "[::1",
            "1.2.3.4:99999",
        ] {
            assert_eq!(by_list(chain), PROXY, "{chain}");
        }
        assert_eq!(by_list("1.2.3.4, nonsense, 10.0.0.7"), "10.0.0.7");
        for chain in [
            "for=unknown",
            "for=1.2.3.4, for=_secret",
            "proto=https",
            "for=\"1.2.3.4",
            "for=\"1.2.3.4, for=203.0.113.7",
            "for=2001:db8::7",
            "for=1.2.3.4;for=5.6.7.8",
            "1.2.3.4",
        ] {
            assert_eq!(by_standard(chain), PROXY, "{chain}");
        }
    }

    #[test]
    fn several_headers_are_one_chain() {
        let lines = [(&X_FORWARDED_FOR, "1.2.3.4"), (&X_FORWARDED_FOR, "203.0.113.7, 10.0.0.2")];

        assert_eq!(client_of(ProxyHeader::XForwardedFor, &lines), "203.0.113.7");
    }

    #[test]
    fn a_chain_without_end_is_not_read() {
        assert_eq!(by_list(&"1.2.3.4, ".repeat(1000)), PROXY);
        assert_eq!(by_list(&format!("203.0.113.7{}", ", 10.0.0.2".repeat(40))), "10.0.0.2");
    }

    #[test]
    fn of_two_headers_that_disagree_none_is_believed() {
        let both = |one, other| [(&FORWARDED, one), (&X_FORWARDED_FOR, other)];

        assert_eq!(client_of(ProxyHeader::Auto, &both("for=1.2.3.4", "203.0.113.7")), PROXY);
        assert_eq!(client_of(ProxyHeader::Auto, &both("for=203.0.113.7", "203.0.113.7")), "203.0.113.7");
        assert_eq!(client_of(ProxyHeader::Forwarded, &both("for=1.2.3.4", "203.0.113.7")), "1.2.3.4");
        assert_eq!(client_of(ProxyHeader::XForwardedFor, &both("for=1.2.3.4", "203.0.113.7")), "203.0.113.7");
    }
}
