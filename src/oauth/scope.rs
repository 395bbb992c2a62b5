//! What a client may ask for.

use std::fmt;

use crate::accounts::{Scope, Scopes};

/// A set of scopes of the protocol; what they allow of people's data is [`OAuthScopes::api`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OAuthScopes(u8);

/// One scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum OAuthScope {
    /// See one's own data.
    Read = 1,
    /// Change one's own data.
    Write = 2,
    /// Operate the server; only for clients that an operator made.
    Admin = 4,
    /// Say who one is (OpenID Connect).
    OpenId = 8,
    /// Tell one's e-mail address.
    Email = 16,
    /// Tell one's name and time zone.
    Profile = 32,
    /// Stay signed in; every client does, so it changes nothing.
    OfflineAccess = 64,
}

impl OAuthScope {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 7] =
        [Self::Read, Self::Write, Self::Admin, Self::OpenId, Self::Email, Self::Profile, Self::OfflineAccess];

    /// The name in requests and tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
            Self::OpenId => "openid",
            Self::Email => "email",
            Self::Profile => "profile",
            Self::OfflineAccess => "offline_access",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

impl OAuthScopes {
    /// Whether `scope` is among them.
    pub const fn has(self, scope: OAuthScope) -> bool {
        self.0 & scope as u8 != 0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all of these are among `others`.
    pub const fn is_within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// Those that are in both.
    #[must_use]
    pub const fn intersect(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that are in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without one.
    #[must_use]
    pub const fn without(self, scope: OAuthScope) -> Self {
        Self(self.0 & !(scope as u8))
    }

    /// The scopes one by one.
    pub fn iter(self) -> impl Iterator<Item = OAuthScope> {
        OAuthScope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }

    /// Reads a space-separated list; `None` when a name is unknown.
    pub fn parse(text: &str) -> Option<Self> {
        names(text).map(OAuthScope::parse).collect()
    }

    /// Reads a space-separated list and leaves out what is unknown (RFC 6749, section 3.3).
    pub fn parse_known(text: &str) -> Self {
        names(text).filter_map(OAuthScope::parse).collect()
    }

    /// What they allow of people's data.
    pub fn api(self) -> Scopes {
        self.iter().filter_map(|scope| Scope::parse(scope.as_str())).collect()
    }
}

/// The names of a list; only a space separates them (RFC 6749, section 3.3).
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|name| !name.is_empty())
}

impl FromIterator<OAuthScope> for OAuthScopes {
    fn from_iter<I: IntoIterator<Item = OAuthScope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope as u8))
    }
}

/// Space-separated (RFC 6749, section 3.3).
impl fmt::Display for OAuthScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_reads_as_it_is_written() {
        let scopes = OAuthScopes::parse("profile read openid").unwrap();

        assert_eq!(scopes.to_string(), "read openid profile");
        assert_eq!(OAuthScopes::parse("read nonsense"), None);
        assert_eq!((OAuthScopes::parse("read\nwrite"), OAuthScopes::parse("read\twrite")), (None, None));
        assert_eq!(OAuthScopes::parse_known("read nonsense").to_string(), "read");
        assert_eq!(scopes.api().to_string(), "read");
        assert!(scopes.without(OAuthScope::Read).is_within(scopes));
    }
}
