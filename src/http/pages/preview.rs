//! `/widgets/task`: the card that chats show, as a page, with a task made up for it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use poem::http::HeaderValue;
use sha2::{Digest, Sha256};

use crate::mcp::widgets::Widget;

/// The path of the page.
pub(super) const PATH: &str = "/widgets/task";
/// Where a widget's document takes a result to show before any host speaks.
const PLACE: &str = "<!-- preview -->";
/// A result of `explain_task`, made up.
const RESULT: &str = include_str!("preview.json");

/// The card with the made-up task in it.
pub(super) fn html() -> String {
    // A script ends at the next `</script`, whatever language it is in; JSON can write the sign otherwise.
    let result = RESULT.trim().replace('<', "\\u003c");
    let script = format!("<script type=\"application/json\" id=\"preview\">{result}</script>");
    Widget::TaskCard.html().replacen(PLACE, &script, 1)
}

/// What the page may do: run its own script and style, which are named by their hashes, and nothing else. Besides this server,
/// the sites `frames` may show it in a frame.
pub(super) fn content(frames: &[String]) -> HeaderValue {
    let html = html();
    let hashes = |open: &str, close: &str| {
        let parts = html.split(open).skip(1).filter_map(|rest| rest.split_once(close));
        let hashed = parts.map(|(inside, _)| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(inside))));
        hashed.collect::<Vec<_>>().join(" ")
    };
    let (scripts, styles) = (hashes("<script>", "</script>"), hashes("<style>", "</style>"));
    let frames: String = frames.iter().flat_map(|site| [" ", site]).collect();
    let rules = format!(
        "default-src 'none'; script-src {scripts}; style-src {styles}; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'self'{frames}"
    );
    HeaderValue::try_from(rules).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_a_task_and_runs_only_what_is_in_it() {
        let (html, content) = (html(), content(&["https://chat.example".to_owned()]));

        assert!(html.contains("id=\"preview\"") && !html.contains(PLACE));
        assert_eq!(content.to_str().unwrap().matches("'sha256-").count(), 2);
        assert!(content.to_str().unwrap().ends_with("frame-ancestors 'self' https://chat.example"));
    }
}
