//! Signing in with a passkey.

use serde_json::{Value, json};

use super::ceremony::{Asking, Begun, Ceremony, Goal, broken};
use super::relying_party::{Claim, Used};
use crate::accounts::admission::Proven;
use crate::accounts::audit::AuditEntry;
use crate::accounts::email::key_of;
use crate::accounts::error::AccountError;
use crate::accounts::secrets::hash_secret;
use crate::accounts::sign_in::SignedIn;
use crate::accounts::{Accounts, Origin, Status};
use crate::ids::{PasskeyId, UserId};
use crate::store::StoreError;
use crate::store::accounts::UserRecord;
use crate::store::passkeys::{PasskeyRecord, PasskeyUse};

/// How somebody proved who they are (RFC 8176): with a key that stays on its device, or one that is copied between
/// devices; the device has made sure of its owner in either case, so it counts as two factors.
const ON_DEVICE: &str = "hwk mfa";
const COPIED: &str = "swk mfa";

/// A passkey that its browser brought back.
#[derive(Clone, Copy, Debug)]
pub struct ShownPasskey<'a> {
    /// What [`Begun`] holds.
    pub ceremony: &'a str,
    /// The browser's answer: `AuthenticationResponseJSON`.
    pub credential: &'a Value,
}

impl Accounts {
    /// Asks for a passkey: any of this server's, or one of the account with this address only. The question is the same
    /// for every address, whether there is an account or not.
    ///
    /// # Errors
    ///
    /// [`AccountError::NoPasskeys`].
    pub fn begin_passkey_sign_in(&self, asking: Asking<'_>, email: Option<&str>) -> Result<Begun, AccountError> {
        let asked = self.passkeys.get()?.begin_sign_in().map_err(broken)?;
        let account = email.map(|email| hash_secret(&key_of(email)));
        self.begin_ceremony(Goal::SignIn, asking, asked, (None, account))
    }

    /// Finds out who shows a passkey.
    ///
    /// # Errors
    ///
    /// [`AccountError::PasskeyRefused`] whatever is wrong with it; [`AccountError::CeremonyOver`].
    pub async fn prove_passkey(
        &self,
        asking: Asking<'_>,
        shown: ShownPasskey<'_>,
        origin: &Origin,
    ) -> Result<Proven, AccountError> {
        let proven = self.try_passkey(asking, shown, origin).await;
        self.count_sign_in("passkey", &proven);
        proven
    }

    async fn try_passkey(
        &self,
        asking: Asking<'_>,
        shown: ShownPasskey<'_>,
        origin: &Origin,
    ) -> Result<Proven, AccountError> {
        let party = self.passkeys.get()?;
        let ceremony = self.end_ceremony(Goal::SignIn, asking, shown.ceremony).await?;
        let claim = party.claim(shown.credential).map_err(|error| {
            tracing::info!(error = &error as &dyn std::error::Error, "a passkey was refused");
            AccountError::PasskeyRefused
        })?;
        let user = UserId(claim.user);
        let passkey = self.store.find_passkey(user, claim.credential_id()).await?;
        let passkey = passkey.ok_or(AccountError::PasskeyRefused)?;
        let row = self.store.find_user(user).await?.ok_or(AccountError::PasskeyRefused)?;
        match self.judge(&claim, ceremony, &passkey, &row) {
            Ok(proof) => self.note_use(passkey, row, proof, origin).await,
            Err(reason) => self.refuse(&passkey, reason, origin).await,
        }
    }

    /// Signs in with a passkey.
    ///
    /// # Errors
    ///
    /// As [`Self::prove_passkey`].
    pub async fn login_with_passkey(&self, shown: ShownPasskey<'_>, origin: &Origin) -> Result<SignedIn, AccountError> {
        let proven = self.prove_passkey(Asking::Anybody, shown, origin).await?;
        self.begin_session(proven, origin).await
    }

    /// Whether the passkey proves whose it is; else a word for what is wrong.
    fn judge(
        &self,
        claim: &Claim,
        ceremony: Ceremony,
        passkey: &PasskeyRecord,
        row: &UserRecord,
    ) -> Result<Used, &'static str> {
        let Ceremony { account, state, .. } = ceremony;
        let party = self.passkeys.get().map_err(|_| "host")?;
        let used = party.prove(claim, state, &passkey.credential).map_err(|error| error.reason())?;
        if account.is_some_and(|account| account != hash_secret(&row.email_key)) {
            return Err("other_account");
        }
        if row.status == Status::Active.as_str() { Ok(used) } else { Err("disabled") }
    }

    async fn note_use(
        &self,
        passkey: PasskeyRecord,
        row: UserRecord,
        proof: Used,
        origin: &Origin,
    ) -> Result<Proven, AccountError> {
        let (id, user, at) = (PasskeyId(passkey.id), UserId(row.id), self.clock.now());
        let entry = AuditEntry::anonymous(Some(user), "passkey.used", at).on(id.0).from(origin);
        let Used { sign_count, credential, leaves_device } = proof;
        let noted = PasskeyUse { sign_count: i64::from(sign_count), credential, at };
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                let good = tx.use_passkey(id, user, &noted).await?;
                if good {
                    tx.insert_audit(&entry).await?;
                }
                Ok::<_, StoreError>(good)
            })
        });
        if !work.await? {
            // Removed meanwhile, or somebody was faster with the same counter or a later one.
            return self.refuse(&passkey, "counter", origin).await;
        }
        let methods = if leaves_device { COPIED } else { ON_DEVICE };
        Ok(Proven { user: row, methods: methods.to_owned() })
    }

    /// Notes that a passkey was refused; its owner should hear of it, and who showed it hears nothing.
    async fn refuse<T>(
        &self,
        passkey: &PasskeyRecord,
        reason: &'static str,
        origin: &Origin,
    ) -> Result<T, AccountError> {
        let user = Some(UserId(passkey.user_id));
        let entry = AuditEntry::anonymous(user, "passkey.refused", self.clock.now()).on(passkey.id).from(origin);
        match self.note(entry.with(json!({ "reason": reason }))).await {
            // The account was deleted meanwhile.
            Ok(()) | Err(AccountError::Store(StoreError::Dangling(_))) => Err(AccountError::PasskeyRefused),
            Err(error) => Err(error),
        }
    }
}
