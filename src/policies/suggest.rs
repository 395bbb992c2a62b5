//! "Did you mean …": the nearest of the known names.

/// Names what is known, and the nearest to `found` when one is near.
///
/// `known: explain, score; did you mean `score`?`
pub(super) fn known_names(found: &str, known: &[&str]) -> String {
    let list = format!("known: {}", known.join(", "));
    match nearest(found, known) {
        Some(name) => format!("{list}; did you mean `{name}`?"),
        None => list,
    }
}

/// The known name that is fewest edits away, if that is few enough to be a slip.
pub(super) fn nearest<'a>(found: &str, known: &[&'a str]) -> Option<&'a str> {
    let letters = found.chars().count();
    let few = (letters / 3).clamp(1, 4);
    // What is so much longer or shorter is not near, and would take long to compare.
    let alike = known.iter().filter(|name| name.chars().count().abs_diff(letters) <= few);
    let near = alike.map(|name| (edits(found, name), *name)).min().filter(|(edits, _)| *edits <= few);
    let prefix = || known.iter().copied().find(|name| found.len() >= 3 && name.starts_with(found));
    near.map(|(_, name)| name).or_else(prefix)
}

/// Letters added, left out, changed, or swapped with their neighbour (optimal string alignment).
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let mut best = (rows[i][j] + usize::from(from != to)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *from == b[j - 1] && a[i - 1] == *to {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_corrected_and_a_stranger_is_not() {
        let known = ["priority", "effort_minutes", "has_due"];

        assert_eq!(nearest("prioritty", &known), Some("priority"));
        assert_eq!(nearest("effort_minute", &known), Some("effort_minutes"));
        assert_eq!(nearest("prioirty", &known), Some("priority"));
        assert_eq!(nearest("effort", &known), Some("effort_minutes"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(known_names("x", &["a", "b"]), "known: a, b; did you mean `a`?");
    }
}
