//! Why not that one: what sets the scores of two tasks apart, term by term.

use super::explain::Explanation;
use super::policy::round_score;

/// What one part adds to each of two scores.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// The part's name.
    pub name: String,
    /// Its points in the first score; 0 when the policy gives it no such part.
    pub points: f64,
    /// Its points in the other score.
    pub other: f64,
    /// The first less the other.
    pub difference: f64,
}

/// The parts that set two scores apart, the widest gap first. The differences add up to that of the scores (6 decimals).
pub fn gaps(one: &Explanation, other: &Explanation) -> Vec<Gap> {
    let points = |of: &Explanation, name: &str| -> f64 {
        of.parts.iter().filter(|part| part.name == name).map(|part| part.points).sum()
    };
    let mut names: Vec<&str> = Vec::with_capacity(one.parts.len());
    for part in one.parts.iter().chain(&other.parts) {
        if !names.contains(&part.name.as_str()) {
            names.push(&part.name);
        }
    }
    let mut gaps: Vec<Gap> = names
        .into_iter()
        .map(|name| (name, points(one, name), points(other, name)))
        .map(|(name, points, other)| Gap {
            name: name.to_owned(),
            points: round_score(points),
            other: round_score(other),
            difference: round_score(points - other),
        })
        .filter(|gap| gap.difference != 0.0)
        .collect();
    gaps.sort_by(|a, b| b.difference.abs().total_cmp(&a.difference.abs()).then_with(|| a.name.cmp(&b.name)));
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::Part;

    fn with(parts: &[(&str, f64)]) -> Explanation {
        let part =
            |(name, points): &(&str, f64)| Part { name: (*name).into(), value: 1.0, weight: 1.0, points: *points };
        Explanation {
            classic: None,
            total_score: None,
            recommendation: String::new(),
            parts: parts.iter().map(part).collect(),
            fault: None,
        }
    }

    #[test]
    fn gaps_add_up_and_the_widest_comes_first() {
        let one = with(&[("deadline", 40.0), ("priority", 10.0), ("effort", 7.5)]);
        let other = with(&[("deadline", 40.0), ("priority", 50.0), ("mood", 0.1)]);

        let found = gaps(&one, &other);

        let told: Vec<_> = found.iter().map(|gap| (gap.name.as_str(), gap.difference)).collect();
        assert_eq!(told, [("priority", -40.0), ("effort", 7.5), ("mood", -0.1)]);
        assert_eq!((found[1].points, found[1].other), (7.5, 0.0));
    }

    #[test]
    fn parts_of_one_name_count_together() {
        let found = gaps(&with(&[("tags", 1.0), ("tags", 2.0)]), &with(&[("tags", 0.5)]));

        assert_eq!(found.len(), 1);
        assert_eq!((found[0].points, found[0].difference), (3.0, 2.5));
    }
}
