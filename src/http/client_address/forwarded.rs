//! The two ways in which proxies write a chain.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Whom a proxy saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hop {
    /// This address.
    Known(IpAddr),
    /// It does not tell (`unknown`, a name of its own such as `_hidden`), or what it says cannot be read.
    Unknown,
}

/// Reads one `X-Forwarded-For`: addresses separated by commas, some with a port.
pub(super) fn parse_plain(text: &str, hops: &mut Vec<Hop>) {
    hops.extend(text.split(',').map(|node| hop(node.trim())));
}

/// Reads one `Forwarded` (RFC 7239, section 4): elements separated by commas, of pairs separated by semicolons.
///
/// A quotation that does not end swallows all that follows, so the whole header then tells nothing.
pub(super) fn parse(text: &str, hops: &mut Vec<Hop>) {
    match elements(text) {
        Some(elements) => hops.extend(elements),
        None => hops.push(Hop::Unknown),
    }
}

fn elements(text: &str) -> Option<Vec<Hop>> {
    let mut rest = text;
    let mut found = Vec::new();
    let mut node: Option<Hop> = None;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = value(after)?;
        if name.trim().eq_ignore_ascii_case("for") {
            // Which of two would be meant?
            node = Some(if node.is_some() { Hop::Unknown } else { standard_hop(&value) });
        }
        match after.trim_start().as_bytes().first() {
            Some(b';') => {}
            Some(b',') => found.push(node.take().unwrap_or(Hop::Unknown)),
            None => {
                found.push(node.unwrap_or(Hop::Unknown));
                return Some(found);
            }
            Some(_) => return None,
        }
        rest = &after.trim_start()[1..];
    }
}

/// A token or a quotation, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',']).unwrap_or(text.len());
        let (token, after) = text.split_at(end);
        return (!token.contains('"')).then(|| (token.trim().to_owned(), after));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

/// RFC 7239, section 6: an address of IPv6 stands in brackets, a port may be hidden too.
fn standard_hop(node: &str) -> Hop {
    if node.parse::<Ipv6Addr>().is_ok() {
        return Hop::Unknown;
    }
    let hidden_port = node.rsplit_once(":_").map(|(host, _)| host);
    hop(hidden_port.unwrap_or(node))
}

/// An address with or without brackets and port.
fn hop(node: &str) -> Hop {
    let bare = node.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = match bare {
        Some(six) => six.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => node.parse::<IpAddr>().ok().or_else(|| node.parse::<SocketAddr>().ok().map(|socket| socket.ip())),
    };
    address.map_or(Hop::Unknown, |address| Hop::Known(address.to_canonical()))
}
