//! Which requests are counted together.

use std::net::IpAddr;

use uuid::Uuid;

/// How requests to a path are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Not at all: health checks, metrics and documents.
    Exempt,
    /// By user.
    General,
    /// By user, through the Model Context Protocol.
    Mcp,
    /// By user, everything at once: import and export.
    Transfer,
    /// By address: pages for people who have not signed in.
    Page,
    /// By address, strictly: whoever asks here has a password or token to guess.
    SignIn,
    /// By address, as strictly: the token endpoint and its kin.
    Token,
    /// By address, as strictly: programs that introduce themselves.
    Registration,
    /// By client of the token endpoint, whose one address may speak for many people.
    Client,
}

impl Class {
    /// Whether its requests are counted by user, once it is known who asks.
    pub const fn is_by_user(self) -> bool {
        matches!(self, Self::General | Self::Mcp | Self::Transfer)
    }
}

/// The class of a route pattern of the API.
pub fn class_of(pattern: &str) -> Class {
    const SIGN_IN: [&str; 4] = ["/api/auth/register", "/api/auth/login", "/api/auth/refresh", "/api/auth/verify-email"];
    let below = |start: &str| pattern.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if below("/health") || below("/metrics") {
        Class::Exempt
    } else if SIGN_IN.contains(&pattern)
        || pattern.starts_with("/api/auth/password/")
        || pattern.starts_with("/api/auth/passkeys/sign-in")
        || pattern == "/api/auth/passkeys/registration"
    {
        Class::SignIn
    } else if below("/api/export") || below("/api/import") {
        Class::Transfer
    } else if below("/mcp") {
        Class::Mcp
    } else {
        Class::General
    }
}

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A user, whichever credential they use.
    User(Uuid),
    /// A client.
    Client(Uuid),
    /// An address; of IPv6 the network of 64 bits, which one household or attacker has whole.
    Address(Option<IpAddr>),
}

impl Subject {
    /// The subject of an address.
    pub fn address(address: Option<IpAddr>) -> Self {
        Self::Address(address.map(network))
    }

    /// The subject as bytes, different for each.
    pub(super) fn to_bytes(self) -> [u8; 17] {
        let (kind, id) = match self {
            Self::User(id) => (1, id.into_bytes()),
            Self::Client(id) => (2, id.into_bytes()),
            Self::Address(None) => (3, [0; 16]),
            Self::Address(Some(IpAddr::V4(four))) => (4, four.to_ipv6_mapped().octets()),
            Self::Address(Some(IpAddr::V6(six))) => (6, six.octets()),
        };
        let mut bytes = [kind; 17];
        bytes[1..].copy_from_slice(&id);
        bytes
    }
}

/// What of an address is one client's: all of IPv4, of IPv6 the first 64 bits.
pub(in crate::http) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6((six.to_bits() >> 64 << 64).into()),
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_one_ipv6_network_are_counted_together() {
        let address = |text: &str| Subject::address(Some(text.parse().unwrap()));

        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:2"));
        assert_ne!(address("2001:db8:0:1::1"), address("2001:db8::1"));
        assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
    }

    #[test]
    fn health_and_metrics_are_not_counted_and_the_strict_ones_are() {
        for (pattern, class) in [
            ("/health", Class::Exempt),
            ("/health/ready", Class::Exempt),
            ("/healthy", Class::General),
            ("/metrics", Class::Exempt),
            ("/api/auth/login", Class::SignIn),
            ("/api/auth/password/reset", Class::SignIn),
            ("/api/auth/me", Class::General),
            ("/api/export", Class::Transfer),
            ("/mcp/tools/{name}", Class::Mcp),
            ("/api/tasks", Class::General),
        ] {
            assert_eq!(class_of(pattern), class, "{pattern}");
        }
    }

    #[test]
    fn no_two_subjects_have_the_same_bytes() {
        let id = Uuid::from_u128(7);
        let subjects = [
            Subject::User(id),
            Subject::Client(id),
            Subject::Address(None),
            Subject::address(Some("0.0.0.7".parse().unwrap())),
            Subject::Address(Some("::7".parse().unwrap())),
        ];

        let distinct: std::collections::HashSet<_> = subjects.iter().map(|subject| subject.to_bytes()).collect();

        assert_eq!(distinct.len(), subjects.len());
    }
}
