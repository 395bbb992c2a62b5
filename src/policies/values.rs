//! Facts as Rhai values, and Rhai values as answers.

use rhai::{Array, Dynamic, INT, Identifier, Map};

use crate::calendar::TimeOfDay;
use crate::scoring::params::{PARAMS_FIELD, ParamValues};
use crate::scoring::{Classic, Context, ContextField, Facts, Part, TaskField, Uses};

use super::params::params_value;

/// The `task` of a policy: the fields that it reads.
pub(super) fn task_value(facts: &Facts<'_>, uses: Uses) -> Dynamic {
    let fields = uses.task_fields().map(|field| (Identifier::from(field.as_str()), task_field(facts, field)));
    Dynamic::from_map(fields.collect())
}

fn task_field(facts: &Facts<'_>, field: TaskField) -> Dynamic {
    match field {
        TaskField::Priority => INT::from(facts.priority).into(),
        TaskField::Status => facts.status.as_str().into(),
        TaskField::HasDue => facts.days_until_due.is_some().into(),
        TaskField::IsOverdue => facts.is_overdue.into(),
        TaskField::DaysUntilDue => optional(facts.days_until_due),
        TaskField::MinutesUntilDue => optional(facts.minutes_until_due),
        TaskField::EffortMinutes => optional(facts.effort_minutes.map(INT::from)),
        TaskField::PreferredTime => optional(facts.preferred_time.map(TimeOfDay::as_str)),
        TaskField::AgeDays => facts.age_days.into(),
        TaskField::SnoozeCount => INT::from(facts.snooze_count).into(),
        TaskField::Labels => facts.labels.iter().map(|label| (&**label).into()).collect::<Array>().into(),
        TaskField::Project => optional(facts.project),
        TaskField::BlockedBy => INT::from(facts.blocked_by).into(),
        TaskField::Blocks => INT::from(facts.blocks).into(),
        TaskField::TimesSkipped => INT::from(facts.times_skipped).into(),
    }
}

/// The `ctx` of a policy: the fields that it reads, and the values of its parameters when it has any.
pub(super) fn context_value(ctx: &Context, uses: Uses, params: &ParamValues) -> Dynamic {
    let fields = uses.context_fields().map(|field| (Identifier::from(field.as_str()), context_field(ctx, field)));
    let params = (!params.is_empty()).then(|| (Identifier::from(PARAMS_FIELD), params_value(params)));
    Dynamic::from_map(fields.chain(params).collect())
}

fn context_field(ctx: &Context, field: ContextField) -> Dynamic {
    match field {
        ContextField::Hour => INT::from(ctx.hour).into(),
        ContextField::Minute => INT::from(ctx.minute).into(),
        ContextField::Weekday => INT::from(ctx.weekday).into(),
        ContextField::DayOfMonth => INT::from(ctx.day_of_month).into(),
        ContextField::IsWeekend => ctx.is_weekend.into(),
        ContextField::Windows => windows_value(ctx),
        ContextField::MinutesAvailable => optional(ctx.minutes_available.map(INT::from)),
        ContextField::Energy => optional(ctx.energy.map(crate::scoring::Energy::as_str)),
        ContextField::OpenTasks => INT::from(ctx.open_tasks).into(),
        ContextField::OverdueTasks => INT::from(ctx.overdue_tasks).into(),
    }
}

fn windows_value(ctx: &Context) -> Dynamic {
    let windows = TimeOfDay::ALL.map(|time| {
        let window = ctx.windows.of(time);
        let fields: Map = [
            ("start".into(), INT::from(window.start_minute()).into()),
            ("end".into(), INT::from(window.end_minute()).into()),
            ("active".into(), ctx.is_now(time).into()),
        ]
        .into();
        (Identifier::from(time.as_str()), Dynamic::from_map(fields))
    });
    Dynamic::from_map(windows.into())
}

fn optional<T: Into<Dynamic>>(value: Option<T>) -> Dynamic {
    value.map_or(Dynamic::UNIT, Into::into)
}

/// A number, whole or not.
pub(super) fn number(value: &Dynamic) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "whole scores past 2^53 are rounded, as Rhai itself would")]
    let whole = || value.as_int().ok().map(|whole| whole as f64);
    value.as_float().ok().or_else(whole)
}

/// What `explain` returned.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Explained {
    /// The total, as computed.
    pub(super) total: f64,
    /// The six classic fields, when all are there.
    pub(super) classic: Option<Classic>,
    /// The named parts.
    pub(super) parts: Vec<Part>,
    /// Whether the parts were listed as such, and must add up.
    pub(super) listed: bool,
    /// The sentence.
    pub(super) recommendation: String,
}

const CLASSIC: [&str; 6] = [
    "deadline_urgency",
    "deadline_urgency_score",
    "priority_score",
    "effort_bonus",
    "effort_bonus_score",
    "time_of_day_multiplier",
];

/// Reads the map that `explain` returned.
///
/// # Errors
///
/// What is missing or has another type, and what is expected instead.
pub(super) fn read_explained(value: &Dynamic) -> Result<Explained, String> {
    let Ok(map) = value.as_map_ref() else {
        return Err(format!("must return a map with `total`, `parts` and `recommendation`, not {}", kind(value)));
    };
    let total = map.get("total").or_else(|| map.get("total_score"));
    let total = total.and_then(number).ok_or("must return a number as `total`")?;
    let recommendation = map
        .get("recommendation")
        .and_then(|text| text.as_immutable_string_ref().ok().map(|text| text.to_string()))
        .ok_or("must return a text as `recommendation`")?;
    let listed = map.get("parts").map(read_parts).transpose()?;
    let classic = read_classic(&map);
    let is_listed = listed.as_ref().is_some_and(|parts| !parts.is_empty());
    let parts = listed.unwrap_or_else(|| loose_parts(&map));
    Ok(Explained { total, classic, parts, listed: is_listed, recommendation })
}

fn read_classic(map: &Map) -> Option<Classic> {
    let field = |name: &str| map.get(name).and_then(number);
    let [urgency, urgency_score, priority_score, effort, effort_score, multiplier] = CLASSIC.map(field);
    Some(Classic {
        deadline_urgency: urgency?,
        deadline_urgency_score: urgency_score?,
        priority_score: priority_score?,
        effort_bonus: effort?,
        effort_bonus_score: effort_score?,
        time_of_day_multiplier: multiplier?,
    })
}

/// Numbers beside the total that are no classic field.
fn loose_parts(map: &Map) -> Vec<Part> {
    let known = |name: &str| CLASSIC.contains(&name) || name == "total" || name == "total_score";
    let loose = map.iter().filter(|(name, _)| !known(name.as_str()));
    loose.filter_map(|(name, value)| Some(points_only(name.as_str(), number(value)?))).collect()
}

fn points_only(name: &str, points: f64) -> Part {
    Part { name: name.to_owned(), value: points, weight: 1.0, points }
}

/// An array of maps with `name`, or a map from names to maps or points.
fn read_parts(value: &Dynamic) -> Result<Vec<Part>, String> {
    if let Ok(array) = value.as_array_ref() {
        return array.iter().map(|part| read_part(None, part)).collect();
    }
    if let Ok(map) = value.as_map_ref() {
        return map.iter().map(|(name, part)| read_part(Some(name.as_str()), part)).collect();
    }
    Err(format!("must return an array of parts as `parts`, not {}", kind(value)))
}

fn read_part(key: Option<&str>, value: &Dynamic) -> Result<Part, String> {
    if let (Some(name), Some(points)) = (key, number(value)) {
        return Ok(points_only(name, points));
    }
    let Ok(map) = value.as_map_ref() else {
        return Err(format!("each of `parts` must be a map with `name` and `points`, not {}", kind(value)));
    };
    let name = map.get("name").and_then(|name| name.as_immutable_string_ref().ok().map(|name| name.to_string()));
    let name = name.or_else(|| key.map(ToOwned::to_owned)).ok_or("each of `parts` must have a text as `name`")?;
    let field = |field: &str| map.get(field).and_then(number);
    let points = field("points").ok_or_else(|| format!("the part `{name}` must have a number as `points`"))?;
    Ok(Part { value: field("value").unwrap_or(points), weight: field("weight").unwrap_or(1.0), points, name })
}

/// A value's type in words.
pub(super) fn kind(value: &Dynamic) -> &'static str {
    match value.type_name() {
        "()" => "nothing",
        "bool" => "a truth value",
        "i64" | "f64" => "a number",
        "string" => "a text",
        "char" => "a character",
        "array" => "an array",
        "map" => "a map",
        _ => "another value",
    }
}
