//! How what was activated reaches every instance, and how files become versions.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::Versions;
use super::error::PolicyError;
use crate::background::Stop;
use crate::ids::UserId;
use crate::policies::live::{InUse, Origin, Saved};
use crate::policies::pins::{Pin, Pins};
use crate::scoring::Policy;
use crate::store::policy_versions::{NewActivation, NewVersion};
use crate::store::{StoreResult, Tx};

/// How often an instance asks for news of which nobody told it.
const ASKS_EVERY: Duration = Duration::from_secs(1);

/// Who listens for changes of policies: nobody's data, so the name of nobody.
pub(super) const LISTENERS: UserId = UserId(Uuid::nil());

impl Versions {
    /// Looks at the files, takes note of those that changed, then puts in force what was activated.
    ///
    /// # Errors
    ///
    /// What keeps the store from reading or writing.
    pub async fn catch_up(&self) -> Result<(), PolicyError> {
        let live = Arc::clone(&self.live);
        tokio::task::spawn_blocking(move || live.reload()).await.map_err(|_| PolicyError::Interrupted)?;
        self.take_note().await
    }

    /// The same of files that were looked at already, by a thread that gives way to requests.
    async fn take_note(&self) -> Result<(), PolicyError> {
        self.note_files().await?;
        self.apply().await
    }

    /// Puts in force what was activated, wherever it was.
    pub(super) async fn apply(&self) -> Result<(), PolicyError> {
        // One at a time: what was read earlier must not come later.
        let mut applied = self.applied.lock().await;
        let number = self.store.policy_ledger().await?;
        let current = self.store.list_current_activations().await?;
        let pin = |row: crate::store::policy_versions::CurrentRecord| {
            let pin =
                Pin { version: row.version, source: Arc::from(row.source?.as_str()), file_version: row.file_version };
            Some((row.policy, pin))
        };
        let pins: Pins = current.into_iter().filter_map(pin).collect();
        let candidates = self.candidates().await?;
        let live = Arc::clone(&self.live);
        live.set_candidates(candidates);
        tokio::task::spawn_blocking(move || live.set_pins(pins)).await.map_err(|_| PolicyError::Interrupted)?;
        if *applied != number {
            // What could not be replaced then may have something before it now.
            self.given_up.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
        }
        *applied = number;
        drop(applied);
        Ok(())
    }

    /// Keeps the texts of files that are in force, and that they came into force.
    async fn note_files(&self) -> Result<(), PolicyError> {
        let _noting = self.noting.lock().await;
        // What was in force for a moment alone may have decided something. It is forgotten only once it is noted: whoever
        // waits for this may go away.
        while let Some(file) = self.live.first_saved() {
            self.note_saved(file.clone()).await?;
            self.live.forget_saved(&file);
        }
        for status in self.live.status() {
            let Some(in_use) = self.live.in_use(&status.name) else { continue };
            if let Some(file) = self.unnoted(status.name, in_use) {
                self.note_file(file).await?;
            }
        }
        Ok(())
    }

    /// A file, or the shipped policy, that is in force and of which no note was taken.
    fn unnoted(&self, policy: String, in_use: InUse) -> Option<NewFile> {
        let (live, text) = in_use.live?;
        let origin = match in_use.origin? {
            Origin::File if in_use.file_version.as_deref() == Some(live.version()) => "file",
            Origin::Shipped if in_use.file_version.is_none() => "shipped",
            _ => return None,
        };
        let file =
            NewFile { policy, version: live.version().to_owned(), file_version: in_use.file_version, text, origin };
        let noted = self.noted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (noted.get(&file.policy) != Some(&file.file_version)).then_some(file)
    }

    async fn note_saved(&self, saved: Saved) -> Result<(), PolicyError> {
        let now = self.clock.now();
        let (policy, file_version) = (saved.policy.clone(), Some(saved.version.clone()));
        let kept = self
            .store
            .write_of::<_, PolicyError, _>(LISTENERS, move |tx| {
                Box::pin(async move { Ok(keep_saved(tx, saved, now).await?) })
            })
            .await?;
        if kept {
            self.noted.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(policy, file_version);
        }
        Ok(())
    }

    async fn note_file(&self, file: NewFile) -> Result<(), PolicyError> {
        let now = self.clock.now();
        let (policy, file_version) = (file.policy.clone(), file.file_version.clone());
        self.store
            .write_of::<_, PolicyError, _>(LISTENERS, move |tx| {
                Box::pin(async move { Ok(keep_file(tx, file, now).await?) })
            })
            .await?;
        self.noted.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(policy, file_version);
        Ok(())
    }

    /// Follows files and what is activated elsewhere, until it is time to stop.
    pub async fn follow(&self, mut stop: Stop) {
        let mut news = self.store.wait_for(LISTENERS);
        let mut files = self.live.changes();
        let mut ticks = tokio::time::interval(ASKS_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let done = tokio::select! {
                biased;
                () = stop.asked() => return,
                Ok(()) = files.changed() => self.take_note().await,
                () = news.woken() => self.look().await,
                _ = ticks.tick() => self.look().await,
            };
            if let Err(error) = done {
                tracing::debug!(%error, "policies were not looked after; it is tried again");
                // A file that could not be noted is looked at again.
                files.mark_changed();
                tokio::select! {
                    () = stop.asked() => return,
                    () = tokio::time::sleep(ASKS_EVERY) => {}
                }
            }
        }
    }

    /// Applies what is new, if anything is.
    async fn look(&self) -> Result<(), PolicyError> {
        self.guard().await?;
        self.keep_counts().await?;
        let number = self.store.policy_ledger().await?;
        if *self.applied.lock().await == number { Ok(()) } else { self.apply().await }
    }
}

/// A file that came into force.
struct NewFile {
    policy: String,
    version: String,
    file_version: Option<String>,
    text: Arc<str>,
    origin: &'static str,
}

/// Whether it was new.
async fn keep_saved(tx: &mut Tx<'_>, saved: Saved, now: crate::clock::Timestamp) -> StoreResult<bool> {
    let Saved { policy, version, text } = saved;
    // It is a version already: that it came into force was noted, here or by another instance.
    if tx.find_policy_version(&policy, &version).await?.is_some() {
        return Ok(false);
    }
    let file_version = Some(version.clone());
    keep_file(tx, NewFile { policy, version, file_version, text, origin: "file" }, now).await?;
    Ok(true)
}

async fn keep_file(tx: &mut Tx<'_>, file: NewFile, now: crate::clock::Timestamp) -> StoreResult<()> {
    let number = tx.turn_policy_ledger().await?;
    let last = tx.find_last_activation(&file.policy).await?;
    if let Some(last) = &last {
        let known =
            if last.action == "file" { last.version == file.version } else { last.file_version == file.file_version };
        // Another instance noted it, or what was activated since holds.
        if known {
            return Ok(());
        }
    }
    let version = NewVersion {
        policy: file.policy.clone(),
        version: file.version.clone(),
        parent: last.as_ref().map(|last| last.version.clone()),
        source: file.text.to_string(),
        origin: file.origin,
        author: None,
        message: String::new(),
        at: now,
    };
    tx.insert_policy_version(&version).await?;
    let activation = NewActivation {
        policy: file.policy,
        version: file.version,
        prior: last.map(|last| last.number),
        file_version: file.file_version,
        action: "file",
        actor: "file",
        actor_id: None,
        at: now,
    };
    tx.insert_policy_activation(number, &activation).await
}
