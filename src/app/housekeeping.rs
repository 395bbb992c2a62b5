//! Housekeeping: what has expired is forgotten once in a while, and the signing keys follow one another.
//!
//! Doing so is the same whoever does it and however often, so several instances need not agree.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Interval, MissedTickBehavior};

use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::http::limits::Limits;
use crate::oauth::{Clients, Grants, KeyRing};
use crate::store::Store;

/// How often what has expired is forgotten.
const EVERY: Duration = Duration::from_mins(10);
/// How often the keys are looked at: another instance's change shows here within that time.
const KEYS_EVERY: Duration = Duration::from_secs(5);

/// What there is to keep in order.
pub(super) struct House {
    pub(super) store: Store,
    pub(super) accounts: Arc<Accounts>,
    pub(super) clients: Arc<Clients>,
    pub(super) grants: Arc<Grants>,
    pub(super) ring: Arc<KeyRing>,
    pub(super) clock: Clock,
    pub(super) limits: Arc<Limits>,
}

/// The tasks that keep house; they end when this is dropped.
pub(super) struct Housekeeping([JoinHandle<()>; 2]);

impl Housekeeping {
    pub(super) fn start(house: House) -> Self {
        let ring = Arc::clone(&house.ring);
        Self([tokio::spawn(forget(house)), tokio::spawn(turn(ring))])
    }
}

async fn forget(house: House) {
    let House { store, accounts, clients, grants, clock, limits, .. } = house;
    let mut ticks = ticks(EVERY);
    loop {
        ticks.tick().await;
        limits.forget_the_idle();
        let forgotten = tokio::join!(
            store.delete_expired_changes(clock.now()),
            accounts.forget_expired(),
            grants.forget_expired(),
            clients.forget_expired()
        );
        if forgotten.0.is_err() || forgotten.1.is_err() || forgotten.2.is_err() || forgotten.3.is_err() {
            tracing::warn!(outcome = ?forgotten, "housekeeping failed; it is tried again");
        }
    }
}

async fn turn(ring: Arc<KeyRing>) {
    let mut ticks = ticks(KEYS_EVERY);
    loop {
        ticks.tick().await;
        if let Err(error) = ring.maintain().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the signing keys were not looked after; it is tried again"
            );
        }
    }
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

impl Drop for Housekeeping {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}
