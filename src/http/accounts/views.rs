//! What clients see.

use std::collections::BTreeMap;

use poem_openapi::types::Any;
use poem_openapi::{Enum, Object};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::bodies::ScopeView;
use crate::accounts::activity::Activity;
use crate::accounts::digest::DigestChoice;
use crate::accounts::identities::Identity;
use crate::accounts::passkeys::Passkey;
use crate::accounts::personal_tokens::PersonalToken;
use crate::accounts::profile::Preferences;
use crate::accounts::sessions::{Session, SessionKind};
use crate::accounts::sign_in::SignedIn;
use crate::accounts::{Role, Scopes, User};
use crate::calendar::Window;
use crate::clock::Timestamp;
use crate::http::policy_params::shown_values;
use crate::paging::Page;

/// A moment as the document describes it: RFC 3339 in UTC.
fn moment(timestamp: Timestamp) -> chrono::DateTime<chrono::Utc> {
    timestamp.to_utc()
}

/// What somebody is on this server.
#[derive(Clone, Copy, Enum, Serialize)]
#[oai(rename = "Role", rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub(super) enum RoleView {
    /// Has an account.
    User,
    /// Operates the server.
    Admin,
}

/// The parts of somebody's day: start (included) and end (not included) in local time.
#[derive(Object, Serialize)]
#[oai(rename = "Windows")]
pub(super) struct WindowsView {
    /// The morning.
    #[oai(validator(min_items = 2, max_items = 2))]
    pub(super) morning: Vec<String>,
    /// The afternoon.
    #[oai(validator(min_items = 2, max_items = 2))]
    pub(super) afternoon: Vec<String>,
    /// The evening.
    #[oai(validator(min_items = 2, max_items = 2))]
    pub(super) evening: Vec<String>,
}

/// How often a mail says in the morning what there is to do.
#[derive(Clone, Copy, Enum, Serialize)]
#[oai(rename = "Digest", rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub(super) enum DigestView {
    /// Never.
    Off,
    /// Each day.
    Daily,
    /// On Mondays.
    Weekly,
}

impl From<DigestChoice> for DigestView {
    fn from(choice: DigestChoice) -> Self {
        match choice {
            DigestChoice::Off => Self::Off,
            DigestChoice::Daily => Self::Daily,
            DigestChoice::Weekly => Self::Weekly,
        }
    }
}

impl From<DigestView> for DigestChoice {
    fn from(view: DigestView) -> Self {
        match view {
            DigestView::Off => Self::Off,
            DigestView::Daily => Self::Daily,
            DigestView::Weekly => Self::Weekly,
        }
    }
}

/// What is in force for somebody: their own choice, or else the policy's or server's.
#[derive(Object, Serialize)]
#[oai(rename = "Preferences")]
pub(super) struct PreferencesView {
    /// The parts of their day.
    pub(super) windows: WindowsView,
    /// The policy that ranks their tasks.
    pub(super) policy: String,
    /// The values of those of the policy's parameters that they may set, by name.
    pub(super) policy_params: BTreeMap<String, Any<Value>>,
    /// How often a mail says in the morning what there is to do.
    pub(super) digest: DigestView,
}

/// An account.
#[derive(Object, Serialize)]
#[oai(rename = "User", example)]
pub(super) struct UserView {
    /// Its id.
    pub(super) id: Uuid,
    /// The e-mail address as it was given.
    pub(super) email: String,
    /// Whether they proved that the address is theirs, by a link that was sent there.
    pub(super) email_verified: bool,
    /// What the person is called.
    pub(super) full_name: Option<String>,
    /// The IANA time zone in which their days are counted.
    pub(super) time_zone: String,
    /// What they are on this server.
    pub(super) role: RoleView,
    /// What they prefer.
    pub(super) preferences: PreferencesView,
    /// When the account was made.
    pub(super) created_at: chrono::DateTime<chrono::Utc>,
    /// When it was last changed.
    pub(super) updated_at: chrono::DateTime<chrono::Utc>,
}

impl UserView {
    pub(super) fn new(user: User, preferences: Preferences) -> Self {
        let Preferences { windows, policy, policy_params, digest } = preferences;
        let policy_params = shown_values(policy_params);
        let windows = WindowsView {
            morning: window(windows.morning),
            afternoon: window(windows.afternoon),
            evening: window(windows.evening),
        };
        Self {
            id: user.id.0,
            email: user.email,
            email_verified: user.email_verified,
            full_name: user.full_name,
            time_zone: user.zone.name().to_owned(),
            role: match user.role {
                Role::User => RoleView::User,
                Role::Admin => RoleView::Admin,
            },
            preferences: PreferencesView { windows, policy, policy_params, digest: digest.into() },
            created_at: moment(user.created_at),
            updated_at: moment(user.updated_at),
        }
    }
}

fn window(window: Window) -> Vec<String> {
    let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    vec![clock(window.start_minute()), clock(window.end_minute())]
}

/// The only kind of access token there is.
#[derive(Clone, Copy, Enum, Serialize)]
#[oai(rename = "TokenType", rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub(super) enum TokenTypeView {
    /// For the header `Authorization: Bearer …` (RFC 6750).
    Bearer,
}

/// The tokens of a session.
#[derive(Object, Serialize)]
#[oai(rename = "SessionTokens", example)]
pub(super) struct SignedInView {
    /// For the header `Authorization`.
    pub(super) access_token: String,
    /// How to send it.
    pub(super) token_type: TokenTypeView,
    /// The access token's life in seconds.
    pub(super) expires_in: u64,
    /// Gives the next tokens, once.
    pub(super) refresh_token: String,
}

impl From<SignedIn> for SignedInView {
    fn from(tokens: SignedIn) -> Self {
        let SignedIn { access_token, expires_in, refresh_token } = tokens;
        Self { access_token, token_type: TokenTypeView::Bearer, expires_in, refresh_token }
    }
}

/// A personal access token, without its text.
#[derive(Object, Serialize)]
#[oai(rename = "PersonalToken")]
struct TokenView {
    /// Its id.
    id: Uuid,
    /// What its owner calls it.
    name: String,
    /// What it allows.
    scopes: Vec<ScopeView>,
    /// When it ends; `null` is never.
    expires_at: Option<chrono::DateTime<chrono::Utc>>,
    /// When it was last used, give or take a minute; `null` is never.
    last_used_at: Option<chrono::DateTime<chrono::Utc>>,
    /// When it was made.
    created_at: chrono::DateTime<chrono::Utc>,
}

impl From<PersonalToken> for TokenView {
    fn from(token: PersonalToken) -> Self {
        Self {
            id: token.id.0,
            name: token.name,
            scopes: scopes(token.scopes),
            expires_at: token.expires_at.map(moment),
            last_used_at: token.last_used_at.map(moment),
            created_at: moment(token.created_at),
        }
    }
}

fn scopes(scopes: Scopes) -> Vec<ScopeView> {
    scopes.iter().map(ScopeView::from).collect()
}

/// A new personal access token with its text, which is shown only once.
#[derive(Object, Serialize)]
#[oai(rename = "CreatedPersonalToken", example)]
pub(super) struct CreatedTokenView {
    /// Its id.
    pub(super) id: Uuid,
    /// What its owner calls it.
    pub(super) name: String,
    /// The token's text, for the header `Authorization: Bearer …`.
    pub(super) token: String,
    /// What it allows.
    pub(super) scopes: Vec<ScopeView>,
    /// When it ends; `null` is never.
    pub(super) expires_at: Option<chrono::DateTime<chrono::Utc>>,
    /// When it was last used: never.
    pub(super) last_used_at: Option<chrono::DateTime<chrono::Utc>>,
    /// When it was made.
    pub(super) created_at: chrono::DateTime<chrono::Utc>,
}

impl CreatedTokenView {
    pub(super) fn new(made: PersonalToken, token: String) -> Self {
        let TokenView { id, name, scopes, expires_at, last_used_at, created_at } = made.into();
        Self { id, name, token, scopes, expires_at, last_used_at, created_at }
    }
}

/// What shows a session.
#[derive(Clone, Copy, Enum, Serialize)]
#[oai(rename = "SessionKind", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
enum SessionKindView {
    /// A token of `POST /api/auth/login`.
    Token,
    /// The cookie of a browser that signed in on this server's own pages.
    Browser,
}

/// A sign-in.
#[derive(Object, Serialize)]
#[oai(rename = "Session")]
struct SessionView {
    /// Its id.
    id: Uuid,
    /// What shows it.
    kind: SessionKindView,
    /// What the client called itself.
    user_agent: Option<String>,
    /// The address it came from.
    address: Option<String>,
    /// When it began.
    created_at: chrono::DateTime<chrono::Utc>,
    /// When it was last used, give or take a minute.
    last_seen_at: chrono::DateTime<chrono::Utc>,
    /// When it ends by itself.
    expires_at: chrono::DateTime<chrono::Utc>,
    /// Whether this very request belongs to it.
    current: bool,
}

impl From<Session> for SessionView {
    fn from(session: Session) -> Self {
        Self {
            id: session.id.0,
            kind: match session.kind {
                SessionKind::Token => SessionKindView::Token,
                SessionKind::Browser => SessionKindView::Browser,
            },
            user_agent: session.user_agent,
            address: session.address,
            created_at: moment(session.created_at),
            last_seen_at: moment(session.last_seen_at),
            expires_at: moment(session.expires_at),
            current: session.current,
        }
    }
}

/// An account of another provider through which one signs in.
#[derive(Object, Serialize)]
#[oai(rename = "Identity")]
struct IdentityView {
    /// Its id.
    id: Uuid,
    /// The provider: `google`, `github` or `oidc`.
    provider: String,
    /// The address there, as it was last seen.
    email: Option<String>,
    /// When it was linked.
    created_at: chrono::DateTime<chrono::Utc>,
    /// When it was last used.
    last_used_at: Option<chrono::DateTime<chrono::Utc>>,
}

impl From<Identity> for IdentityView {
    fn from(identity: Identity) -> Self {
        Self {
            id: identity.id.0,
            provider: identity.provider,
            email: identity.email,
            created_at: moment(identity.created_at),
            last_used_at: identity.last_used_at.map(moment),
        }
    }
}

/// Something that happened in the account.
#[derive(Object, Serialize)]
#[oai(rename = "Activity")]
struct ActivityView {
    /// Its id.
    id: Uuid,
    /// What was done: a kind of thing and what happened to it, such as `session.created`.
    action: String,
    /// The kind of thing.
    entity: String,
    /// Which one.
    entity_id: Option<Uuid>,
    /// How they came: `session`, `personal_token`, `shell` (the operator) or `anonymous`.
    actor: String,
    /// With which session or token.
    credential_id: Option<Uuid>,
    /// What else is worth knowing.
    details: Option<Value>,
    /// The address it came from.
    address: Option<String>,
    /// The request that did it.
    request_id: Option<String>,
    /// When.
    created_at: chrono::DateTime<chrono::Utc>,
}

impl From<Activity> for ActivityView {
    fn from(activity: Activity) -> Self {
        Self {
            id: activity.id,
            action: activity.action,
            entity: activity.entity,
            entity_id: activity.entity_id,
            actor: activity.actor,
            credential_id: activity.credential_id,
            details: activity.details,
            address: activity.address,
            request_id: activity.request_id,
            created_at: moment(activity.created_at),
        }
    }
}

/// A key on a device of somebody's, with which they sign in.
#[derive(Object, Serialize)]
#[oai(rename = "Passkey", example)]
pub(super) struct PasskeyView {
    /// Its id.
    pub(super) id: Uuid,
    /// What its owner calls it.
    pub(super) name: String,
    /// The host it was made for; it works nowhere else.
    pub(super) host: String,
    /// When somebody last signed in with it; `null` is never.
    pub(super) last_used_at: Option<chrono::DateTime<chrono::Utc>>,
    /// When it was added.
    pub(super) created_at: chrono::DateTime<chrono::Utc>,
}

impl From<Passkey> for PasskeyView {
    fn from(passkey: Passkey) -> Self {
        Self {
            id: passkey.id.0,
            name: passkey.name,
            host: passkey.host,
            last_used_at: passkey.last_used_at.map(moment),
            created_at: moment(passkey.created_at),
        }
    }
}

macro_rules! pages {
    ($($(#[$doc:meta])* $name:ident as $shown:literal: $item:ident of $domain:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Object, Serialize)]
        #[oai(rename = $shown)]
        pub(super) struct $name {
            /// The items.
            items: Vec<$item>,
            /// Where the next page begins; `null` on the last one.
            next_cursor: Option<String>,
        }

        impl From<Page<$domain>> for $name {
            fn from(page: Page<$domain>) -> Self {
                Self { items: page.items.into_iter().map($item::from).collect(), next_cursor: page.next_cursor }
            }
        }
    )+};
}

pages! {
    /// A page of personal access tokens.
    TokenPageView as "PersonalTokenPage": TokenView of PersonalToken,
    /// A page of sessions.
    SessionPageView as "SessionPage": SessionView of Session,
    /// A page of passkeys.
    PasskeyPageView as "PasskeyPage": PasskeyView of Passkey,
    /// A page of identities elsewhere.
    IdentityPageView as "IdentityPage": IdentityView of Identity,
    /// A page of what happened.
    ActivityPageView as "ActivityPage": ActivityView of Activity,
}
