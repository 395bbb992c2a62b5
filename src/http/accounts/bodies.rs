//! What clients send.

use std::collections::{BTreeMap, HashMap};

use poem_openapi::types::{Any, MaybeUndefined, Password};
use poem_openapi::{Enum, Object};
use serde_json::Value;

use super::views::DigestView;
use crate::accounts::Scope;
use crate::accounts::digest::DigestChoice;
use crate::accounts::personal_tokens::NewToken;
use crate::accounts::profile::{Change, ProfileChanges, WindowChanges};
use crate::accounts::registration::NewAccount;
use crate::accounts::sign_in::SignIn;
use crate::http::fields::{EmailAddress, FullName, Moment, NewPassword, TokenName, WindowTime, ZoneName};

/// A new account.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct Register {
    /// The e-mail address, with which one signs in.
    pub(super) email: EmailAddress,
    /// 12 or more characters, or 8 to 11 that are not easily guessed.
    pub(super) password: NewPassword,
    /// What to call the person.
    #[oai(nullable)]
    pub(super) full_name: Option<FullName>,
    /// The IANA time zone in which their days are counted; `UTC` when it is left out.
    #[oai(nullable)]
    pub(super) time_zone: Option<ZoneName>,
    /// The code of an invitation, where registration needs one.
    #[oai(nullable, validator(min_length = 1, max_length = 128))]
    pub(super) invite: Option<String>,
}

impl Register {
    pub(super) fn into_domain(self) -> (NewAccount, Option<String>) {
        let Self { email, password, full_name, time_zone, invite } = self;
        let (full_name, time_zone) = (full_name.map(|name| name.0), time_zone.map(|zone| zone.0));
        (NewAccount { email: email.0, password: password.0, full_name, time_zone }, invite)
    }
}

/// Who signs in.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct Login {
    /// The e-mail address, in upper or lower case.
    #[oai(validator(min_length = 1, max_length = 254))]
    pub(super) email: String,
    /// The password.
    #[oai(validator(min_length = 1, max_length = 256))]
    pub(super) password: Password,
    /// A code of the authenticator or a recovery code, where a second factor is on.
    #[oai(nullable, validator(min_length = 1, max_length = 64))]
    pub(super) code: Option<String>,
}

impl Login {
    pub(super) fn as_domain(&self) -> SignIn<'_> {
        SignIn { email: &self.email, password: &self.password, code: self.code.as_deref() }
    }
}

/// What continues a session.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct RefreshSession {
    /// The refresh token of the last sign-in or refresh.
    #[oai(validator(min_length = 1, max_length = 512))]
    pub(super) refresh_token: String,
}

/// What else to end.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct Logout {
    /// A refresh token of the caller, whose session ends too.
    #[oai(nullable, validator(min_length = 1, max_length = 512))]
    pub(super) refresh_token: Option<String>,
}

/// A merge patch of the account: absent stays, `null` clears.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct UpdateMe {
    /// What to call the person.
    #[oai(nullable)]
    pub(super) full_name: MaybeUndefined<FullName>,
    /// The IANA time zone in which their days are counted.
    pub(super) time_zone: Option<ZoneName>,
    /// What they prefer.
    pub(super) preferences: Option<UpdatePreferences>,
}

/// A merge patch of the preferences.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub(super) struct UpdatePreferences {
    /// The parts of their day; `null` leaves them to the policy.
    #[oai(nullable)]
    pub(super) windows: MaybeUndefined<UpdateWindows>,
    /// The policy that ranks their tasks; `null` chooses the server's default.
    #[oai(nullable, validator(min_length = 1, max_length = 64))]
    pub(super) policy: MaybeUndefined<String>,
    /// Values of the policy's parameters, by name: numbers, `true` or `false`, words. `null` for one of them, or for all,
    /// leaves it to the policy.
    #[oai(nullable, validator(max_properties = 32))]
    pub(super) policy_params: MaybeUndefined<HashMap<String, Any<Value>>>,
    /// How often a mail says in the morning what there is to do; it goes to confirmed addresses only. `null` is `off`.
    #[oai(nullable)]
    pub(super) digest: MaybeUndefined<DigestView>,
}

/// A merge patch of the parts of the day; each is a start and an end such as `["06:00", "12:00"]`, in local time. The
/// start is included, the end is not; it may be `24:00`, or lie after midnight. `null` takes the policy's.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub(super) struct UpdateWindows {
    /// The morning.
    #[oai(nullable, validator(min_items = 2, max_items = 2))]
    pub(super) morning: MaybeUndefined<Vec<WindowTime>>,
    /// The afternoon.
    #[oai(nullable, validator(min_items = 2, max_items = 2))]
    pub(super) afternoon: MaybeUndefined<Vec<WindowTime>>,
    /// The evening.
    #[oai(nullable, validator(min_items = 2, max_items = 2))]
    pub(super) evening: MaybeUndefined<Vec<WindowTime>>,
}

impl UpdateMe {
    pub(super) fn into_domain(self) -> ProfileChanges {
        let (windows, policy, policy_params, digest) = match self.preferences {
            Some(preferences) => {
                let digest = preferences.digest.map_value(DigestChoice::from).into();
                let params = preferences.policy_params.map_value(|params| {
                    params.into_iter().map(|(name, value)| (name, value.0)).collect::<BTreeMap<_, _>>()
                });
                (preferences.windows.into(), preferences.policy.into(), params.into(), digest)
            }
            None => (Change::Keep, Change::Keep, Change::Keep, Change::Keep),
        };
        let windows = match windows {
            Change::Keep => Change::Keep,
            Change::Clear => Change::Clear,
            Change::Set(UpdateWindows { morning, afternoon, evening }) => Change::Set(WindowChanges {
                morning: pair(morning),
                afternoon: pair(afternoon),
                evening: pair(evening),
            }),
        };
        let full_name = self.full_name.map_value(|name| name.0).into();
        let time_zone = self.time_zone.map(|zone| zone.0);
        ProfileChanges { full_name, time_zone, windows, policy, policy_params, digest }
    }
}

impl<T> From<MaybeUndefined<T>> for Change<T> {
    fn from(value: MaybeUndefined<T>) -> Self {
        match value {
            MaybeUndefined::Undefined => Self::Keep,
            MaybeUndefined::Null => Self::Clear,
            MaybeUndefined::Value(value) => Self::Set(value),
        }
    }
}

/// Two texts; other counts were refused with the schema, and become a window that the rules refuse.
fn pair(texts: MaybeUndefined<Vec<WindowTime>>) -> Change<[String; 2]> {
    match texts {
        MaybeUndefined::Undefined => Change::Keep,
        MaybeUndefined::Null => Change::Clear,
        MaybeUndefined::Value(texts) => {
            let texts: Vec<String> = texts.into_iter().map(|time| time.0).collect();
            Change::Set(texts.try_into().unwrap_or_default())
        }
    }
}

/// What confirms that the account is to be deleted.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct DeleteMe {
    /// The password.
    #[oai(validator(min_length = 1, max_length = 256))]
    pub(super) password: Password,
}

/// A new password.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct ChangePassword {
    /// The password until now.
    #[oai(validator(min_length = 1, max_length = 256))]
    pub(super) current_password: Password,
    /// 12 or more characters, or 8 to 11 that are not easily guessed.
    pub(super) new_password: NewPassword,
}

/// What a credential allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, serde::Serialize)]
#[oai(rename = "Scope", rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub(super) enum ScopeView {
    /// See one's own data.
    Read,
    /// Change one's own data.
    Write,
    /// Operate the server.
    Admin,
}

impl From<ScopeView> for Scope {
    fn from(scope: ScopeView) -> Self {
        match scope {
            ScopeView::Read => Self::Read,
            ScopeView::Write => Self::Write,
            ScopeView::Admin => Self::Admin,
        }
    }
}

impl From<Scope> for ScopeView {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Read => Self::Read,
            Scope::Write => Self::Write,
            Scope::Admin => Self::Admin,
        }
    }
}

/// A new personal access token.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct CreateToken {
    /// What to call it.
    pub(super) name: TokenName,
    /// What it allows: some of the caller's own scopes.
    #[oai(validator(min_items = 1, max_items = 3, unique_items))]
    pub(super) scopes: Vec<ScopeView>,
    /// When it ends, in the future: a date (its first moment in the user's zone) or a date-time (RFC 3339). Never when
    /// it is left out.
    #[oai(nullable)]
    pub(super) expires_at: Option<Moment>,
}

impl CreateToken {
    pub(super) fn into_domain(self) -> NewToken {
        NewToken {
            name: self.name.0,
            scopes: self.scopes.into_iter().map(Scope::from).collect(),
            expires_at: self.expires_at.map(|moment| moment.0),
        }
    }
}
