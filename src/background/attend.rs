//! Waits until a duty is due, takes it, does it, says how it went.

use std::error::Error as StdError;
use std::hash::{BuildHasher as _, RandomState};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use uuid::Uuid;

use super::{Duty, DutyError, LEASE, Own, Stop, Turn};
use crate::clock::{Clock, Timestamp};
use crate::observe::metrics::{BackgroundMetrics, DutyMetrics};
use crate::store::duties::{DutyRecord, Taking};
use crate::store::{Store, StoreResult};

/// How long after its first failure a duty is tried again; twice as long after each further one.
const FIRST_RETRY: Duration = Duration::from_secs(10);
/// The longest such time.
const LAST_RETRY: Duration = Duration::from_mins(15);
/// How often an instance looks whether a duty of another one became free.
const LOOKS_AGAIN: Duration = Duration::from_mins(1);
/// How long the database is left in peace after it failed.
const REST: Duration = Duration::from_secs(5);

/// What an instance takes duties with.
#[derive(Clone)]
pub(super) struct Keeper {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) instance: Uuid,
    pub(super) metrics: BackgroundMetrics,
}

/// Takes part in a duty until it is time to stop.
pub(super) async fn attend(keeper: Keeper, duty: Arc<dyn Duty>, mut stop: Stop) {
    let metrics = keeper.metrics.duty(duty.name());
    while !stop.is_asked() {
        let again = tokio::select! {
            biased;
            () = stop.asked() => return,
            again = keeper.look(&*duty, &metrics) => again,
        };
        let again = again.unwrap_or_else(|error| {
            tracing::warn!(duty = duty.name(), error = &error as &dyn StdError, "background work cannot be looked at");
            keeper.clock.now().plus(REST)
        });
        tokio::select! {
            biased;
            () = stop.asked() => return,
            () = keeper.clock.reached(again) => {}
        }
    }
}

/// Does an instance's own work; begins again when it panics.
pub(super) async fn go_on(work: Own, mut stop: Stop) {
    while AssertUnwindSafe(work(stop.clone())).catch_unwind().await.is_err() {
        tracing::error!("background work of this instance ended unexpectedly; it begins again");
        tokio::select! {
            () = stop.asked() => return,
            () = tokio::time::sleep(REST) => {}
        }
    }
}

impl Keeper {
    /// Does the duty if it is due and free; says when to look again.
    async fn look(&self, duty: &dyn Duty, metrics: &DutyMetrics) -> StoreResult<Timestamp> {
        let (name, now) = (duty.name(), self.clock.now());
        let beyond = now.plus(duty.every().max(LAST_RETRY).max(LEASE) * 2);
        match self.store.find_duty(name).await? {
            None => {
                let due_at = now.plus(duty.every());
                self.store.insert_duty(name, due_at).await?;
                return Ok(due_at.min(now.plus(LOOKS_AGAIN)));
            }
            Some(found) => {
                let free_at = free_at(&found, beyond);
                if free_at > now {
                    return Ok(free_at.min(now.plus(LOOKS_AGAIN)));
                }
            }
        }
        let taking = Taking { name, holder: self.instance, now, lease_until: now.plus(LEASE), beyond };
        if let Some((hold, failures)) = self.store.take_duty(taking).await? {
            let (store, clock) = (self.store.clone(), self.clock.clone());
            let (every, finished) = (duty.every(), AtomicBool::new(false));
            let turn = Turn { store, clock, hold, began: now, failures, every, finished };
            take_turn(duty, &turn, metrics).await?;
        }
        // Whoever has it, or had it: the row says what comes next.
        Ok(now)
    }
}

/// When a duty is due and nobody has it. What lies beyond every moment that a right clock could have written is no reason
/// to wait.
fn free_at(found: &DutyRecord, beyond: Timestamp) -> Timestamp {
    let known = |micros: i64| Timestamp::from_micros(if micros > beyond.as_micros() { 0 } else { micros });
    known(found.due_at).max(known(found.lease_until.unwrap_or(0)))
}

async fn take_turn(duty: &dyn Duty, turn: &Turn, metrics: &DutyMetrics) -> StoreResult<()> {
    let began = Instant::now();
    let outcome = tokio::select! {
        outcome = do_it(duty, turn) => outcome,
        () = keep(turn) => Err(DutyError::Lost),
    };
    let took = began.elapsed();
    match outcome {
        Ok(()) => {
            metrics.succeeded(turn.now(), took);
            tracing::debug!(duty = duty.name(), ?took, "background work is done");
            Ok(())
        }
        Err(DutyError::Lost) => {
            tracing::warn!(duty = duty.name(), "background work was taken over by another instance");
            Ok(())
        }
        Err(error) => {
            metrics.failed(took);
            fail(duty, turn, &error).await
        }
    }
}

async fn do_it(duty: &dyn Duty, turn: &Turn) -> Result<(), DutyError> {
    AssertUnwindSafe(duty.run(turn)).catch_unwind().await.unwrap_or(Err(DutyError::Panicked))?;
    if turn.is_finished() { Ok(()) } else { turn.finish(|_| Box::pin(async { Ok(()) })).await }
}

/// Renews the lease; returns when it is lost.
async fn keep(turn: &Turn) {
    let mut ends_at = turn.now().plus(LEASE);
    loop {
        turn.clock.reached(ends_at.minus(LEASE / 3 * 2)).await;
        let (hold, lease_until) = (turn.hold, turn.now().plus(LEASE));
        let renewed = turn.store.write(move |tx| Box::pin(async move { tx.hold_duty(hold, lease_until).await })).await;
        match renewed {
            Ok(true) => ends_at = lease_until,
            // A turn that has just been finished is held no more; who finished it is about to say so.
            Ok(false) if turn.is_finished() => std::future::pending().await,
            Ok(false) => return,
            Err(_) if turn.now() >= ends_at => return,
            Err(_) => turn.clock.reached(turn.now().plus(REST)).await,
        }
    }
}

async fn fail(duty: &dyn Duty, turn: &Turn, error: &DutyError) -> StoreResult<()> {
    let wait = backoff(turn.failures, &turn.hold);
    tracing::warn!(
        duty = duty.name(),
        failures = turn.failures + 1,
        error = error as &dyn StdError,
        "background work failed; it is tried again"
    );
    let (hold, due_at, text) = (turn.hold, turn.now().plus(wait), error.to_string());
    turn.store.write(move |tx| Box::pin(async move { tx.fail_duty(hold, due_at, &text).await })).await
}

/// How long to wait after so many failures before this one: doubled each time, a fifth more or less by chance.
fn backoff(failures: i64, chance: &impl std::fmt::Debug) -> Duration {
    let doublings = u32::try_from(failures).unwrap_or(0).min(10);
    let wait = (FIRST_RETRY * 2_u32.pow(doublings)).min(LAST_RETRY);
    let permille = u32::try_from(RandomState::new().hash_one(format!("{chance:?}")) % 400).unwrap_or(0);
    wait * (800 + permille) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_wait_up_to_a_quarter_of_an_hour() {
        for (failures, least, most) in [(0, 8, 12), (1, 16, 24), (3, 64, 96), (9, 720, 1080), (1_000_000, 720, 1080)] {
            let wait = backoff(failures, &failures).as_secs();
            assert!((least..=most).contains(&wait), "{failures}: {wait}");
        }
    }
}
