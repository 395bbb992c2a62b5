//! The pages on which somebody connects a device that has no browser (RFC 8628).

use maud::html;

use super::Page;
use super::fields::{Faults, Field};
use super::notice::done;

/// The code that the device shows is typed in; sent with `GET`, it changes nothing.
pub(in crate::http::oauth) fn enter_code(code: &str, faults: &Faults) -> Page {
    const TITLE: &str = "Connect a device";
    let field = Field {
        name: "user_code",
        label: "Code",
        value: code,
        hint: Some("The device or program that you connect shows it."),
        focus: true,
        ..Field::default()
    };
    let content = html! {
        h1 { (TITLE) }
        (faults.above(&["user_code"]))
        form method="get" action="device" {
            (field.show(faults, &["user_code"]))
            button type="submit" { "Continue" }
        }
    };
    let title = if faults.any() { format!("Error: {TITLE}") } else { TITLE.to_owned() };
    Page { title, content, root: "", script: None }
}

/// It was allowed.
pub(in crate::http::oauth) fn connected(name: &str) -> Page {
    done("Connected", &html! { p { bdi .strong { (name) } " goes on by itself. You can close this page." } }, "")
}

/// It was not.
pub(in crate::http::oauth) fn refused(name: &str) -> Page {
    done("Not connected", &html! { p { bdi .strong { (name) } " gets nothing. You can close this page." } }, "")
}
