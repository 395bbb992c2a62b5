//! People, their sessions, personal access tokens and preferences.
//!
//! - [`guard`]: who is behind a token, asked once per request; [`gather`] lets requests share that question.
//! - [`registration`], [`admission`], [`sign_in`], [`browser`], [`sessions`], [`personal_tokens`], [`profile`], [`activity`]: what people do with
//!   their accounts; [`operators`]: what the shell does with anybody's. All are methods of [`Accounts`].
//! - [`email_tokens`], [`second_factor`], [`passkeys`], [`identities`]: what goes by e-mail, codes beside the password, keys
//!   instead of it, accounts elsewhere.
//! - [`passwords`], [`attempts`], [`email`], [`secrets`], [`rotation`]: the rules and the cryptography beneath.

pub mod activity;
pub mod admission;
pub mod attempts;
pub mod audit;
pub mod browser;
pub mod caller;
pub mod digest;
pub mod email;
pub mod email_tokens;
pub mod error;
pub mod gather;
pub mod guard;
pub mod identities;
mod letters;
pub mod operators;
pub mod pages;
pub mod passkeys;
pub mod passwords;
pub mod personal_tokens;
mod policy_params;
pub mod profile;
pub mod registration;
pub mod rotation;
pub mod second_factor;
pub mod secrets;
pub mod sessions;
pub mod sign_in;
#[cfg(test)]
pub(crate) mod tests;
mod touches;
pub mod user;

use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use futures_util::future::BoxFuture;

use crate::calendar::Windows;
use crate::clock::{Clock, Timestamp};
use crate::config::Registration;
use crate::ids::UserId;
use crate::mail::Post;
use crate::oauth::AccessTokens;
use crate::observe::metrics::AccountMetrics;
use crate::scoring::params::Params;
use crate::secret_key::SecretKey;
use crate::store::{Store, StoreResult, Tx};

pub use admission::Proven;
use attempts::Attempts;
pub use attempts::TooManyAttempts;
pub use browser::{Browser, BrowserLife};
pub use caller::{Caller, Credential, Scope, Scopes};
pub use error::AccountError;
pub use guard::{Guard, GuardError};
use passkeys::RelyingParty;
pub use passwords::Passwords;
pub use user::{Role, Status, User};

/// Which policies there are, and the day that they assume for people who set none.
pub trait PolicyDirectory: Send + Sync {
    /// The name of the server's default policy.
    fn default_name(&self) -> String;
    /// Whether there is a policy of that name.
    fn has(&self, name: &str) -> bool;
    /// The windows of that policy; of the default one when it is `None` or gone.
    fn windows(&self, name: Option<&str>) -> Windows;
    /// What people may set of that policy, each with its value when they do not.
    fn params(&self, name: &str) -> Params;
}

/// Who must hear of a new time zone, because what they store depends on it.
pub trait ZoneFollower: Send + Sync {
    /// Adapts what is stored of this user to their new zone, within the change that sets it.
    fn move_to<'t>(
        &'t self,
        tx: &'t mut Tx<'_>,
        user: UserId,
        zone: Tz,
        now: Timestamp,
    ) -> BoxFuture<'t, StoreResult<()>>;
}

/// What an operator chose about accounts.
#[derive(Clone, Copy, Debug)]
pub struct AccountSettings {
    /// How accounts come to be.
    pub registration: Registration,
    /// How long a session lives, counted from the sign-in.
    pub session_life: Duration,
    /// Whether a refresh token is replaced at each use.
    pub rotation: Rotation,
    /// How long browsers stay signed in.
    pub browser_life: BrowserLife,
    /// How many wrong passwords or codes one has for an account within a quarter of an hour; 0 is no limit.
    pub most_failures: u32,
}

/// Whether a refresh token is replaced at each use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It is, and a used one that comes again ends its session.
    EachUse,
    /// It stays the same as long as the session.
    Never,
}

/// What [`Accounts`] works with.
pub struct AccountParts {
    /// Where everything is kept.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Hashes passwords.
    pub passwords: Passwords,
    /// Signs access tokens.
    pub tokens: Arc<AccessTokens>,
    /// Knows the policies.
    pub policies: Arc<dyn PolicyDirectory>,
    /// Hears of new time zones.
    pub zone_follower: Arc<dyn ZoneFollower>,
    /// Seals what must be read back.
    pub secret: SecretKey,
    /// Sends mail.
    pub post: Post,
    /// What the operator chose.
    pub settings: AccountSettings,
}

/// The service of accounts.
pub struct Accounts {
    store: Store,
    clock: Clock,
    passwords: Passwords,
    tokens: Arc<AccessTokens>,
    policies: Arc<dyn PolicyDirectory>,
    zone_follower: Arc<dyn ZoneFollower>,
    secret: SecretKey,
    post: Post,
    attempts: Attempts,
    passkeys: RelyingParty,
    settings: AccountSettings,
    metrics: AccountMetrics,
}

impl Accounts {
    /// Builds the service.
    pub fn new(parts: AccountParts) -> Self {
        let AccountParts { store, clock, passwords, tokens, policies, zone_follower, secret, post, settings } = parts;
        let attempts = Attempts::new(settings.most_failures, clock.clone());
        let passkeys = RelyingParty::of(post.server());
        let metrics = AccountMetrics::default();
        Self {
            store,
            clock,
            passwords,
            tokens,
            policies,
            zone_follower,
            secret,
            post,
            attempts,
            passkeys,
            settings,
            metrics,
        }
    }

    /// Counts in `metrics` from now on.
    #[must_use]
    pub fn counting(self, metrics: AccountMetrics) -> Self {
        Self { metrics, ..self }
    }

    /// Counts a step of signing in.
    fn count_sign_in<T>(&self, step: &'static str, outcome: &Result<T, AccountError>) {
        self.metrics.signed_in(step, outcome.as_ref().err().map_or("success", AccountError::word));
    }
}

/// Where a request comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The request's id.
    pub request_id: Option<String>,
    /// The client's address.
    pub address: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}
