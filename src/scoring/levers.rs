//! What would move a score: the same task with one fact changed, scored by the same policy.

use chrono::{NaiveDate, TimeDelta};
use serde::Serialize;

use crate::calendar::{Due, TimeOfDay, local_date, resolve_local};

use super::facts::{Candidate, FactTable};
use super::moment::Moment;
use super::policy::{Policy, Verdict, round_score};

/// One fact changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeverChange {
    /// The priority, 1 to 5.
    Priority(u8),
    /// The estimate in minutes, or none.
    #[serde(rename = "effort_estimate_minutes")]
    EffortMinutes(Option<u32>),
    /// The due day, or none.
    DueDate(#[serde(serialize_with = "date_or_null")] Option<NaiveDate>),
    /// The preferred part of the day, or none.
    PreferredTime(Option<TimeOfDay>),
    /// Not the task, but the time: the start of this window today.
    TimeOfDay(TimeOfDay),
}

impl LeverChange {
    /// The field that is changed, and its new value, as clients read them.
    pub fn named(self) -> (String, serde_json::Value) {
        // It is written as `{"priority": 5}`: one name, one value.
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(fields)) => fields.into_iter().next().unwrap_or_default(),
            _ => Default::default(),
        }
    }
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn date_or_null<S: serde::Serializer>(date: &Option<NaiveDate>, serializer: S) -> Result<S::Ok, S::Error> {
    date.map(|date| date.format("%Y-%m-%d").to_string()).serialize(serializer)
}

/// A change and its exact effect.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Lever {
    /// What is changed.
    pub change: LeverChange,
    /// The score afterwards.
    pub score: f64,
    /// The score afterwards less the score now.
    pub difference: f64,
}

/// Estimates that are tried. They lie around no threshold: the policy alone says where those are.
const EFFORTS: [Option<u32>; 7] = [Some(5), Some(15), Some(30), Some(60), Some(120), Some(480), None];
/// Due days that are tried, from today; none is tried as well.
const DUE_IN_DAYS: [i64; 5] = [-1, 0, 1, 3, 30];

/// Changes one fact at a time and reports those that move the score.
///
/// Empty when the task has no score now.
pub fn levers(policy: &dyn Policy, candidate: &Candidate, moment: &Moment) -> Vec<Lever> {
    let Some(present) = score(policy, std::slice::from_ref(candidate), moment).first().and_then(Verdict::score) else {
        return Vec::new();
    };
    let (changes, variants): (Vec<_>, Vec<_>) =
        task_changes(moment).map(|change| (change, with(candidate, change))).unzip();
    let of_task = changes.into_iter().zip(score(policy, &variants, moment));
    // Another hour, but the same facts: becoming overdue until then is not the hour's doing.
    let facts = FactTable::new(std::slice::from_ref(candidate), moment);
    let of_time = TimeOfDay::ALL.into_iter().filter_map(|time| {
        let verdict = policy.score(&facts, &policy.context(&at_start_of(policy, moment, time))).pop()?;
        Some((LeverChange::TimeOfDay(time), verdict))
    });
    of_task
        .chain(of_time)
        .filter_map(|(change, verdict)| {
            let score = verdict.score()?;
            let difference = round_score(score - present);
            (difference != 0.0).then_some(Lever { change, score, difference })
        })
        .collect()
}

fn score(policy: &dyn Policy, candidates: &[Candidate], moment: &Moment) -> Vec<Verdict> {
    policy.score(&FactTable::new(candidates, moment), &policy.context(moment))
}

fn task_changes(moment: &Moment) -> impl Iterator<Item = LeverChange> {
    let today = local_date(moment.now, moment.zone);
    let due = DUE_IN_DAYS.into_iter().map(move |days| today.checked_add_signed(TimeDelta::days(days)));
    let preferred = TimeOfDay::ALL.into_iter().map(Some).chain([None]);
    (1..=5)
        .map(LeverChange::Priority)
        .chain(EFFORTS.into_iter().map(LeverChange::EffortMinutes))
        .chain(due.chain([None]).map(LeverChange::DueDate))
        .chain(preferred.map(LeverChange::PreferredTime))
}

fn with(candidate: &Candidate, change: LeverChange) -> Candidate {
    let mut variant = candidate.clone();
    match change {
        LeverChange::Priority(priority) => variant.priority = priority,
        LeverChange::EffortMinutes(minutes) => variant.effort_minutes = minutes,
        LeverChange::DueDate(date) => variant.due = date.map(Due::On),
        LeverChange::PreferredTime(time) => variant.preferred_time = time,
        LeverChange::TimeOfDay(_) => {}
    }
    variant
}

fn at_start_of(policy: &dyn Policy, moment: &Moment, time: TimeOfDay) -> Moment {
    let start = policy.context(moment).windows.of(time).start_time();
    moment.at(resolve_local(local_date(moment.now, moment.zone).and_time(start), moment.zone))
}
