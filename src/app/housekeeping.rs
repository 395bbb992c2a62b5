//! Housekeeping: what is done by itself, for all instances by one, or by each for itself.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::time::MissedTickBehavior;

use super::sweeping::{RemoveLeftovers, SweepFiles};
use crate::accounts::Accounts;
use crate::attachments::Attachments;
use crate::background::{Background, Duty, DutyError, Own, Stop, Turn};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::digests::SendDigests;
use crate::http::limits::Limits;
use crate::ids::first_uuid;
use crate::mail::{Courier, Post};
use crate::oauth::{Clients, Grants, KeyRing};
use crate::observe::metrics::BackgroundMetrics;
use crate::policies::decisions::Decisions;
use crate::policies::live::LivePolicies;
use crate::policies::versions::Versions;
use crate::secret_key::SecretKey;
use crate::store::{Store, StoreResult, Tx};
use crate::tasks::Tasks;

/// How often what has expired is forgotten.
const FORGETS_EVERY: Duration = Duration::from_mins(10);
/// How often one instance looks whether the signing keys take a step.
const TURNS_EVERY: Duration = Duration::from_mins(1);
/// How often each instance reads the keys: another one's change shows here within that time.
const READS_EVERY: Duration = Duration::from_secs(5);
/// How often rows that are old enough are deleted.
const RETAINS_EVERY: Duration = Duration::from_hours(6);
/// Rows that are deleted in one transaction, so that nobody waits for it long.
const ROWS_AT_ONCE: i64 = 2_000;
/// How long mail is kept that was given up.
const DEAD_MAIL_KEPT: Duration = Duration::from_hours(30 * 24);
const DAY: Duration = Duration::from_hours(24);

/// What there is to keep in order.
pub(super) struct House {
    pub(super) store: Store,
    pub(super) grants: Arc<Grants>,
    pub(super) ring: Arc<KeyRing>,
    pub(super) clock: Clock,
    pub(super) limits: Arc<Limits>,
    pub(super) backups: Option<Arc<dyn Duty>>,
    pub(super) metrics: BackgroundMetrics,
    pub(super) post: Post,
    pub(super) tasks: Tasks,
    pub(super) accounts: Arc<Accounts>,
    pub(super) secret: SecretKey,
    pub(super) attachments: Attachments,
    pub(super) policies: Arc<LivePolicies>,
    pub(super) versions: Arc<Versions>,
    pub(super) decisions: Arc<Decisions>,
}

/// Begins to keep house, as far as this instance is to.
pub(super) fn start(config: &Config, house: House) -> Background {
    let House {
        store,
        grants,
        ring,
        clock,
        limits,
        backups,
        metrics,
        post,
        tasks,
        accounts,
        secret,
        attachments,
        policies,
        versions,
        decisions,
    } = house;
    let mut own = vec![
        forget_the_idle(limits),
        read_keys(Arc::clone(&ring)),
        follow_policies(versions),
        look_for_slips(policies),
    ];
    let mut shared = if config.background.enabled { duties(config, &grants, ring, attachments) } else { Vec::new() };
    if config.background.enabled && post.ready().is_ok() {
        own.push(Courier::new(post.clone()).own());
        shared.push(Arc::new(SendDigests { tasks, accounts, post, secret }));
    }
    if config.background.enabled {
        shared.extend(super::decisions::duties(&decisions));
    }
    shared.extend(backups.filter(|_| config.background.enabled));
    Background::start_counting(&store, &clock, shared, own, metrics)
}

/// Everything that one instance does for all.
fn duties(config: &Config, grants: &Grants, ring: Arc<KeyRing>, attachments: Attachments) -> Vec<Arc<dyn Duty>> {
    let (idle, events_kept) = (grants.idle(), config.events.retention);
    let mut all: Vec<Arc<dyn Duty>> = vec![
        Chore::duty("expire_changes", |tx, now| Box::pin(Tasks::forget_in(tx, now))),
        Chore::duty("expire_events", move |tx, now| Box::pin(tx.delete_old_events(now.minus(events_kept)))),
        Chore::duty("expire_accounts", |tx, now| Box::pin(Accounts::forget_in(tx, now))),
        Chore::duty("expire_grants", move |tx, now| Box::pin(Grants::forget_in(tx, now, now.minus(idle)))),
        Chore::duty("expire_clients", |tx, now| Box::pin(Clients::forget_in(tx, now))),
        Chore::duty("expire_mail", |tx, now| Box::pin(forget_mail(tx, now))),
        Arc::new(RotateKeys(ring)),
        Arc::new(SweepFiles(attachments.clone())),
        Arc::new(RemoveLeftovers(attachments)),
    ];
    if let Some(days) = config.background.audit_days {
        all.push(Arc::new(RetainAudit(DAY * days)));
    }
    all
}

/// Mail that was given up stays for a while, in which an operator may see it.
async fn forget_mail(tx: &mut Tx<'_>, now: Timestamp) -> StoreResult<()> {
    tx.discard_dead_mails(now.minus(DEAD_MAIL_KEPT)).await?;
    tx.delete_old_digests(now.minus(DEAD_MAIL_KEPT)).await
}

type Work = dyn for<'t, 'c> Fn(&'t mut Tx<'c>, Timestamp) -> BoxFuture<'t, StoreResult<()>> + Send + Sync;

/// Forgets what has expired, in one transaction.
struct Chore {
    name: &'static str,
    work: Arc<Work>,
}

impl Chore {
    fn duty<F>(name: &'static str, work: F) -> Arc<dyn Duty>
    where
        F: for<'t, 'c> Fn(&'t mut Tx<'c>, Timestamp) -> BoxFuture<'t, StoreResult<()>> + Send + Sync + 'static,
    {
        Arc::new(Self { name, work: Arc::new(work) })
    }
}

#[async_trait]
impl Duty for Chore {
    fn name(&self) -> &'static str {
        self.name
    }

    fn every(&self) -> Duration {
        FORGETS_EVERY
    }

    async fn run(&self, turn: &Turn) -> Result<(), DutyError> {
        let (work, now) = (Arc::clone(&self.work), turn.now());
        turn.finish(move |tx| Box::pin(async move { work(tx, now).await })).await
    }
}

/// Takes the step that the signing keys are due for. The ring's own rules fence it: a step names the state that it starts
/// from.
struct RotateKeys(Arc<KeyRing>);

#[async_trait]
impl Duty for RotateKeys {
    fn name(&self) -> &'static str {
        "rotate_keys"
    }

    fn every(&self) -> Duration {
        TURNS_EVERY
    }

    async fn run(&self, _: &Turn) -> Result<(), DutyError> {
        let step = self.0.maintain().await;
        step.map_err(|error| DutyError::Failed("the signing keys were not looked after", Box::new(error)))
    }
}

/// Deletes rows of the audit log that are older than this.
struct RetainAudit(Duration);

#[async_trait]
impl Duty for RetainAudit {
    fn name(&self) -> &'static str {
        "retain_audit"
    }

    fn every(&self) -> Duration {
        RETAINS_EVERY
    }

    async fn run(&self, turn: &Turn) -> Result<(), DutyError> {
        let before = first_uuid(turn.now().minus(self.0));
        let delete = || turn.write(move |tx| Box::pin(tx.delete_old_audit(before, ROWS_AT_ONCE)));
        while delete().await? > 0 {}
        Ok(())
    }
}

fn forget_the_idle(limits: Arc<Limits>) -> Own {
    Box::new(move |stop| {
        let limits = Arc::clone(&limits);
        Box::pin(each(FORGETS_EVERY, stop, move || {
            limits.forget_the_idle();
            std::future::ready(())
        }))
    })
}

fn follow_policies(versions: Arc<Versions>) -> Own {
    Box::new(move |stop| {
        let versions = Arc::clone(&versions);
        Box::pin(async move { versions.follow(stop).await })
    })
}

fn look_for_slips(policies: Arc<LivePolicies>) -> Own {
    Box::new(move |stop| Box::pin(Arc::clone(&policies).keep_looking_for_slips(stop)))
}

fn read_keys(ring: Arc<KeyRing>) -> Own {
    Box::new(move |stop| {
        let ring = Arc::clone(&ring);
        Box::pin(each(READS_EVERY, stop, move || {
            let ring = Arc::clone(&ring);
            async move {
                if let Err(error) = ring.refresh().await {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "the signing keys cannot be read; it is tried again");
                }
            }
        }))
    })
}

/// Does something again and again until it is time to stop.
async fn each<F: Future<Output = ()> + Send>(every: Duration, mut stop: Stop, work: impl Fn() -> F + Send) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.asked() => return,
            _ = ticks.tick() => work().await,
        }
    }
}
