//! The keys in force, and how they follow one another: *next*, *active*, *retired*.
//!
//! - A key is published as *next* before it signs, longer than anybody may keep a copy of the key set.
//! - The *active* key signs. There is one, whatever number of instances work on the database.
//! - A *retired* key verifies what it signed, until the last of it has expired.
//!
//! The ring lies in the database, sealed; instances read it every now and then, and when a token names a key that they do
//! not know. Keys are made by housekeeping and at the first start, never while a request waits.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};

use super::key_files;
use super::key_shelf::{Kept, KeyShelf, KeyState};
use super::keys::{KeyError, KeySet};
use crate::clock::{Clock, Timestamp};
use crate::secret_key::SecretKey;
use crate::store::Store;

/// How long a key signs.
pub const SIGNS_FOR: Duration = Duration::from_hours(90 * 24);
/// How long a key is published before it signs: what others may keep of the key set (`max-age`), and some minutes in
/// which every instance has read of it.
pub const PUBLISHED_FOR: Duration = Duration::from_mins(65);
/// How long a retired key stays beyond the life of the last token that it signed.
const STAYS_FOR: Duration = Duration::from_hours(1);
/// How often a token with an unknown key may send this instance to the database.
const LOOKS_AGAIN: Duration = Duration::from_secs(10);

/// The keys in force.
pub struct KeyRing {
    current: ArcSwap<KeySet>,
    /// Where they come from; `None` when the key is configured.
    stored: Option<Stored>,
}

struct Stored {
    kept: KeyShelf,
    clock: Clock,
    /// The life of what the keys sign.
    token_life: Duration,
    /// When an unknown key last made this instance look.
    looked: tokio::sync::Mutex<Option<Timestamp>>,
}

/// What a ring in the database works with.
pub struct RingParts<'a> {
    /// The database.
    pub store: Store,
    /// What the keys are sealed under.
    pub secret: SecretKey,
    /// The time.
    pub clock: Clock,
    /// The life of an access token.
    pub token_life: Duration,
    /// Where version 7.0 kept its keys; what is found there is taken over.
    pub files: &'a Path,
}

/// How soon a new key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotate {
    /// When it has been published long enough. Nobody notices.
    Announced,
    /// At once. The old key still verifies; others may have to fetch the key set anew.
    AtOnce,
}

/// What a rotation led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The key that signs, or will.
    pub kid: String,
    /// From when on.
    pub signs_from: Timestamp,
}

impl KeyRing {
    /// A ring of a configured key, which never changes.
    pub fn fixed(keys: KeySet) -> Self {
        Self { current: ArcSwap::from_pointee(keys), stored: None }
    }

    /// Opens the ring of the database. When there is no active key, the newest of the files becomes it, or a new one is
    /// made; of several instances that start at once, one succeeds, and all use its key.
    ///
    /// # Errors
    ///
    /// [`KeyError::Sealed`] when the server's secret is not the one under which the keys were sealed.
    pub async fn open(parts: RingParts<'_>) -> Result<Self, KeyError> {
        let RingParts { store, secret, clock, token_life, files } = parts;
        let kept = KeyShelf::new(store, secret);
        let folder = files.to_owned();
        let found = off_thread(move || key_files::read_all(&folder)).await?;
        let now = clock.now();
        let paths: Vec<_> = found.iter().map(|file| file.path.clone()).collect();
        let mut state = KeyState::Active;
        for file in found {
            // The newest becomes active, unless there is an active one; the others verify.
            kept.adopt(&file.key, &file.pem, state, now).await?;
            state = KeyState::Retired;
        }
        let mut rows = kept.list().await?;
        if active(&rows).is_none() {
            kept.make(KeyState::Active, now).await?;
            rows = kept.list().await?;
        }
        let current = ArcSwap::from_pointee(kept.open_all(&rows)?);
        if !paths.is_empty() {
            let folder = files.to_owned();
            off_thread(move || {
                key_files::remove(&paths, &folder);
                Ok(())
            })
            .await?;
        }
        Ok(Self::over(current, kept, clock, token_life))
    }

    /// Gives up every key of the ring, whether it can be opened or not, and begins anew with another: for keys that leaked,
    /// or whose secret is lost. Access tokens that are out there are refused as soon as an instance notices.
    pub async fn open_anew(parts: RingParts<'_>) -> Result<Self, KeyError> {
        let RingParts { store, secret, clock, token_life, .. } = parts;
        let kept = KeyShelf::new(store, secret);
        kept.replace_all(clock.now()).await?;
        let current = ArcSwap::from_pointee(kept.open_all(&kept.list().await?)?);
        Ok(Self::over(current, kept, clock, token_life))
    }

    fn over(current: ArcSwap<KeySet>, kept: KeyShelf, clock: Clock, token_life: Duration) -> Self {
        Self { current, stored: Some(Stored { kept, clock, token_life, looked: tokio::sync::Mutex::new(None) }) }
    }

    /// The keys, as they are now.
    pub fn keys(&self) -> Guard<Arc<KeySet>> {
        self.current.load()
    }

    /// Reads the ring, in case another instance has changed it.
    pub async fn refresh(&self) -> Result<(), KeyError> {
        let Some(stored) = &self.stored else { return Ok(()) };
        self.show(&stored.kept, &stored.kept.list().await?)
    }

    /// Reads the ring because a token names a key that is not in it; seldom, as anybody can send such tokens.
    pub async fn look_again(&self) {
        let Some(stored) = &self.stored else { return };
        // Who comes meanwhile waits here, and then finds what was read.
        let mut looked = stored.looked.lock().await;
        let now = stored.clock.now();
        if looked.is_some_and(|then| then <= now && now < then.plus(LOOKS_AGAIN)) {
            return;
        }
        *looked = Some(now);
        if let Err(error) = self.refresh().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the signing keys cannot be read");
        }
    }

    /// Takes the step that is due, if any: publishes the next key, lets it sign, forgets what verifies nothing any more.
    /// Several instances may do so at once.
    pub async fn maintain(&self) -> Result<(), KeyError> {
        let Some(Stored { kept, clock, token_life, .. }) = &self.stored else { return Ok(()) };
        let now = clock.now();
        let rows = kept.list().await?;
        match due(&rows, now) {
            Step::None => {}
            Step::Publish => kept.make(KeyState::Next, now).await?,
            Step::Promote { from, to } => {
                kept.promote(from, to, now).await?;
                tracing::info!(key.kid = to, "a new key signs access tokens");
            }
        }
        let over = now.minus(*token_life).minus(STAYS_FOR);
        if rows.iter().any(|row| row.state == KeyState::Retired && row.retired_at.is_some_and(|at| at <= over)) {
            kept.forget_retired(over).await?;
        }
        self.refresh().await
    }

    /// Replaces the active key.
    ///
    /// # Errors
    ///
    /// [`KeyError::Configured`] when the key is not kept here.
    pub async fn rotate(&self, how: Rotate) -> Result<Rotated, KeyError> {
        let Some(Stored { kept, clock, .. }) = &self.stored else { return Err(KeyError::Configured) };
        let now = clock.now();
        if next(&kept.list().await?).is_none() {
            kept.make(KeyState::Next, now).await?;
        }
        let rows = kept.list().await?;
        if let (Some(from), Some(to)) = (active(&rows), next(&rows))
            && (how == Rotate::AtOnce || now >= to.created_at.plus(PUBLISHED_FOR))
        {
            kept.promote(&from.kid, &to.kid, now).await?;
        }
        self.refresh().await?;
        let rows = kept.list().await?;
        let signs = active(&rows).map(|row| (row, now));
        let will = next(&rows).map(|row| (row, row.created_at.plus(PUBLISHED_FOR)));
        let (row, signs_from) = will.or(signs).ok_or(KeyError::Sealed)?;
        Ok(Rotated { kid: row.kid.clone(), signs_from })
    }

    /// Every key of the ring, the oldest first; what is configured is no part of it.
    ///
    /// # Errors
    ///
    /// [`KeyError::Configured`] when the key is not kept here.
    pub async fn list(&self) -> Result<Vec<Kept>, KeyError> {
        let stored = self.stored.as_ref().ok_or(KeyError::Configured)?;
        stored.kept.list().await
    }

    /// Puts the keys of these rows in force, unless they are.
    fn show(&self, kept: &KeyShelf, rows: &[Kept]) -> Result<(), KeyError> {
        // Nothing of this program leaves a ring without an active key; if something did, those in force stay.
        let Some(active) = active(rows) else { return Ok(()) };
        let others = rows.iter().filter(|row| row.kid != active.kid).map(|row| row.kid.as_str());
        if !self.keys().consists_of(&active.kid, others) {
            self.current.store(Arc::new(kept.open_all(rows)?));
        }
        Ok(())
    }
}

/// What to do with the ring.
#[derive(Debug, PartialEq, Eq)]
enum Step<'a> {
    None,
    Publish,
    Promote { from: &'a str, to: &'a str },
}

/// The step that is due. A next key signs as soon as it has been published long enough, so it is published that long
/// before the active one has done its time.
fn due(rows: &[Kept], now: Timestamp) -> Step<'_> {
    let Some(active) = active(rows) else { return Step::None };
    match next(rows) {
        Some(next) if now >= next.created_at.plus(PUBLISHED_FOR) => Step::Promote { from: &active.kid, to: &next.kid },
        Some(_) => Step::None,
        None => {
            let since = active.activated_at.unwrap_or(active.created_at);
            if now.plus(PUBLISHED_FOR) >= since.plus(SIGNS_FOR) { Step::Publish } else { Step::None }
        }
    }
}

fn active(rows: &[Kept]) -> Option<&Kept> {
    rows.iter().find(|row| row.state == KeyState::Active)
}

fn next(rows: &[Kept]) -> Option<&Kept> {
    rows.iter().find(|row| row.state == KeyState::Next)
}

/// Files and key generation take their time, so they are done on a thread for that.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyError> + Send + 'static,
) -> Result<T, KeyError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(KeyError::SelfTest))
}

#[cfg(test)]
mod tests;
