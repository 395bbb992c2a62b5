//! Priorities as people say them.

/// What can be said, for the message to who said something else.
pub const PRIORITY_WORDS: &str = "1 (lowest) to 5 (highest), or `lowest`, `low`, `medium`, `high` or `urgent`";

/// Finds the priority, 1 to 5, that a word means; `None` when it is not understood.
///
/// Digits are MindFlow's own scale, on which 5 is the highest. With a `p` before them they are that of trackers and pagers,
/// on which P1 (or P0) is the most urgent. One exclamation mark is important, more are urgent.
pub fn priority_of(text: &str) -> Option<u8> {
    let text = text.to_lowercase();
    let word = text.trim();
    let word = word.strip_prefix("priority").unwrap_or(word).trim_start_matches([' ', ':', '=']);
    let word = word.strip_suffix("priority").unwrap_or(word).trim_end_matches([' ', '-', '_']);
    match word {
        "5" | "p0" | "p1" | "!!" | "!!!" | "urgent" | "very urgent" | "critical" | "highest" | "very high" | "top"
        | "asap" | "emergency" | "blocker" => Some(5),
        "4" | "p2" | "!" | "high" | "important" => Some(4),
        "3" | "p3" | "normal" | "medium" | "mid" | "middle" | "moderate" | "default" | "average" => Some(3),
        "2" | "p4" | "low" | "minor" => Some(2),
        "1" | "p5" | "lowest" | "very low" | "whenever" | "someday" | "trivial" | "no rush" | "no hurry" => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_digits_are_priorities() {
        let cases = [
            (5, &["urgent", " Highest ", "critical", "5", "p1", "P0", "!!!", "top priority", "very high"][..]),
            (4, &["high", "important", "High Priority", "high-priority", "priority: 4", "p2", "!"]),
            (3, &["normal", "MEDIUM", "3", "p3"]),
            (2, &["low", "p4", "2"]),
            (1, &["lowest", "whenever", "1", "p5"]),
        ];

        for (priority, words) in cases {
            for word in words {
                assert_eq!(priority_of(word), Some(priority), "{word}");
            }
        }
    }

    #[test]
    fn what_is_no_priority_is_none() {
        for word in ["", "priority", "0", "6", "p6", "-1", "3.5", "!1", "highish", "prioritypriority", "ｈigh", "🔥"]
        {
            assert_eq!(priority_of(word), None, "{word}");
        }
    }
}
