//! The first steps of a start, each with the one line that says what went wrong.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::backup::BackupError;
use crate::clock::Clock;
use crate::config::{Config, PolicyTests};
use crate::http::contract::ContractError;
use crate::mail::smtp::SmtpSetupError;
use crate::oauth::upstream::WireError;
use crate::oauth::{KeyError, OAuthError};
use crate::objects::ObjectsError;
use crate::observe::metrics::Metrics;
use crate::observe::telemetry::TelemetryError;
use crate::policies::decisions::masking::Mask;
use crate::policies::decisions::recording::Recorder;
use crate::policies::live::{CaseRule, LivePolicies};
use crate::policies::shipped::ShippedError;
use crate::policies::versions::Versions;
use crate::secret_key::SecretKey;
use crate::shared::SharedError;
use crate::store::migrations::MigrationError;
use crate::store::{PoolLimits, Store, StoreError};

/// Why the server does not start. Nothing was changed, except what earlier steps completed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be made or written.
    #[error("the data folder `{}` cannot be written (`DATA_DIR`)", folder.display())]
    DataFolder {
        /// Which folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database cannot be opened.
    #[error("the database cannot be opened (`DATABASE_URL`)")]
    Database(#[source] StoreError),
    /// The object store cannot be opened.
    #[error("the object store cannot be opened (`objects`)")]
    Objects(#[source] ObjectsError),
    /// Backups could not be encrypted as asked.
    #[error("backups cannot be encrypted (`backup.encrypt_to`, `backup.passphrase_file`)")]
    Backups(#[source] BackupError),
    /// The schema cannot be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// The signing keys cannot be read or made.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The server's secret cannot be read or made.
    #[error("the server's secret cannot be kept in the data folder (`SECRET_KEY`)")]
    Secret(#[source] io::Error),
    /// The test's certificates cannot be read.
    #[error("the certificates in `{}` cannot be read (`oauth.extra_root_certificate`)", path.display())]
    RootCertificate {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Mail cannot be sent by the settings.
    #[error(transparent)]
    Smtp(#[from] SmtpSetupError),
    /// The clients that are built in cannot be kept.
    #[error("the built-in clients cannot be kept")]
    Clients(#[source] OAuthError),
    /// The providers through which people may sign in cannot be asked.
    #[error("no provider of sign-ins can be asked (`upstream`)")]
    Upstreams(#[source] WireError),
    /// Redis cannot be used at all.
    #[error("Redis cannot be used (`REDIS_URL`)")]
    Shared(#[from] SharedError),
    /// The policy that is built in does not run.
    #[error(transparent)]
    Policies(#[from] ShippedError),
    /// The policies folder is not there and cannot be made.
    #[error("the policies folder `{}` does not exist and cannot be made (`POLICIES_DIR`)", .0.display())]
    PoliciesFolder(PathBuf),
    /// The system gives no thread.
    #[error("no thread could be started")]
    Thread(#[source] io::Error),
    /// No traces can be sent.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The API's description is wrong.
    #[error(transparent)]
    Api(#[from] ContractError),
}

/// Makes the data folder, for the server's own user alone, and tries whether it can be written.
pub(super) fn make_data_folder(config: &Config) -> Result<(), StartError> {
    let folder = &config.storage.data_dir;
    let failed = |source| StartError::DataFolder { folder: folder.clone(), source };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(failed)?;
    let probe = folder.join(".writable");
    fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe)).map_err(failed)
}

pub(super) async fn open_store(config: &Config) -> Result<Store, StartError> {
    let limits = PoolLimits {
        connections: config.storage.max_connections,
        acquire_timeout: config.storage.wait,
        statement_timeout: config.storage.statement_timeout,
    };
    Store::connect(config.storage.database_url.expose(), &limits).await.map_err(StartError::Database)
}

/// Brings the schema up to date, or looks whether somebody else has.
pub(super) async fn see_to_the_schema(config: &Config, store: &Store) -> Result<(), MigrationError> {
    if config.storage.migrate_on_start {
        return store.migrate_up().await.map(drop);
    }
    let newer = store.expect_schema().await?;
    if !newer.is_empty() {
        tracing::warn!(migrations = ?newer, "the schema is newer than this program; it is used as it is");
    }
    Ok(())
}

pub(super) fn load_secret(config: &Config) -> Result<SecretKey, StartError> {
    match &config.server.secret_key {
        Some(secret) => Ok(SecretKey::new(secret.expose())),
        None => SecretKey::load_or_generate(&config.storage.data_dir).map_err(StartError::Secret),
    }
}

/// The policies of the folder; the data folder keeps what was in order for the next start.
pub(super) fn policies(config: &Config, clock: &Clock) -> Result<LivePolicies, ShippedError> {
    let kept = config.storage.data_dir.join("policies");
    let policies =
        LivePolicies::open_keeping(&config.policies.dir, Some(&kept), case_rule(config.policies.tests), clock.clone())?;
    Ok(policies.with_settings(config.policies.params.clone()))
}

/// Their versions. What was activated is in force before the first request; a database that cannot tell of it now is asked
/// again.
pub(super) async fn versions(
    config: &Config,
    store: &Store,
    clock: &Clock,
    policies: &Arc<LivePolicies>,
) -> Arc<Versions> {
    let versions = Versions::new(store.clone(), clock.clone(), Arc::clone(policies), config.policies.rules.clone());
    if let Err(error) = versions.catch_up().await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "the policies that were activated could not be read; it is tried again");
    }
    Arc::new(versions)
}

/// Takes a sample of what people are recommended.
pub(super) fn recorder(config: &Config, store: &Store, secret: &SecretKey, metrics: &Metrics) -> Recorder {
    let (mask, sample) = (Mask::new(secret.clone()), config.policies.decisions_sample);
    Recorder::start(store.clone(), mask, sample, metrics.decisions.clone())
}

const fn case_rule(tests: PolicyTests) -> CaseRule {
    match tests {
        PolicyTests::Warn => CaseRule::Warn,
        PolicyTests::Require => CaseRule::Require,
    }
}
