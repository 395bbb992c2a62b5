use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use super::*;
use crate::clock::Timestamp;
use crate::store::duties::{DutyRecord, Hold, Taking};
use crate::store::testing::{TestStore, test_stores};

const NAME: &str = "count_sheep";
const EVERY: Duration = Duration::from_mins(10);
const BEGIN: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

type Play = Box<dyn Fn() -> BoxFuture<'static, Result<(), DutyError>> + Send + Sync>;

/// Tells who had a turn, and then plays its part.
struct Sheep {
    who: &'static str,
    told: mpsc::UnboundedSender<&'static str>,
    play: Play,
}

#[async_trait]
impl Duty for Sheep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn every(&self) -> Duration {
        EVERY
    }

    async fn run(&self, _: &Turn) -> Result<(), DutyError> {
        self.told.send(self.who).unwrap();
        (self.play)().await
    }
}

/// A database in which the duty is due, a clock, and what instances tell.
struct Meadow {
    test: TestStore,
    clock: Clock,
    sender: mpsc::UnboundedSender<&'static str>,
    told: mpsc::UnboundedReceiver<&'static str>,
}

impl Meadow {
    async fn all() -> Vec<Self> {
        let mut meadows = Vec::new();
        for test in test_stores().await {
            test.store.insert_duty(NAME, BEGIN).await.unwrap();
            let (sender, told) = mpsc::unbounded_channel();
            meadows.push(Self { test, clock: Clock::fixed(BEGIN), sender, told });
        }
        meadows
    }

    fn instance(&self, who: &'static str, play: Play) -> Background {
        let duty = Sheep { who, told: self.sender.clone(), play };
        Background::start(&self.test.store, &self.clock, vec![Arc::new(duty)], Vec::new())
    }

    async fn row(&self) -> DutyRecord {
        self.test.store.find_duty(NAME).await.unwrap().unwrap()
    }

    /// Waits until the row is as it should be.
    async fn until(&self, is_so: impl Fn(&DutyRecord) -> bool) -> DutyRecord {
        loop {
            let row = self.row().await;
            if is_so(&row) {
                return row;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn settled(&self) -> DutyRecord {
        let now = self.clock.now().as_micros();
        self.until(|row| row.holder.is_none() && row.due_at > now).await
    }

    fn taking(&self) -> Taking {
        let now = self.clock.now();
        Taking { name: NAME, holder: Uuid::now_v7(), now, lease_until: now.plus(LEASE), beyond: now.plus(EVERY * 4) }
    }

    fn turn(&self, hold: Hold) -> Turn {
        Turn {
            store: self.test.store.clone(),
            clock: self.clock.clone(),
            hold,
            began: self.clock.now(),
            failures: 0,
            every: EVERY,
            finished: AtomicBool::new(false),
        }
    }
}

fn well() -> Play {
    Box::new(|| Box::pin(async { Ok(()) }))
}

fn forever() -> Play {
    Box::new(|| Box::pin(std::future::pending()))
}

/// What a duty does to the database in these tests: another duty's row.
fn effect() -> impl for<'t> FnOnce(&'t mut crate::store::Tx<'_>) -> BoxFuture<'t, crate::store::StoreResult<()>> {
    |tx| Box::pin(async move { tx.fail_duty(Hold { name: "x", holder: Uuid::nil(), run: 0 }, BEGIN, "seen").await })
}

#[tokio::test]
async fn of_two_instances_one_does_what_is_due_and_each_time_once() {
    for mut meadow in Meadow::all().await {
        let (one, two) = (meadow.instance("one", well()), meadow.instance("two", well()));

        for round in 1..=5 {
            meadow.told.recv().await.unwrap();
            let row = meadow.settled().await;
            assert_eq!(row.runs, round, "{}", meadow.test.name);
            assert_eq!(row.due_at, meadow.clock.now().plus(EVERY).as_micros());
            meadow.clock.advance(EVERY);
        }

        meadow.told.recv().await.unwrap();
        meadow.settled().await;
        one.stop().await;
        two.stop().await;
        assert!(meadow.told.is_empty());
        assert_eq!(meadow.row().await.runs, 6);
    }
}

#[tokio::test]
async fn what_becomes_due_while_it_works_is_done_right_after() {
    for mut meadow in Meadow::all().await {
        let clock = meadow.clock.clone();
        let is_first = AtomicBool::new(true);
        let one = meadow.instance(
            "one",
            Box::new(move || {
                if is_first.swap(false, Ordering::Relaxed) {
                    clock.advance(EVERY * 2);
                }
                Box::pin(async { Ok(()) })
            }),
        );

        meadow.told.recv().await.unwrap();
        meadow.told.recv().await.unwrap();
        assert_eq!(meadow.settled().await.runs, 2, "{}", meadow.test.name);

        one.stop().await;
        assert!(meadow.told.is_empty());
    }
}

#[tokio::test]
async fn time_that_passed_while_nobody_was_there_brings_one_run_not_many() {
    for mut meadow in Meadow::all().await {
        meadow.clock.advance(EVERY * 1000);

        let one = meadow.instance("one", well());
        meadow.told.recv().await.unwrap();
        let row = meadow.settled().await;

        one.stop().await;
        assert_eq!((row.runs, row.due_at), (1, meadow.clock.now().plus(EVERY).as_micros()));
        assert!(meadow.told.is_empty());
    }
}

#[tokio::test]
async fn another_takes_over_from_one_that_died_when_its_lease_ends() {
    for mut meadow in Meadow::all().await {
        let one = meadow.instance("one", forever());
        assert_eq!(meadow.told.recv().await, Some("one"));
        drop(one);
        let two = meadow.instance("two", well());

        meadow.clock.advance(LEASE.saturating_sub(Duration::from_secs(1)));
        let held = meadow.row().await;
        assert!(held.holder.is_some() && meadow.told.is_empty(), "{}", meadow.test.name);
        meadow.clock.advance(Duration::from_secs(1));

        assert_eq!(meadow.told.recv().await, Some("two"));
        assert_eq!(meadow.settled().await.runs, 2);
        two.stop().await;
    }
}

#[tokio::test]
async fn one_that_works_for_long_keeps_its_lease() {
    for mut meadow in Meadow::all().await {
        let one = meadow.instance("one", forever());
        assert_eq!(meadow.told.recv().await, Some("one"));
        let two = meadow.instance("two", well());

        for _ in 0..9 {
            let before = meadow.row().await.lease_until;
            meadow.clock.advance(LEASE / 3);
            meadow.until(|row| row.lease_until > before).await;
        }

        assert!(meadow.told.is_empty(), "{}", meadow.test.name);
        assert_eq!(meadow.row().await.runs, 1);
        drop((one, two));
    }
}

#[tokio::test]
async fn one_that_stops_leaves_its_work_to_others_at_once() {
    for mut meadow in Meadow::all().await {
        let one = meadow.instance("one", forever());
        meadow.told.recv().await.unwrap();

        one.stop().await;

        let row = meadow.row().await;
        assert_eq!((row.holder, row.lease_until, row.due_at), (None, None, BEGIN.as_micros()));
        let two = meadow.instance("two", well());
        assert_eq!(meadow.told.recv().await, Some("two"), "{}", meadow.test.name);
        two.stop().await;
    }
}

#[tokio::test]
async fn one_whose_lease_was_lost_changes_nothing_more() {
    for meadow in Meadow::all().await {
        let store = &meadow.test.store;
        let (first, _) = store.take_duty(meadow.taking()).await.unwrap().unwrap();
        assert!(store.take_duty(meadow.taking()).await.unwrap().is_none(), "{}", meadow.test.name);
        meadow.clock.advance(LEASE);
        let (second, _) = store.take_duty(meadow.taking()).await.unwrap().unwrap();
        let (first, second) = (meadow.turn(first), meadow.turn(second));

        store.insert_duty("x", BEGIN).await.unwrap();
        assert!(matches!(first.write(effect()).await, Err(DutyError::Lost)));
        assert!(matches!(first.finish(effect()).await, Err(DutyError::Lost)));
        second.write(effect()).await.unwrap();
        second.finish(effect()).await.unwrap();

        assert!(matches!(second.write(effect()).await, Err(DutyError::Lost)), "it is done");
    }
}

#[tokio::test]
async fn what_a_duty_does_and_the_mark_that_it_did_come_together() {
    for meadow in Meadow::all().await {
        let store = &meadow.test.store;
        let (hold, _) = store.take_duty(meadow.taking()).await.unwrap().unwrap();
        let turn = meadow.turn(hold);

        let failed = turn.finish(|_| Box::pin(async { Err(StoreError::Dropped) })).await;

        let row = meadow.row().await;
        assert!(failed.is_err() && !turn.is_finished());
        assert_eq!((row.holder, row.due_at), (Some(hold.holder), BEGIN.as_micros()), "{}", meadow.test.name);
    }
}

#[tokio::test]
async fn what_fails_is_tried_again_later_and_later_and_is_seen() {
    for mut meadow in Meadow::all().await {
        let works = Arc::new(AtomicBool::new(false));
        let plays = Mutex::new(0);
        let seen = Arc::clone(&works);
        let play: Play = Box::new(move || {
            *plays.lock().unwrap() += 1;
            let (works, panics) = (seen.load(Ordering::SeqCst), *plays.lock().unwrap() == 2);
            Box::pin(async move {
                assert!(!panics, "a fault of the program");
                if works { Ok(()) } else { Err(DutyError::Failed("no sheep", "none".into())) }
            })
        });
        let one = meadow.instance("one", play);
        let mut waits = Vec::new();

        for failures in 1..=4 {
            meadow.told.recv().await.unwrap();
            let row = meadow.settled().await;
            assert_eq!(row.failures, failures);
            let expected = if failures == 2 { "the work ended unexpectedly" } else { "no sheep" };
            assert_eq!(row.last_error.as_deref(), Some(expected), "{}", meadow.test.name);
            waits.push(row.due_at - meadow.clock.now().as_micros());
            meadow.clock.set(Timestamp::from_micros(row.due_at));
        }
        meadow.told.recv().await.unwrap();
        meadow.settled().await;
        let standing = standing(&meadow.test.store, meadow.clock.now()).await.unwrap();
        assert_eq!((standing[0].duty.as_str(), standing[0].failures), (NAME, 5));
        works.store(true, Ordering::SeqCst);
        meadow.clock.advance(EVERY);

        meadow.told.recv().await.unwrap();
        let row = meadow.settled().await;
        assert_eq!((row.failures, row.last_error), (0, None));
        assert!(waits.is_sorted(), "{waits:?}");
        one.stop().await;
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_keeps_nobody_waiting() {
    for mut meadow in Meadow::all().await {
        let early = meadow.instance("one", well());
        meadow.told.recv().await.unwrap();
        meadow.settled().await;
        early.stop().await;
        meadow.clock.set(BEGIN.minus(Duration::from_hours(48)));

        let later = meadow.instance("two", well());

        assert_eq!(meadow.told.recv().await, Some("two"), "{}", meadow.test.name);
        later.stop().await;
    }
}

#[tokio::test]
async fn what_nobody_does_is_late() {
    for meadow in Meadow::all().await {
        let store = &meadow.test.store;
        assert_eq!(standing(store, BEGIN).await.unwrap(), []);

        let later = BEGIN.plus(Duration::from_mins(6));
        let late = standing(store, later).await.unwrap();

        assert_eq!(late.len(), 1, "{}", meadow.test.name);
        assert_eq!((late[0].late_since, late[0].last_success_at), (Some(BEGIN), None));
        meadow.clock.set(later);
        store.take_duty(meadow.taking()).await.unwrap().unwrap();
        assert_eq!(standing(store, later).await.unwrap(), [], "somebody does it now");
    }
}
