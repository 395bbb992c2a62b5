//! The pages on which people say who they are: sign-in, second factor, new account.

use maud::{Markup, html};

use super::Page;
use super::fields::{Faults, Field, hidden};
use super::passkeys::Scripted;

/// What these pages have in common.
pub(in crate::http::oauth) struct Doorstep<'a> {
    /// Where the form is sent, from the page's own folder.
    pub(in crate::http::oauth) action: &'a str,
    /// What the form carries.
    pub(in crate::http::oauth) token: &'a str,
    /// The application that waits behind.
    pub(in crate::http::oauth) client: Option<&'a str>,
    /// The page to sign in on.
    pub(in crate::http::oauth) sign_in: &'a str,
    /// The page to make an account on, where that is possible.
    pub(in crate::http::oauth) sign_up: Option<&'a str>,
    /// Other places that say who somebody is: name and link.
    pub(in crate::http::oauth) upstreams: &'a [(String, String)],
    /// The way in by a passkey, where there can be one.
    pub(in crate::http::oauth) passkey: Option<Scripted<'a>>,
    /// What was wrong with the last try.
    pub(in crate::http::oauth) faults: &'a Faults,
    /// The way to the server's root.
    pub(in crate::http::oauth) root: &'static str,
}

impl Doorstep<'_> {
    fn page(&self, title: &str, content: Markup) -> Page {
        let title = if self.faults.any() { format!("Error: {title}") } else { title.to_owned() };
        Page { title, content, root: self.root, script: None }
    }

    fn head(&self, title: &str, fields: &[&str]) -> Markup {
        html! {
            h1 { (title) }
            @if let Some(client) = self.client { p .lead { "to continue to " bdi .strong { (client) } } }
            (self.faults.above(fields))
        }
    }

    fn others(&self) -> Markup {
        html! {
            @if !self.upstreams.is_empty() {
                p .or { span { "or" } }
                ul .others {
                    @for (name, link) in self.upstreams {
                        li { a .button.second href=(link) { "Continue with " (name) } }
                    }
                }
            }
        }
    }
}

/// E-mail address and password.
pub(in crate::http::oauth) fn sign_in(door: &Doorstep<'_>, email: &str) -> Page {
    const TITLE: &str = "Sign in";
    const FIELDS: [&str; 2] = ["email", "password"];
    let email_field = Field {
        name: "email",
        label: "E-mail address",
        kind: "email",
        value: email,
        // With the second word, browsers offer passkeys here, too (Web Authentication, level 3, section 5.1.4).
        autocomplete: if door.passkey.is_some() { "username webauthn" } else { "username" },
        focus: email.is_empty(),
        ..Field::default()
    };
    let password_field = Field {
        name: "password",
        label: "Password",
        kind: "password",
        autocomplete: "current-password",
        focus: !email.is_empty(),
        ..Field::default()
    };
    let content = html! {
        (door.head(TITLE, &FIELDS))
        form method="post" action=(door.action) {
            (hidden("sign-in", door.token))
            (email_field.show(door.faults, &FIELDS))
            (password_field.show(door.faults, &FIELDS))
            button type="submit" { "Sign in" }
        }
        @if let Some(passkey) = door.passkey { (passkey.sign_in(door.action, door.root)) }
        p .foot { a href={ (door.root) "oauth/forgot-password" } { "Forgot your password?" } }
        (door.others())
        @if let Some(link) = door.sign_up {
            p .foot { "New here? " a href=(link) { "Create an account" } }
        }
    };
    Page { script: door.passkey.map(|passkey| passkey.server.to_owned()), ..door.page(TITLE, content) }
}

/// The code of an authenticator, after the password. `ticket` says that the password was right.
pub(in crate::http::oauth) fn second_factor(door: &Doorstep<'_>, ticket: &str) -> Page {
    const TITLE: &str = "Enter your code";
    let field = Field {
        name: "code",
        label: "Code",
        autocomplete: "one-time-code",
        hint: Some("The six digits that your authenticator app shows, or one of your recovery codes."),
        focus: true,
        ..Field::default()
    };
    let content = html! {
        (door.head(TITLE, &["code"]))
        form method="post" action=(door.action) {
            (hidden("second-factor", door.token))
            input type="hidden" name="ticket" value=(ticket);
            (field.show(door.faults, &["code"]))
            button type="submit" { "Continue" }
        }
        p .foot { a href=(door.sign_in) { "Sign in as somebody else" } }
    };
    door.page(TITLE, content)
}

/// What is filled in for a new account.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::http::oauth) struct Wishes<'a> {
    pub(in crate::http::oauth) email: &'a str,
    pub(in crate::http::oauth) full_name: &'a str,
    /// The invitation, where one is needed.
    pub(in crate::http::oauth) invite: Option<&'a str>,
}

/// A new account.
pub(in crate::http::oauth) fn sign_up(door: &Doorstep<'_>, wishes: Wishes<'_>) -> Page {
    const TITLE: &str = "Create an account";
    let email = Field {
        name: "email",
        label: "E-mail address",
        kind: "email",
        value: wishes.email,
        autocomplete: "username",
        focus: true,
        ..Field::default()
    };
    let name = Field {
        name: "full_name",
        label: "Name",
        value: wishes.full_name,
        autocomplete: "name",
        required: false,
        ..Field::default()
    };
    let password = Field {
        name: "password",
        label: "Password",
        kind: "password",
        autocomplete: "new-password",
        hint: Some("12 characters or more; from 8 on if it is hard to guess."),
        ..Field::default()
    };
    let invite = wishes.invite.map(|code| Field {
        name: "invite",
        label: "Invitation code",
        value: code,
        hint: Some("The operator of this server gives you one."),
        ..Field::default()
    });
    let content = html! {
        (door.head(TITLE, &["email"]))
        form method="post" action=(door.action) {
            (hidden("sign-up", door.token))
            (email.show(door.faults, &[]))
            (name.show(door.faults, &[]))
            (password.show(door.faults, &[]))
            @if let Some(invite) = invite { (invite.show(door.faults, &[])) }
            button type="submit" { "Create account" }
        }
        p .foot { "You have an account? " a href=(door.sign_in) { "Sign in" } }
    };
    door.page(TITLE, content)
}
