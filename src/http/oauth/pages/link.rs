//! The pages around accounts elsewhere.

use maud::html;

use super::Page;
use super::fields::{Faults, Field, hidden};

/// Somebody came from elsewhere; the account here is to be theirs before the two are linked.
pub(in crate::http::oauth) struct LinkPage<'a> {
    /// The provider's name.
    pub(in crate::http::oauth) provider: &'a str,
    /// The address there.
    pub(in crate::http::oauth) foreign_email: Option<&'a str>,
    /// The address of the account here.
    pub(in crate::http::oauth) account: &'a str,
    /// Whether the password is asked for, or a click is enough.
    pub(in crate::http::oauth) asks_password: bool,
    /// Whether a code is asked for, too.
    pub(in crate::http::oauth) asks_code: bool,
    /// What the form carries.
    pub(in crate::http::oauth) token: &'a str,
    pub(in crate::http::oauth) ticket: &'a str,
    /// What was wrong with the last try.
    pub(in crate::http::oauth) faults: &'a Faults,
    /// The way to the server's root.
    pub(in crate::http::oauth) root: &'static str,
}

impl LinkPage<'_> {
    /// The page.
    pub(in crate::http::oauth) fn page(&self) -> Page {
        let title = format!("Link your {} account?", self.provider);
        let password = Field {
            name: "password",
            label: "Password",
            kind: "password",
            autocomplete: "current-password",
            hint: Some("The one of your MindFlow account: so we know that it is yours."),
            focus: true,
            ..Field::default()
        };
        let code = Field {
            name: "code",
            label: "Code",
            autocomplete: "one-time-code",
            hint: Some("The six digits that your authenticator app shows, or one of your recovery codes."),
            ..Field::default()
        };
        let content = html! {
            h1 { (title) }
            (self.faults.above(&["password"]))
            dl {
                div { dt { "Account here" } dd { bdi .strong { (self.account) } } }
                @if let Some(email) = self.foreign_email { div { dt { (self.provider) } dd { bdi { (email) } } } }
            }
            p { "From then on you can sign in here through " (self.provider) "." }
            form method="post" action="link" {
                (hidden("link", self.token))
                input type="hidden" name="ticket" value=(self.ticket);
                @if self.asks_password { (password.show(self.faults, &["password"])) }
                @if self.asks_password && self.asks_code { (code.show(self.faults, &["code"])) }
                button type="submit" { "Link" }
            }
            @if self.asks_password {
                p .foot { a href={ (self.root) "oauth/forgot-password" } { "Forgot your password?" } }
            }
        };
        Page { title, content, root: self.root, script: None }
    }
}

/// Somebody does not come in.
pub(in crate::http::oauth) fn refused(text: &str, root: &'static str) -> Page {
    const TITLE: &str = "You are not signed in";
    let content = html! { h1 { (TITLE) } p { (text) } };
    Page { title: TITLE.to_owned(), content, root, script: None }
}
