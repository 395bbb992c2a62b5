//! Making a passkey: for who has just signed in, or gives the password (and a code) again.

use std::time::Duration;

use serde_json::Value;

use super::ceremony::{Asking, Begun, Goal, broken};
use super::relying_party::{Made, Person};
use super::{MOST_PASSKEYS, Owner, Passkey, check_name};
use crate::accounts::error::AccountError;
use crate::accounts::{Accounts, Origin};
use crate::clock::Timestamp;
use crate::ids::{PasskeyId, SessionId, UserId};
use crate::mail::Message;
use crate::store::StoreError;
use crate::store::audit::Slice;
use crate::store::passkeys::PasskeyRecord;

/// How long after proving who they are people need not prove it again.
pub const FRESH: Duration = Duration::from_mins(10);
/// What a passkey is called that got no name.
const UNNAMED: &str = "Passkey";

/// What proves once more who somebody is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Proof<'a> {
    /// The password.
    pub password: Option<&'a str>,
    /// A code of the second factor.
    pub code: Option<&'a str>,
}

/// What comes of making a passkey.
#[derive(Clone, Copy, Debug)]
pub struct NewPasskey<'a> {
    /// What [`Begun`] holds.
    pub ceremony: &'a str,
    /// The browser's answer: `RegistrationResponseJSON`.
    pub credential: &'a Value,
    /// What to call it.
    pub name: Option<&'a str>,
}

impl Accounts {
    /// Whether a sign-in of this moment is new enough to add a passkey without another proof.
    pub fn is_fresh(&self, authenticated_at: Timestamp) -> bool {
        self.clock.now() <= authenticated_at.plus(FRESH)
    }

    /// Asks for a new passkey.
    ///
    /// # Errors
    ///
    /// [`AccountError::NoPasskeys`]; [`AccountError::ProofNeeded`] when the sign-in is too old and no password comes;
    /// [`AccountError::WrongPassword`], [`AccountError::SecondFactorNeeded`] and [`AccountError::WrongCode`] when what
    /// comes is not enough; [`AccountError::TooManyPasskeys`].
    pub async fn begin_passkey(
        &self,
        owner: Owner<'_>,
        proof: Proof<'_>,
        origin: &Origin,
    ) -> Result<Begun, AccountError> {
        let (session, user) = (owner.session()?, owner.user());
        let party = self.passkeys.get()?;
        let row = self.store.find_user(user).await?.ok_or(AccountError::NotFound("account"))?;
        if !self.has_fresh_session(session, user).await? {
            self.prove_again_with(&row.email, proof, origin).await?;
        }
        let own = self.store.list_passkeys(user, Slice { before: None, limit: MOST_PASSKEYS }).await?;
        if i64::try_from(own.len()).unwrap_or(i64::MAX) >= MOST_PASSKEYS {
            return Err(AccountError::TooManyPasskeys);
        }
        let known = own.into_iter().map(|passkey| passkey.credential_id).collect();
        let name = row.full_name.as_deref().unwrap_or(&row.email);
        let asked = party.begin_registration(Person { id: user.0, email: &row.email, name, known }).map_err(broken)?;
        self.begin_ceremony(Goal::Register, Asking::Session(session), asked, (Some(user.0), None))
    }

    /// Keeps the passkey that a browser made.
    ///
    /// # Errors
    ///
    /// [`AccountError::CeremonyOver`]; [`AccountError::Invalid`] for a bad name or an answer that breaks the rules;
    /// [`AccountError::PasskeyTaken`]; [`AccountError::TooManyPasskeys`].
    pub async fn add_passkey(
        &self,
        owner: Owner<'_>,
        new: NewPasskey<'_>,
        origin: &Origin,
    ) -> Result<Passkey, AccountError> {
        let (session, user) = (owner.session()?, owner.user());
        let party = self.passkeys.get()?;
        let name = new.name.map_or_else(|| Ok(UNNAMED.to_owned()), check_name)?;
        let ceremony = self.end_ceremony(Goal::Register, Asking::Session(session), new.ceremony).await?;
        if ceremony.user != Some(user.0) {
            return Err(AccountError::CeremonyOver);
        }
        let made = party.finish_registration(new.credential, ceremony.state).map_err(|error| {
            tracing::info!(error = &error as &dyn std::error::Error, "a new passkey was refused");
            AccountError::fault("/credential", &format!("breaks a rule of passkeys ({})", error.reason()))
        })?;
        let now = self.clock.now();
        let record = record(user, made, party.host(), name, now);
        let entry = owner.entry("passkey.added", now).on(record.id).from(origin);
        let passkey = Passkey::from(record.clone());
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                // Two at the same time are counted one after the other.
                tx.lock_user(user).await?.ok_or(AccountError::NotFound("account"))?;
                // A new password that ended the session meanwhile ends this, too.
                tx.find_session_proof(session, user).await?.ok_or(AccountError::CeremonyOver)?;
                if tx.count_passkeys(user).await? >= MOST_PASSKEYS {
                    return Err(AccountError::TooManyPasskeys);
                }
                tx.insert_passkey(&record).await?;
                Ok(tx.insert_audit(&entry).await?)
            })
        });
        match work.await {
            Err(AccountError::Store(StoreError::Taken(_))) => Err(AccountError::PasskeyTaken),
            Err(error) => Err(error),
            Ok(()) => self.tell(user, Message::PasskeyAdded).await.map(|()| passkey),
        }
    }

    async fn has_fresh_session(&self, session: SessionId, user: UserId) -> Result<bool, AccountError> {
        let work = self.store.write(move |tx| Box::pin(async move { tx.find_session_proof(session, user).await }));
        Ok(work.await?.is_some_and(|at| self.is_fresh(Timestamp::from_micros(at))))
    }

    async fn prove_again_with(&self, email: &str, proof: Proof<'_>, origin: &Origin) -> Result<(), AccountError> {
        let password = proof.password.ok_or(AccountError::ProofNeeded)?;
        let proven = self.prove_password(email, password, origin).await.map_err(|error| match error {
            AccountError::WrongCredentials => AccountError::WrongPassword,
            error => error,
        })?;
        self.prove_second_factor(proven, proof.code, origin).await.map(drop)
    }
}

fn record(user: UserId, made: Made, host: &str, name: String, now: Timestamp) -> PasskeyRecord {
    PasskeyRecord {
        id: PasskeyId::new(now).0,
        user_id: user.0,
        credential_id: made.credential_id,
        rp_id: host.to_owned(),
        credential: made.credential,
        name,
        sign_count: 0,
        created_at: now.as_micros(),
        last_used_at: None,
    }
}
