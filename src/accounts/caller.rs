//! Who is asking, and what they may do.

use std::fmt;

use chrono_tz::Tz;

use super::Role;
use crate::calendar::Windows;
use crate::ids::{GrantId, SessionId, TokenId, UserId};
use crate::scoring::params::PolicyParams;

/// What a credential allows. An operator's credential holds `admin` beside the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

/// One scope; the lesser ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Scope {
    /// See one's own data.
    Read = 1,
    /// Change one's own data.
    Write = 2,
    /// Operate the server: policies, plugins, people.
    Admin = 4,
}

impl Scope {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// The name in tokens and requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

impl Scopes {
    /// Whether `scope` is among them.
    pub const fn allow(self, scope: Scope) -> bool {
        self.0 & scope as u8 != 0
    }

    /// Those that are in both.
    #[must_use]
    pub const fn intersect(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The scopes one by one.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.allow(*scope))
    }

    /// Reads a space-separated list; `None` when a name is unknown.
    pub fn parse(text: &str) -> Option<Self> {
        text.split_ascii_whitespace().map(Scope::parse).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope as u8))
    }
}

/// Space-separated, as in OAuth (RFC 6749, section 3.3).
impl fmt::Display for Scopes {
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

/// How the caller came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Credential {
    /// Signed in with a password.
    Session(SessionId),
    /// Holds a personal access token.
    PersonalToken(TokenId),
    /// Is a program that the user connected by OAuth.
    Grant(GrantId),
    /// The operator's shell (`mindflow …`), which needs no credential.
    Shell,
}

/// Who is asking: made by the guard for each request, from rows read after the request came in.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Whose data this is about.
    pub user_id: UserId,
    /// What they are, whatever the credential allows.
    pub role: Role,
    /// What the credential allows.
    pub scopes: Scopes,
    /// How they came.
    pub credential: Credential,
    /// The program that comes for them: the `client_id` of a grant, else `None`.
    pub client: Option<std::sync::Arc<str>>,
    /// The zone in which their days are counted.
    pub zone: Tz,
    /// Their own windows; `None` leaves them to the policy.
    pub windows: Option<Windows>,
    /// The policy they chose; `None` is the server's default.
    pub policy: Option<String>,
    /// What they set of the parameters of policies.
    pub policy_params: std::sync::Arc<PolicyParams>,
    /// Counts every change of the user's data; what was made from one value is right while it stands.
    pub data_version: i64,
    /// The request's id, for logs and the audit trail.
    pub request_id: std::sync::Arc<str>,
}
