//! The ring of signing keys as it lies in the database: rows with private keys, sealed under the server's secret.

use super::key_ring::off_thread;
use super::keys::{KeyError, KeySet, SigningKey};
use crate::clock::Timestamp;
use crate::secret_key::SecretKey;
use crate::store::oauth_keys::KeyRecord;
use crate::store::{Store, StoreError, StoreResult};

/// What the server's secret seals keys for.
const PURPOSE: &str = "signing keys";
/// What every key signs with.
const ALG: &str = "RS256";

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Published, so that others know it when it begins to sign.
    Next,
    /// Signs.
    Active,
    /// Verifies what it signed.
    Retired,
}

impl KeyState {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }

    fn parse(text: &str) -> StoreResult<Self> {
        let all = [Self::Next, Self::Active, Self::Retired];
        all.into_iter().find(|state| state.as_str() == text).ok_or_else(|| StoreError::corrupt("key state", text))
    }
}

/// A key of the ring.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its thumbprint (RFC 7638), which tokens and the key set call it by.
    pub kid: String,
    /// What it signs with, as JWS calls it.
    pub alg: String,
    /// Where it is in its life.
    pub state: KeyState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it began to sign.
    pub activated_at: Option<Timestamp>,
    /// When it signed no more.
    pub retired_at: Option<Timestamp>,
    sealed: Vec<u8>,
}

impl TryFrom<KeyRecord> for Kept {
    type Error = StoreError;

    fn try_from(row: KeyRecord) -> StoreResult<Self> {
        Ok(Self {
            state: KeyState::parse(&row.state)?,
            kid: row.kid,
            alg: row.alg,
            created_at: Timestamp::from_micros(row.created_at),
            activated_at: row.activated_at.map(Timestamp::from_micros),
            retired_at: row.retired_at.map(Timestamp::from_micros),
            sealed: row.sealed,
        })
    }
}

/// The rows, and what opens them.
pub(super) struct KeyShelf {
    store: Store,
    secret: SecretKey,
}

impl KeyShelf {
    pub(super) const fn new(store: Store, secret: SecretKey) -> Self {
        Self { store, secret }
    }

    /// Every key, the oldest first.
    pub(super) async fn list(&self) -> Result<Vec<Kept>, KeyError> {
        let rows = self.store.list_keys().await?;
        Ok(rows.into_iter().map(Kept::try_from).collect::<StoreResult<_>>()?)
    }

    /// Makes a key of this state, unless another instance has.
    pub(super) async fn make(&self, state: KeyState, now: Timestamp) -> Result<(), KeyError> {
        let row = self.generate(state, now).await?;
        Ok(self.store.write(move |tx| Box::pin(async move { tx.insert_key(&row).await.map(drop) })).await?)
    }

    /// Takes over a key that somebody else made; as a retired one when there is one in the state that was wanted.
    pub(super) async fn adopt(
        &self,
        key: &SigningKey,
        pem: &str,
        state: KeyState,
        now: Timestamp,
    ) -> Result<(), KeyError> {
        let wanted = self.row(key, pem, state, now)?;
        let retired = self.row(key, pem, KeyState::Retired, now)?;
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                if !tx.insert_key(&wanted).await? {
                    tx.insert_key(&retired).await?;
                }
                Ok::<_, StoreError>(())
            })
        });
        Ok(work.await?)
    }

    /// Lets the next key sign instead of the active one, unless another instance has done so.
    pub(super) async fn promote(&self, from: &str, to: &str, now: Timestamp) -> Result<(), KeyError> {
        let (from, to) = (from.to_owned(), to.to_owned());
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                if tx.retire_key(&from, now).await? && !tx.activate_key(&to, now).await? {
                    // Without an active key nobody could sign in: nothing of this is kept.
                    return Err(StoreError::Dropped);
                }
                Ok(())
            })
        });
        Ok(work.await?)
    }

    /// Forgets the keys that were retired before a moment.
    pub(super) async fn forget_retired(&self, before: Timestamp) -> Result<(), KeyError> {
        Ok(self.store.write(move |tx| Box::pin(async move { tx.delete_retired_keys(before).await })).await?)
    }

    /// Makes a key that signs at once, and forgets all others.
    pub(super) async fn replace_all(&self, now: Timestamp) -> Result<(), KeyError> {
        let row = self.generate(KeyState::Active, now).await?;
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                tx.delete_keys().await?;
                tx.insert_key(&row).await.map(drop)
            })
        });
        Ok(work.await?)
    }

    /// Opens the keys of these rows. One that does not open is left out, unless it is the active one.
    pub(super) fn open_all(&self, rows: &[Kept]) -> Result<KeySet, KeyError> {
        let (mut active, mut others) = (None, Vec::new());
        for row in rows {
            match self.open(row) {
                Ok(key) if row.state == KeyState::Active => active = Some(key),
                Ok(key) => others.push(key),
                Err(error) if row.state == KeyState::Active => return Err(error),
                Err(error) => {
                    tracing::warn!(
                        key.kid = row.kid,
                        error = &error as &dyn std::error::Error,
                        "a signing key stays shut"
                    );
                }
            }
        }
        KeySet::new(active.ok_or(KeyError::Sealed)?, others)
    }

    pub(super) fn open(&self, row: &Kept) -> Result<SigningKey, KeyError> {
        let pem = self.secret.open(PURPOSE, &row.sealed).ok_or(KeyError::Sealed)?;
        let pem = std::str::from_utf8(&pem).map_err(|_| KeyError::Sealed)?;
        SigningKey::from_pem(pem, "a key in the database")
    }

    async fn generate(&self, state: KeyState, now: Timestamp) -> Result<KeyRecord, KeyError> {
        let (key, pem) = off_thread(SigningKey::generate).await?;
        self.row(&key, &pem, state, now)
    }

    fn row(&self, key: &SigningKey, pem: &str, state: KeyState, now: Timestamp) -> Result<KeyRecord, KeyError> {
        let at = |is: bool| is.then_some(now.as_micros());
        Ok(KeyRecord {
            kid: key.kid().to_owned(),
            alg: ALG.to_owned(),
            state: state.as_str().to_owned(),
            sealed: self.secret.seal(PURPOSE, pem.as_bytes())?,
            created_at: now.as_micros(),
            activated_at: at(state == KeyState::Active),
            retired_at: at(state == KeyState::Retired),
        })
    }
}
