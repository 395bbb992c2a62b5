//! The policies of the benchmark, written in Rust by hand.

use mindflow::calendar::TimeOfDay;
use mindflow::scoring::{Context, FactTable, Facts};

/// Rows that are computed together, as the compiled form does.
const CHUNK: usize = 512;

/// Which policy.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hand {
    Default,
    NonSeparable,
    Continuous,
}

impl Hand {
    /// One task after the other.
    pub(crate) fn scalar(self, facts: &FactTable, ctx: &Context) -> Vec<f64> {
        let score = match self {
            Self::Default => default,
            Self::NonSeparable => non_separable,
            Self::Continuous => continuous,
        };
        (0..facts.len()).filter_map(|row| facts.row(row)).map(|facts| score(&facts, ctx)).collect()
    }

    /// Column by column, in chunks that stay in the caches.
    pub(crate) fn columnar(self, facts: &FactTable, ctx: &Context) -> Vec<f64> {
        let mut scores = vec![0.0; facts.len()];
        for (index, out) in scores.chunks_mut(CHUNK).enumerate() {
            let start = index * CHUNK;
            match self {
                Self::Default => default_columns(facts, ctx, start, out),
                Self::NonSeparable => non_separable_columns(facts, ctx, start, out),
                Self::Continuous => continuous_columns(facts, start, out),
            }
        }
        scores
    }
}

fn default(facts: &Facts<'_>, ctx: &Context) -> f64 {
    let urgency = match facts.days_until_due {
        None => 0.0,
        Some(_) if facts.is_overdue => 1.25,
        Some(days) if days <= 0 => 1.0,
        Some(1) => 0.75,
        Some(days) if days <= 7 => 0.5,
        Some(_) => 0.25,
    };
    let effort = match facts.effort_minutes {
        None => 0.0,
        Some(minutes) if minutes <= 15 => 1.0,
        Some(minutes) if minutes <= 30 => 0.75,
        Some(minutes) if minutes <= 60 => 0.5,
        Some(_) => 0.25,
    };
    let time = match facts.preferred_time {
        None => 1.0,
        Some(time) if ctx.is_now(time) => 1.1,
        Some(_) => 0.9,
    };
    (urgency * 40.0 + f64::from(facts.priority) * 10.0 + effort * 10.0) * time
}

fn default_columns(facts: &FactTable, ctx: &Context, start: usize, out: &mut [f64]) {
    let active = TimeOfDay::ALL.map(|time| if ctx.is_now(time) { 1.1 } else { 0.9 });
    for (out, (days, overdue)) in
        out.iter_mut().zip(facts.days_until_due[start..].iter().zip(&facts.is_overdue[start..]))
    {
        let ahead = days.unwrap_or(0);
        let urgency = if ahead <= 0 { 1.0 } else { 0.25 };
        let urgency = if ahead == 1 { 0.75 } else { urgency };
        let urgency = if (2..=7).contains(&ahead) { 0.5 } else { urgency };
        let urgency = if *overdue { 1.25 } else { urgency };
        *out = if days.is_some() { urgency * 40.0 } else { 0.0 };
    }
    for (out, priority) in out.iter_mut().zip(&facts.priority[start..]) {
        *out += f64::from(*priority) * 10.0;
    }
    for (out, effort) in out.iter_mut().zip(&facts.effort_minutes[start..]) {
        let minutes = effort.unwrap_or(0);
        let bonus = if minutes <= 15 { 1.0 } else { 0.25 };
        let bonus = if minutes > 15 && minutes <= 30 { 0.75 } else { bonus };
        let bonus = if minutes > 30 && minutes <= 60 { 0.5 } else { bonus };
        *out += if effort.is_some() { bonus * 10.0 } else { 0.0 };
    }
    for (out, time) in out.iter_mut().zip(&facts.preferred_time[start..]) {
        *out *= time.map_or(1.0, |time| active[time as usize]);
    }
}

fn non_separable(facts: &Facts<'_>, ctx: &Context) -> f64 {
    let (days, minutes) = (facts.days_until_due.unwrap_or(30), facts.effort_minutes.unwrap_or(45));
    let priority = f64::from(facts.priority);
    if days <= 1 && minutes <= 30 {
        return 100.0 + 5.0 * priority;
    }
    if facts.priority >= 4 && minutes > 120 {
        return if days <= 7 { 80.0 } else { 40.0 };
    }
    if facts.preferred_time == Some(TimeOfDay::Morning) && ctx.hour < 12 { 30.0 * priority } else { 12.5 * priority }
}

fn non_separable_columns(facts: &FactTable, ctx: &Context, start: usize, out: &mut [f64]) {
    let before_noon = ctx.hour < 12;
    let rows = facts.days_until_due[start..].iter().zip(&facts.effort_minutes[start..]);
    let rows = rows.zip(&facts.priority[start..]).zip(&facts.preferred_time[start..]);
    for (out, (((days, minutes), priority), time)) in out.iter_mut().zip(rows) {
        let (days, minutes, points) = (days.unwrap_or(30), minutes.unwrap_or(45), f64::from(*priority));
        let morning = (*time == Some(TimeOfDay::Morning)) & before_noon;
        let score = if morning { 30.0 * points } else { 12.5 * points };
        let large = if days <= 7 { 80.0 } else { 40.0 };
        let score = if *priority >= 4 && minutes > 120 { large } else { score };
        *out = if days <= 1 && minutes <= 30 { 100.0 + 5.0 * points } else { score };
    }
}

#[expect(clippy::cast_precision_loss, reason = "minutes and days are far from 2^53")]
fn continuous(facts: &Facts<'_>, _: &Context) -> f64 {
    let days = facts.minutes_until_due.unwrap_or(43_200) as f64 / 1440.0;
    let urgency = 40.0 / (1.0 + if days >= 0.0 { days } else { 0.0 });
    let size = f64::from(facts.effort_minutes.unwrap_or(60)) / 60.0;
    let size = if size <= 8.0 { size } else { 8.0 };
    f64::from(facts.priority) * 10.0 + urgency - 2.0 * size + (facts.age_days as f64).sqrt()
}

#[expect(clippy::cast_precision_loss, reason = "minutes and days are far from 2^53")]
fn continuous_columns(facts: &FactTable, start: usize, out: &mut [f64]) {
    for (out, (minutes, priority)) in
        out.iter_mut().zip(facts.minutes_until_due[start..].iter().zip(&facts.priority[start..]))
    {
        let days = minutes.unwrap_or(43_200) as f64 / 1440.0;
        *out = f64::from(*priority) * 10.0 + 40.0 / (1.0 + if days >= 0.0 { days } else { 0.0 });
    }
    for (out, (minutes, age)) in out.iter_mut().zip(facts.effort_minutes[start..].iter().zip(&facts.age_days[start..]))
    {
        let size = f64::from(minutes.unwrap_or(60)) / 60.0;
        let size = if size <= 8.0 { size } else { 8.0 };
        *out = *out - 2.0 * size + (*age as f64).sqrt();
    }
}
