//! Ceremonies: a question to a browser, and its answer.
//!
//! What must be remembered in between is sealed and given to who asked, so that asking costs the server no memory. It is
//! bound to the browser or session that asked, good for five minutes, and once: answering it writes down that it was,
//! whatever comes of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::LIFE;
use super::relying_party::{Asked, PasskeyError};
use crate::accounts::Accounts;
use crate::accounts::error::AccountError;
use crate::accounts::secrets::{RandomError, SecretHash, hash_secret};
use crate::clock::Timestamp;
use crate::ids::SessionId;
use crate::store::StoreError;

/// What ceremonies are sealed for.
const PURPOSE: &str = "passkey ceremony";

/// Who began a ceremony, and alone may end it.
#[derive(Clone, Copy, Debug)]
pub enum Asking<'a> {
    /// Somebody who is signed in.
    Session(SessionId),
    /// The browser with this cookie, in which nobody needs to be signed in.
    Browser(&'a str),
    /// Whoever holds the ceremony: a program that signs its user in.
    Anybody,
}

impl Asking<'_> {
    fn hash(self) -> SecretHash {
        match self {
            Self::Session(id) => hash_secret(&format!("session {id}")),
            Self::Browser(cookie) => hash_secret(&format!("browser {cookie}")),
            Self::Anybody => hash_secret("anybody"),
        }
    }
}

/// What a ceremony is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Goal {
    Register,
    SignIn,
}

/// A question that a browser is to answer.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Comes back with the answer.
    pub ceremony: String,
    /// For the browser: `PublicKeyCredentialCreationOptionsJSON` or `PublicKeyCredentialRequestOptionsJSON`.
    pub options: Value,
    /// For how long the answer is taken, in seconds.
    pub expires_in: u64,
}

/// What is remembered.
#[derive(Serialize, Deserialize)]
pub(super) struct Ceremony {
    goal: Goal,
    id: [u8; 32],
    asking: SecretHash,
    /// Whose account it is about, if that is known: for registration.
    pub(super) user: Option<Uuid>,
    /// The hash of the address in lower case of the only account that may come of it.
    pub(super) account: Option<SecretHash>,
    pub(super) state: Value,
    expires_at: i64,
}

impl Accounts {
    /// Seals what must be remembered.
    pub(super) fn begin_ceremony(
        &self,
        goal: Goal,
        asking: Asking<'_>,
        asked: Asked,
        about: (Option<Uuid>, Option<SecretHash>),
    ) -> Result<Begun, AccountError> {
        let mut id = [0; 32];
        aws_lc_rs::rand::fill(&mut id).map_err(|_| RandomError)?;
        let (user, account) = about;
        let expires_at = self.clock.now().plus(LIFE).as_micros();
        let ceremony = Ceremony { goal, id, asking: asking.hash(), user, account, state: asked.state, expires_at };
        let plain = serde_json::to_vec(&ceremony).map_err(PasskeyError::from).map_err(broken)?;
        let sealed = URL_SAFE_NO_PAD.encode(self.secret.seal(PURPOSE, &plain)?);
        Ok(Begun { ceremony: sealed, options: asked.options, expires_in: LIFE.as_secs() })
    }

    /// Opens what was remembered, and uses it up.
    ///
    /// # Errors
    ///
    /// [`AccountError::CeremonyOver`] when it is not good for this, any more or at all.
    pub(super) async fn end_ceremony(
        &self,
        goal: Goal,
        asking: Asking<'_>,
        sealed: &str,
    ) -> Result<Ceremony, AccountError> {
        let now = self.clock.now();
        let sealed = URL_SAFE_NO_PAD.decode(sealed).unwrap_or_default();
        let plain = self.secret.open(PURPOSE, &sealed).ok_or(AccountError::CeremonyOver)?;
        let ceremony: Ceremony = serde_json::from_slice(&plain).map_err(|_| AccountError::CeremonyOver)?;
        let (id, end) = (ceremony.id, Timestamp::from_micros(ceremony.expires_at));
        if ceremony.goal != goal || ceremony.asking != asking.hash() || end <= now {
            return Err(AccountError::CeremonyOver);
        }
        let spent = self.store.write(move |tx| Box::pin(async move { tx.spend_ceremony(id, end).await }));
        match spent.await {
            Ok(()) => Ok(ceremony),
            Err(StoreError::Taken(_)) => Err(AccountError::CeremonyOver),
            Err(error) => Err(error.into()),
        }
    }
}

/// A fault that is nobody's but this program's.
#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
pub(super) fn broken(error: PasskeyError) -> AccountError {
    tracing::error!(error = &error as &dyn std::error::Error, "a question for a passkey could not be made");
    StoreError::corrupt("passkey", error.reason()).into()
}
