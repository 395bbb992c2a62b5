//! Plans for a day, over the ranking of the caller's policy.

use chrono::NaiveDate;
use chrono_tz::Tz;
use mindflow::accounts::Caller;
use mindflow::calendar::{Due, TimeOfDay, parse_moment};
use mindflow::clock::Timestamp;
use mindflow::tasks::TaskError;
use mindflow::tasks::edit::{Patch, TaskPatch};
use mindflow::tasks::plan::{DayPlan, PlanQuestion, Reason};
use mindflow::tasks::wording::say_clock;

use crate::support::databases::{Db, TestDatabase};
use crate::world::{World, a_task};

const VIENNA: Tz = chrono_tz::Europe::Vienna;

fn moment(text: &str) -> Timestamp {
    parse_moment(text, VIENNA).unwrap()
}

fn takes(minutes: u32, title: &str) -> TaskPatch {
    TaskPatch { effort_minutes: Patch::Set(minutes), ..a_task(title) }
}

fn shown(plan: &DayPlan) -> Vec<String> {
    let clock = |moment| say_clock(moment, VIENNA);
    plan.slots.iter().map(|slot| format!("{}-{} {}", clock(slot.start), clock(slot.end), slot.task.title)).collect()
}

impl World {
    async fn planned(&self, who: &Caller, question: PlanQuestion) -> DayPlan {
        let who = self.again(who).await;
        self.tasks.plan_day(&who, question).await.unwrap()
    }
}

async fn a_world(now: &str) -> (World, Caller) {
    let world = World::on(TestDatabase::new(Db::Sqlite).await).await;
    world.clock.set(moment(now));
    let ada = world.person_in("ada", VIENNA).await;
    (world, ada)
}

#[tokio::test]
async fn the_rest_of_today_is_filled_by_rank_preference_and_due_time() {
    let (world, ada) = a_world("2026-11-02T09:02:00").await;
    let due =
        TaskPatch { due: Patch::Set(Due::At(moment("2026-11-02T10:30:00"))), ..takes(30, "due at half past ten") };
    let evening = TaskPatch { preferred_time: Patch::Set(TimeOfDay::Evening), priority: Some(5), ..takes(60, "read") };
    for patch in [takes(90, "long"), a_task("unknown"), evening, takes(900, "too long"), due] {
        world.has(&ada, patch).await;
    }

    let plan = world.planned(&ada, PlanQuestion::default()).await;
    let again = world.planned(&ada, PlanQuestion::default()).await;

    let due = "09:05-09:35 due at half past ten";
    assert_eq!(shown(&plan), [due, "09:35-11:05 long", "11:10-11:40 unknown", "18:00-19:00 read"]);
    assert_eq!(plan.planned_minutes, 210);
    assert_eq!((plan.from, plan.until), (moment("2026-11-02T09:05:00"), moment("2026-11-02T22:00:00")));
    assert_eq!(
        plan.left_out.iter().map(|out| (&*out.task.title, out.reason)).collect::<Vec<_>>(),
        [("too long", Reason::TooLong)]
    );
    assert!(plan.slots.iter().all(|slot| slot.score.is_some()));
    assert_eq!(plan, again);
}

#[tokio::test]
async fn another_day_begins_with_its_morning_and_a_short_time_ends_early() {
    let (world, ada) = a_world("2026-11-02T21:00:00").await;
    world.has(&ada, takes(60, "hour")).await;
    let tomorrow = NaiveDate::from_ymd_opt(2026, 11, 3);

    let later = world.planned(&ada, PlanQuestion { date: tomorrow, ..PlanQuestion::default() }).await;
    let short = world.planned(&ada, PlanQuestion { available_minutes: Some(45), ..PlanQuestion::default() }).await;
    world.clock.set(moment("2026-11-02T23:00:00"));
    let night = world.planned(&ada, PlanQuestion::default()).await;
    let still = world.planned(&ada, PlanQuestion { available_minutes: Some(60), ..PlanQuestion::default() }).await;
    let past = PlanQuestion { date: NaiveDate::from_ymd_opt(2026, 11, 1), ..PlanQuestion::default() };
    let refused = world.tasks.plan_day(&ada, past).await;

    assert_eq!(shown(&later), ["06:00-07:00 hour"]);
    assert_eq!((shown(&short).len(), short.left_out[0].reason), (0, Reason::TooLong));
    assert_eq!((shown(&night).len(), night.left_out_total), (0, 1));
    assert_eq!(shown(&still), ["23:00-00:00 hour"]);
    assert!(matches!(refused, Err(TaskError::Invalid(faults)) if faults[0].field == "/date"));
}

#[tokio::test]
async fn a_day_of_23_hours_has_no_hour_that_the_clock_skips() {
    let (world, ada) = a_world("2026-03-29T00:00:00").await;
    for title in ["one", "two", "three"] {
        world.has(&ada, takes(60, title)).await;
    }
    let from = PlanQuestion { at: Some(moment("2026-03-29T00:50:00")), ..PlanQuestion::default() };

    let plan = world.planned(&ada, from).await;

    assert_eq!(shown(&plan), ["00:50-01:50 one", "01:55-03:55 two", "04:00-05:00 three"]);
    assert_eq!(plan.planned_minutes, 180);
}
