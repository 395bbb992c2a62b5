//! Backups that the server makes by itself, and how `/health` sees them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::background::{Duty, DutyError, Turn};
use crate::backup::crypt::Seal;
use crate::backup::make::{Order, make};
use crate::backup::place::{Kept, Place, Prune};
use crate::backup::retention::Keep;
use crate::backup::{BackupError, Silent};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::objects::Objects;
use crate::observe::health::{Finding, Status};
use crate::observe::metrics::HealthMetrics;
use crate::secret_key::SecretKey;
use crate::store::Store;

/// How often one instance looks whether a backup is due; one that somebody else made counts, too.
const LOOKS_EVERY: Duration = Duration::from_mins(10);
/// How long a finding is good: anyone may ask `/health` as often as they like, and buckets charge for each question.
const FRESH: Duration = Duration::from_mins(1);

/// Makes the backups that are due.
pub(super) struct MakeBackups {
    every: Duration,
    config: Config,
    store: Store,
    objects: Objects,
    secret: SecretKey,
}

impl MakeBackups {
    /// `None` where the server is not asked to.
    pub(super) fn when_asked(
        config: &Config,
        store: &Store,
        objects: &Objects,
        secret: &SecretKey,
    ) -> Option<Arc<dyn Duty>> {
        let every = config.backup.every?;
        let (config, store, objects, secret) = (config.clone(), store.clone(), objects.clone(), secret.clone());
        Some(Arc::new(Self { every, config, store, objects, secret }))
    }

    async fn look(&self, now: Timestamp) -> Result<(), BackupError> {
        let place = place(&self.config)?;
        if place.newest().await?.is_some_and(|newest| newest.created_at.plus(self.every) > now) {
            return Ok(());
        }
        let backup = &self.config.backup;
        let made = make(Order {
            store: &self.store,
            attachments: backup.attachments.then_some(&self.objects),
            secret: Some(&self.secret),
            seal: Arc::new(seal(&self.config)?),
            place: &place,
            name: None,
            now,
            progress: Arc::new(Silent),
        })
        .await?;
        let [daily, weekly, monthly] = backup.keep;
        let pruned = place.prune(Keep { daily, weekly, monthly }, now, Prune::Really).await?;
        tracing::info!(
            backup = made.name,
            bytes = made.bytes,
            rows = made.totals.rows(),
            pruned = pruned.len(),
            "a backup was made"
        );
        if let Some(trouble) = made.totals.attachments.trouble() {
            tracing::error!(
                backup = made.name,
                trouble,
                "files of people are lost or damaged; an older backup may have them"
            );
        }
        Ok(())
    }
}

#[async_trait]
impl Duty for MakeBackups {
    fn name(&self) -> &'static str {
        "make_backups"
    }

    fn every(&self) -> Duration {
        LOOKS_EVERY
    }

    async fn run(&self, turn: &Turn) -> Result<(), DutyError> {
        let made = self.look(turn.now()).await;
        made.map_err(|error| DutyError::Failed("no backup could be made", Box::new(error)))
    }
}

/// For whom backups are sealed.
pub(super) fn seal(config: &Config) -> Result<Seal, BackupError> {
    Seal::choose(&config.backup.encrypt_to, config.backup.passphrase_file.as_deref())
}

fn place(config: &Config) -> Result<Place, BackupError> {
    Place::open(&config.backup.place(&config.storage.data_dir), &config.objects)
}

/// The check of `backups`, for a server that makes them by itself.
pub(super) fn check(
    config: &Config,
    clock: &Clock,
    metrics: &HealthMetrics,
) -> Option<impl Fn() -> BoxFuture<'static, Finding> + Send + Sync + use<>> {
    let every = config.backup.every?;
    let (config, clock, begun, metrics) = (config.clone(), clock.clone(), clock.now(), metrics.clone());
    let last: Arc<Mutex<Option<(Timestamp, Finding)>>> = Arc::default();
    Some(move || -> BoxFuture<'static, Finding> {
        let (config, now, last, metrics) = (config.clone(), clock.now(), Arc::clone(&last), metrics.clone());
        Box::pin(async move {
            let known = last.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some((asked, finding)) = known
                && now < asked.plus(FRESH)
            {
                return finding;
            }
            let newest = match place(&config) {
                Ok(place) => place.newest().await,
                Err(error) => Err(error),
            };
            if let Ok(Some(newest)) = &newest {
                metrics.last_backup(newest.created_at.as_seconds());
            }
            let finding = finding(newest, begun, every, now);
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, finding.clone()));
            finding
        })
    })
}

/// Too old is what should have had a successor by now, twice over.
fn finding(newest: Result<Option<Kept>, BackupError>, begun: Timestamp, every: Duration, now: Timestamp) -> Finding {
    let newest = match newest {
        Ok(newest) => newest,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the place of backups has a fault");
            return Finding::new(Status::Degraded, "the place of backups cannot be read");
        }
    };
    let since = newest.as_ref().map_or(begun, |newest| newest.created_at);
    let status = if since.plus(every * 2 + LOOKS_EVERY) < now { Status::Degraded } else { Status::Healthy };
    let told = newest.map(|newest| json!({ "last_success_at": newest.created_at, "bytes": newest.bytes }));
    Finding { status, details: Some(told.unwrap_or_else(|| json!({ "last_success_at": null }))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const BEGUN: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    fn kept(created_at: Timestamp) -> Kept {
        Kept { name: String::new(), created_at, bytes: 7, encrypted: false, kind: "archive" }
    }

    #[test]
    fn a_backup_is_too_old_when_its_successor_failed_twice() {
        let day = HOUR * 24;
        let at = |hours: u32| BEGUN.plus(HOUR * hours);

        let fresh = finding(Ok(Some(kept(at(0)))), BEGUN, day, at(47));
        let old = finding(Ok(Some(kept(at(0)))), BEGUN, day, at(49));
        let none_yet = finding(Ok(None), BEGUN, day, at(1));
        let none = finding(Ok(None), BEGUN, day, at(49));
        let unknown = finding(Err(BackupError::CutOff), BEGUN, day, at(1));

        assert_eq!(fresh.status, Status::Healthy);
        assert_eq!(fresh.details.unwrap()["bytes"], 7);
        assert_eq!(old.status, Status::Degraded);
        assert_eq!(none_yet.status, Status::Healthy);
        assert_eq!(none.status, Status::Degraded);
        assert_eq!(unknown.status, Status::Degraded);
    }
}
