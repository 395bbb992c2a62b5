//! The signing keys, for whoever needs them before or without an App.

use std::path::PathBuf;

use super::starting::{self, StartError};
use crate::clock::Clock;
use crate::config::Config;
use crate::oauth::key_ring::RingParts;
use crate::oauth::keys::{KeyError, KeySource};
use crate::oauth::{KeyRing, KeySet};
use crate::secret_key::SecretKey;
use crate::store::Store;

/// What a ring of keys stands on: the database, with its schema up to date, and the server's secret.
pub struct Keys {
    pub(super) store: Store,
    pub(super) secret: SecretKey,
    clock: Clock,
    config: Config,
    files: PathBuf,
}

impl Keys {
    /// Makes the data folder and brings the schema up to date.
    ///
    /// # Errors
    ///
    /// [`StartError`] names the one thing that is wrong.
    pub async fn reach(config: &Config, clock: Clock) -> Result<Self, StartError> {
        starting::make_data_folder(config)?;
        let store = starting::open_store(config).await?;
        starting::see_to_the_schema(config, &store).await?;
        let secret = starting::load_secret(config)?;
        let files = config.storage.data_dir.join("keys");
        Ok(Self { store, secret, clock, config: config.clone(), files })
    }

    /// The configured key, or the ring of the database.
    ///
    /// # Errors
    ///
    /// When the configured key is none, or the ring cannot be opened with the server's secret.
    pub async fn open(&self) -> Result<KeyRing, KeyError> {
        match self.configured()? {
            Some(keys) => Ok(KeyRing::fixed(keys)),
            None => KeyRing::open(self.parts()).await,
        }
    }

    /// A new ring in the place of the one in the database, whether that can be opened or not.
    ///
    /// # Errors
    ///
    /// [`KeyError::Configured`] when the key is not kept there.
    pub async fn open_anew(&self) -> Result<KeyRing, KeyError> {
        match self.configured()? {
            Some(_) => Err(KeyError::Configured),
            None => KeyRing::open_anew(self.parts()).await,
        }
    }

    fn configured(&self) -> Result<Option<KeySet>, KeyError> {
        let tokens = &self.config.tokens;
        let source = KeySource {
            private_pem: tokens.private_key.as_ref().map(|key| key.expose().to_owned()),
            public_pem: tokens.public_key.clone(),
        };
        source.read()
    }

    fn parts(&self) -> RingParts<'_> {
        RingParts {
            store: self.store.clone(),
            secret: self.secret.clone(),
            clock: self.clock.clone(),
            token_life: self.config.tokens.access_token_life,
            files: &self.files,
        }
    }
}
