//! What a script says of a score: whether it comes to it, and how it is shown.

use crate::policies::values::Explained;
use crate::scoring::{Explanation, Part, round_score};

/// How far the sum of a total's parts may lie from it, relative to its size: each is rounded to 6 decimals.
const TOLERANCE: f64 = 1e-5;

/// Whether what `explain` says comes to the score.
///
/// # Errors
///
/// What does not add up.
pub(in crate::policies) fn adds_up(explained: &Explained, score: f64) -> Result<(), String> {
    let near = |sum: f64| (sum - score).abs() <= TOLERANCE * score.abs().max(1.0);
    if !near(explained.total) {
        return Err(format!("`explain` gives the total {}, but `score` gives {score}", round_score(explained.total)));
    }
    let sum: f64 = explained.parts.iter().map(|part| part.points).sum();
    if explained.listed && !near(sum) {
        return Err(format!("the points of `parts` add up to {}, but the total is {score}", round_score(sum)));
    }
    match explained.classic {
        Some(classic) if !near(classic.total()) => Err(format!(
            "(deadline_urgency_score + priority_score + effort_bonus_score) * time_of_day_multiplier gives {}, but the \
             total is {score}",
            round_score(classic.total())
        )),
        _ => Ok(()),
    }
}

/// Rounded as scores are, so that the parts that people see add up to the total that they see.
pub(super) fn shown(explained: Explained, score: Option<f64>) -> Explanation {
    let mut parts = explained.parts;
    let exact: Vec<f64> = parts.iter().map(|part| part.points).collect();
    for part in &mut parts {
        part.value = round_score(part.value);
        part.weight = round_score(part.weight);
        part.points = round_score(part.points);
    }
    if let (true, Some(score)) = (explained.listed, score) {
        spread(&mut parts, &exact, score);
    }
    Explanation {
        classic: explained.classic,
        total_score: score,
        recommendation: explained.recommendation,
        parts,
        fault: None,
    }
}

/// Gives what rounding took from the sum back to the part that lost most.
fn spread(parts: &mut [Part], exact: &[f64], score: f64) {
    let missing = round_score(score - parts.iter().map(|part| part.points).sum::<f64>());
    #[expect(clippy::cast_precision_loss, reason = "nobody lists so many parts")]
    let most = parts.len() as f64 * 1e-6;
    let gap_of = |part: &Part, exact: f64| (exact - part.points) * missing.signum();
    let loser = parts.iter_mut().zip(exact).max_by(|(a, x), (b, y)| gap_of(a, **x).total_cmp(&gap_of(b, **y)));
    if let Some((loser, _)) = loser.filter(|_| missing != 0.0 && missing.abs() <= most) {
        loser.points = round_score(loser.points + missing);
    }
}
