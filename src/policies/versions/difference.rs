//! What changed between two texts.

use similar::{ChangeTag, TextDiff};

/// Lines around a change that are shown with it.
const CONTEXT: usize = 3;

/// The difference of two texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// As `diff -u` shows it; empty when there is none.
    pub unified: String,
    /// How many lines were added.
    pub added: usize,
    /// How many lines were taken away.
    pub removed: usize,
}

/// Compares two texts, of which these are the names.
pub fn difference((old_name, old): (&str, &str), (new_name, new): (&str, &str)) -> Difference {
    let diff = TextDiff::from_lines(old, new);
    let count = |tag: ChangeTag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
    Difference {
        added: count(ChangeTag::Insert),
        removed: count(ChangeTag::Delete),
        unified: diff.unified_diff().context_radius(CONTEXT).header(old_name, new_name).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_both_sides_and_counts_lines() {
        let diff = difference(("a", "one\ntwo\nthree\n"), ("b", "one\n2\nthree\nfour\n"));

        assert_eq!((diff.added, diff.removed), (2, 1));
        assert_eq!(diff.unified, "--- a\n+++ b\n@@ -1,3 +1,4 @@\n one\n-two\n+2\n three\n+four\n");
        assert_eq!(difference(("a", "x\n"), ("b", "x\n")).unified, "");
    }
}
