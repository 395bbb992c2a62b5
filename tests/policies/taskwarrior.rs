//! The policy `taskwarrior` orders as Taskwarrior does.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use chrono::{Days, NaiveDateTime, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use mindflow::calendar::Due;
use mindflow::clock::Timestamp;
use mindflow::ids::TaskId;
use mindflow::policies::shipped::Shelved;
use mindflow::scoring::{Candidate, Moment, Status, rank};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

const SETS: usize = 60;
/// Taskwarrior adds in binary32 and shows six digits.
const PRECISION: f64 = 1e-4;

/// What is the same for all tasks of a set.
struct World {
    state: u64,
    now: NaiveDateTime,
    /// Both count days alike for what was made at midnight, and in the last second of a day for everything.
    made_at_midnight: bool,
}

impl World {
    fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn seconds(&mut self, days: u64) -> TimeDelta {
        TimeDelta::seconds(i64::try_from(self.below(days * 86_400)).unwrap())
    }

    fn minutes(&mut self, days: u64) -> TimeDelta {
        TimeDelta::minutes(i64::try_from(self.below(days * 1_440)).unwrap())
    }
}

/// The same task here and there.
struct Twin {
    here: Candidate,
    there: Value,
    /// Whether it is one of those that are ranked.
    ranked: bool,
}

fn stamp(moment: NaiveDateTime) -> String {
    moment.format("%Y%m%dT%H%M%SZ").to_string()
}

fn timestamp(moment: NaiveDateTime) -> Timestamp {
    Timestamp::from_micros(moment.and_utc().timestamp_micros())
}

fn twin(world: &mut World, number: usize) -> Twin {
    let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number as u128);
    let priority = u8::try_from(1 + world.below(5)).unwrap();
    let age = world.seconds(500);
    let made = world.now - age;
    let made = if world.made_at_midnight { made.date().and_time(NaiveTime::MIN) } else { made };
    let mut here = Candidate::new(TaskId(id), priority, timestamp(made));
    let letter = ["L", "ML", "M", "HM", "H"][usize::from(priority) - 1];
    let mut there = json!({
        "uuid": id, "description": format!("task {number}"), "entry": stamp(made), "priority": letter, "status": "pending",
    });
    due(world, &mut here, &mut there);
    let tags = world.below(5);
    let mut tags: Vec<String> = (0..tags.saturating_sub(1)).map(|tag| format!("tag{tag}")).collect();
    if world.one_in(9) {
        tags.push("next".to_owned());
    }
    if world.one_in(3) {
        here.project = Some(Arc::from("Garden"));
        there["project"] = json!("Garden");
    }
    here.labels = tags.iter().map(|tag| Arc::from(tag.as_str())).collect();
    there["tags"] = json!(tags);
    let ranked = status(world, made, &mut here, &mut there);
    Twin { here, there, ranked }
}

fn due(world: &mut World, here: &mut Candidate, there: &mut Value) {
    let (kind, near, far) = (world.below(6), world.minutes(30), world.minutes(700));
    let due = match kind {
        0 | 1 => return,
        2 => world.now + near,
        3 => world.now - near,
        4 => world.now + far,
        _ => {
            // A day without a time ends with the day.
            let day = (world.now + near - TimeDelta::days(15)).date();
            here.due = Some(Due::On(day));
            there["due"] = json!(stamp(day.checked_add_days(Days::new(1)).unwrap().and_time(NaiveTime::MIN)));
            return;
        }
    };
    here.due = Some(Due::At(timestamp(due)));
    there["due"] = json!(stamp(due));
}

/// Whether it is to be ranked.
fn status(world: &mut World, made: NaiveDateTime, here: &mut Candidate, there: &mut Value) -> bool {
    match world.below(10) {
        0 | 1 => {
            here.status = Status::InProgress;
            there["start"] = json!(stamp(made));
        }
        2 => {
            here.status = Status::Completed;
            (there["status"], there["end"]) = (json!("completed"), json!(stamp(world.now)));
            return false;
        }
        3 => {
            here.status = Status::Snoozed;
            (there["status"], there["wait"]) = (json!("waiting"), json!(stamp(world.now + TimeDelta::days(3))));
            return false;
        }
        4 => {
            // Its time has come.
            here.status = Status::Snoozed;
            there["wait"] = json!(stamp(world.now - TimeDelta::hours(1)));
        }
        _ => {}
    }
    true
}

/// Some tasks wait for some of those before them; only open ones count.
fn depend(world: &mut World, twins: &mut [Twin]) {
    for later in 1..twins.len() {
        if !world.one_in(3) {
            continue;
        }
        let earlier = usize::try_from(world.below(later as u64)).unwrap();
        twins[later].there["depends"] = twins[earlier].there["uuid"].clone();
        if twins[earlier].here.status != Status::Completed {
            twins[later].here.blocked_by += 1;
        }
        if twins[later].here.status != Status::Completed {
            twins[earlier].here.blocks += 1;
        }
    }
}

fn world(number: usize) -> World {
    let day = chrono::NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
    let (state, now) = (number as u64, day.and_hms_opt(23, 59, 59).unwrap());
    let mut world = World { state, now, made_at_midnight: number.is_multiple_of(2) };
    if world.made_at_midnight {
        world.now = day.and_time(NaiveTime::MIN) + world.minutes(1);
    }
    world
}

fn ask_taskwarrior(folder: &Path) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(repository.join("tests/services/with"));
    command.args(["taskwarrior", "--"]).arg(repository.join("tests/policies/next.sh")).arg(folder);
    let output = command.stdin(Stdio::null()).output().expect("a shell can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn it_orders_random_sets_of_tasks_as_the_report_next_does() {
    let folder = TempDir::new().unwrap();
    let mut sets = Vec::new();
    for number in 0..SETS {
        let mut world = world(number);
        let mut twins: Vec<Twin> = (0..30).map(|number| twin(&mut world, number)).collect();
        depend(&mut world, &mut twins);
        let write = |kind: &str, text: String| fs::write(folder.path().join(format!("{number}.{kind}")), text).unwrap();
        write("json", serde_json::to_string(&twins.iter().map(|twin| &twin.there).collect::<Vec<_>>()).unwrap());
        write("now", world.now.format("%Y-%m-%d %H:%M:%S").to_string());
        sets.push((world.now, twins));
    }

    ask_taskwarrior(folder.path());

    let told = |number: usize, kind: &str| fs::read_to_string(folder.path().join(format!("{number}.{kind}"))).unwrap();
    for (number, (now, twins)) in sets.into_iter().enumerate() {
        compare(&told(number, "next"), &told(number, "export"), now, twins);
    }
}

fn compare(next: &str, export: &str, now: NaiveDateTime, twins: Vec<Twin>) {
    let policy = Shelved::find("taskwarrior").unwrap().policy().unwrap();
    let candidates: Vec<Candidate> = twins.into_iter().filter(|twin| twin.ranked).map(|twin| twin.here).collect();
    let ranking = rank(&policy, &candidates, &Moment::new(timestamp(now), Tz::UTC));
    let order: Vec<Uuid> = ranking.entries.iter().map(|entry| candidates[entry.row].id.0).collect();
    let scores: HashMap<Uuid, f64> =
        ranking.entries.iter().map(|entry| (candidates[entry.row].id.0, entry.score.unwrap())).collect();
    let exported: Vec<Value> = serde_json::from_str(export).unwrap();
    let id = |task: &Value| task["uuid"].as_str().unwrap().parse::<Uuid>().unwrap();
    let urgencies: HashMap<Uuid, f64> =
        exported.iter().map(|task| (id(task), task["urgency"].as_f64().unwrap())).collect();

    let theirs: Vec<Uuid> = next.split_whitespace().map(|id| id.parse().unwrap()).collect();

    assert_eq!(theirs.len(), order.len(), "{next}");
    for id in &theirs {
        assert!((scores[id] - urgencies[id]).abs() < PRECISION, "{id}: {} and {}", scores[id], urgencies[id]);
    }
    // Of equal urgencies either may come first.
    for (ours, theirs) in order.iter().zip(&theirs) {
        assert!((scores[ours] - scores[theirs]).abs() < PRECISION, "at {now}: {order:#?} and {theirs:#?}");
    }
}
