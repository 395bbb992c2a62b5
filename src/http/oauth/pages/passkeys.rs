//! Passkeys on the pages: the button to sign in with one, the list of them, and making one.

use maud::{Markup, html};
use serde_json::Value;

use super::Page;
use super::fields::{Faults, Field, hidden};
use crate::accounts::passkeys::{NAME_MAX, NoPasskeysError, Passkey};
use crate::clock::Timestamp;

/// A form that the script takes part in.
#[derive(Clone, Copy, Debug)]
pub(in crate::http::oauth) struct Scripted<'a> {
    /// What the form carries.
    pub(in crate::http::oauth) token: &'a str,
    /// The public URL.
    pub(in crate::http::oauth) server: &'a str,
    /// Its origin, as browsers write it.
    pub(in crate::http::oauth) origin: &'a str,
}

impl Scripted<'_> {
    /// The way in; it is shown by the script alone.
    pub(super) fn sign_in(&self, action: &str, root: &str) -> Markup {
        html! {
            form method="post" action=(action) hidden data-passkey="get" data-origin=(self.origin)
                data-question={ (root) "oauth/passkeys/question" } {
                (hidden("passkey", self.token))
                input type="hidden" name="ceremony";
                input type="hidden" name="credential";
                button .second type="submit" { "Sign in with a passkey" }
                p .quiet role="status" {}
            }
        }
    }

    /// The page on which a device makes a passkey.
    pub(in crate::http::oauth) fn create(&self, name: &str, ceremony: &str, options: &Value) -> Page {
        const TITLE: &str = "Create your passkey";
        let content = html! {
            h1 { (TITLE) }
            p { "Your device or browser asks for your fingerprint, your face or a PIN. That stays on the device." }
            form method="post" action="identities" data-passkey="create" data-origin=(self.origin)
                data-options=(options.to_string()) {
                (hidden("keep-passkey", self.token))
                input type="hidden" name="ceremony" value=(ceremony);
                input type="hidden" name="credential";
                input type="hidden" name="name" value=(name);
                button type="submit" autofocus { "Create the passkey" }
                p .quiet role="status" {}
            }
            noscript { p .fault { "This needs JavaScript, which is off in this browser." } }
            p .foot { a href="identities" { "Back, without a passkey" } }
        };
        Page { script: Some(self.server.to_owned()), ..Page::new(TITLE, content) }
    }
}

/// Somebody's passkeys, on the page with their ways to sign in.
pub(in crate::http::oauth) struct Passkeys<'a> {
    pub(in crate::http::oauth) own: &'a [Passkey],
    /// Whether this server can have any.
    pub(in crate::http::oauth) possible: Result<(), NoPasskeysError>,
    /// The host for which they are made now.
    pub(in crate::http::oauth) host: &'a str,
    /// What the forms to add, rename and remove carry.
    pub(in crate::http::oauth) tokens: [&'a str; 3],
    /// What else is asked for before one is added.
    pub(in crate::http::oauth) asks: Asks,
    pub(in crate::http::oauth) faults: &'a Faults,
}

/// What proves once more who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http::oauth) enum Asks {
    /// They have just done so.
    Nothing,
    Password,
    PasswordAndCode,
}

impl Passkeys<'_> {
    /// The part of the page.
    pub(super) fn show(&self) -> Markup {
        html! {
            h2 { "Passkeys" }
            @if self.own.is_empty() {
                p { "There is no passkey." }
            } @else {
                dl { @for passkey in self.own { (self.passkey(passkey)) } }
            }
            @match self.possible {
                Ok(()) => (self.add()),
                Err(NoPasskeysError::Address) => p .quiet {
                    "Passkeys are not possible here: they need a server with a name, and this one has an IP address."
                }
                Err(NoPasskeysError::Insecure) => p .quiet {
                    "Passkeys are not possible here: they need a server that is reached over https."
                }
            }
        }
    }

    fn passkey(&self, passkey: &Passkey) -> Markup {
        let [_, rename, remove] = self.tokens;
        let id = passkey.id.0;
        let used =
            passkey.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("last used on {}", day(at)));
        html! {
            div {
                dt { "Added on " (day(passkey.created_at)) ", " (used) }
                dd {
                    bdi .strong { (passkey.name) }
                    form method="post" action="identities" {
                        (hidden("remove-passkey", remove))
                        input type="hidden" name="passkey" value=(id);
                        button .second type="submit" aria-label={ "Remove " (passkey.name) } { "Remove" }
                    }
                    @if passkey.host != self.host {
                        span .quiet { "It was made for " (passkey.host) " and works there only." }
                    }
                    details {
                        summary { "Rename" span .unseen { " " (passkey.name) } }
                        form method="post" action="identities" {
                            (hidden("rename-passkey", rename))
                            input type="hidden" name="passkey" value=(id);
                            div .field {
                                label for={ "name-" (id) } { "New name" }
                                input id={ "name-" (id) } name="name" type="text" value=(passkey.name) required
                                    maxlength=(NAME_MAX) autocomplete="off" spellcheck="false";
                            }
                            button .second type="submit" { "Rename" }
                        }
                    }
                }
            }
        }
    }

    fn add(&self) -> Markup {
        let name = Field {
            name: "name",
            label: "Name of a new passkey",
            hint: Some("For your eyes: such as the device that keeps it."),
            required: false,
            ..Field::default()
        };
        let password = Field {
            name: "password",
            label: "Password",
            kind: "password",
            autocomplete: "current-password",
            hint: Some("Because you signed in more than ten minutes ago. Without a password, sign out and in again."),
            ..Field::default()
        };
        let code = Field {
            name: "code",
            label: "Code",
            autocomplete: "one-time-code",
            hint: Some("The six digits that your authenticator app shows, or one of your recovery codes."),
            ..Field::default()
        };
        html! {
            form method="post" action="identities" {
                (hidden("add-passkey", self.tokens[0]))
                (name.show(self.faults, &[]))
                @if self.asks != Asks::Nothing { (password.show(self.faults, &[])) }
                @if self.asks == Asks::PasswordAndCode { (code.show(self.faults, &[])) }
                button .second type="submit" { "Add a passkey" }
            }
        }
    }
}

/// A day in UTC.
fn day(at: Timestamp) -> String {
    at.to_utc().format("%Y-%m-%d").to_string()
}
