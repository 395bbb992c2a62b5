//! Results of examples as the XML that JUnit made common: what build servers show.

use std::fmt::Write as _;

use super::test::Tested;

/// The document: one suite a policy, one case an example; a script with faults, a file that cannot be read and a coverage
/// that is too low are cases of their own.
pub(super) fn xml(tested: &[Tested]) -> String {
    let mut suites = String::new();
    let (mut tests, mut failures) = (0, 0);
    for policy in tested {
        let cases = cases(policy);
        let failed = cases.iter().filter(|case| !case.failures.is_empty()).count();
        (tests, failures) = (tests + cases.len(), failures + failed);
        let name = escaped(&policy.name);
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(
            suites,
            r#"  <testsuite name="{name}" tests="{}" failures="{failed}" errors="0" skipped="0">"#,
            cases.len()
        );
        for case in &cases {
            case.write(&name, &mut suites);
        }
        suites.push_str("  </testsuite>\n");
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"policies\" tests=\"{tests}\" failures=\"{failures}\" \
         errors=\"0\">\n{suites}</testsuites>\n"
    )
}

struct Case {
    name: String,
    file: Option<String>,
    failures: Vec<String>,
}

impl Case {
    fn write(&self, class: &str, out: &mut String) {
        let file = self.file.as_deref().map(|file| format!(r#" file="{}""#, escaped(file))).unwrap_or_default();
        let _ = write!(out, r#"    <testcase classname="{class}" name="{}"{file}"#, escaped(&self.name));
        if self.failures.is_empty() {
            out.push_str("/>\n");
            return;
        }
        let (first, all) = (escaped(&self.failures[0]), escaped(&self.failures.join("\n")));
        let _ = writeln!(out, ">\n      <failure message=\"{first}\">{all}</failure>\n    </testcase>");
    }
}

fn cases(policy: &Tested) -> Vec<Case> {
    let mut cases = Vec::new();
    if !policy.faults.is_empty() {
        let failures = policy.faults.iter().map(ToString::to_string).collect();
        cases.push(Case { name: "the script is in order".to_owned(), file: None, failures });
    }
    for failure in policy.cases.failures.iter().filter(|failure| failure.case.is_none()) {
        let file = failure.file.display().to_string();
        let name = "the file can be read".to_owned();
        cases.push(Case { name, file: Some(file), failures: vec![failure.message.clone()] });
    }
    for case in &policy.cases.cases {
        let failures = policy.cases.failures.iter();
        let own = failures.filter(|failure| failure.case.as_ref() == Some(&case.name) && failure.file == case.file);
        let failures = own.filter(|_| !case.ok).map(|failure| failure.message.clone()).collect();
        cases.push(Case { name: case.name.clone(), file: Some(case.file.display().to_string()), failures });
    }
    if policy.coverage.is_some() {
        let failures = policy.too_little().into_iter().collect();
        cases.push(Case { name: "the examples reach enough of the script".to_owned(), file: None, failures });
    }
    cases
}

/// Text as it may stand in an attribute; what XML cannot say at all is replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            letter if letter.is_control() => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_say_is_replaced() {
        assert_eq!(escaped("a < \"b\" & c\u{7}\n"), "a &lt; &quot;b&quot; &amp; c\u{fffd}&#10;");
    }
}
