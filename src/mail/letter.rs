//! How messages read: as plain text, and the same as simple HTML.
//!
//! The HTML has a language, a heading and links that say where they lead, no pictures, no scripts and nothing that is
//! fetched from anywhere. Everything in it is escaped.

use maud::{DOCTYPE, Markup, html};

use super::{Mail, Message};

/// A message without its dress.
struct Body {
    /// The first lines.
    said: String,
    /// A button: what it says, and where it leads.
    button: Option<(&'static str, String)>,
    /// The last lines.
    hint: String,
}

impl Mail {
    /// The body, as plain text.
    pub fn text(&self) -> String {
        if let Message::Digest(digest) = &self.message {
            return digest.text(self.name.as_deref(), &self.server);
        }
        let Body { said, button, hint } = self.body();
        let link = button.map(|(_, link)| format!("\n\n{link}")).unwrap_or_default();
        format!("Hello,\n\n{said}{link}\n\n{hint}\n")
    }

    /// The body, as HTML.
    pub fn html(&self) -> String {
        let (title, server) = (self.message.subject(), &self.server);
        if let Message::Digest(digest) = &self.message {
            return page(&title, server, &digest.html(self.name.as_deref(), server));
        }
        let Body { said, button, hint } = self.body();
        let content = html! {
            p { "Hello," }
            p { (said) }
            @if let Some((label, link)) = &button {
                p { a href=(link) style=(BUTTON) { (label) } }
                p { "Or copy this address into your browser:" br; a href=(link) { (link) } }
            }
            p { (hint) }
        };
        page(&title, server, &content)
    }

    fn body(&self) -> Body {
        let server = &self.server;
        let nothing = "If it was not you, do nothing: everything stays as it is.".to_owned();
        let (said, button, hint) = match &self.message {
            Message::VerifyAddress { link } => (
                "Please confirm that this is your address by opening this link within a day.".to_owned(),
                Some(("Confirm your address", link.clone())),
                format!("If you did not sign up at {server}, do nothing."),
            ),
            Message::ResetPassword { link } => (
                format!(
                    "Somebody, probably you, asked for a new password at {server}. To choose one, open this link within \
                     an hour."
                ),
                Some(("Choose a new password", link.clone())),
                nothing,
            ),
            Message::PasswordChanged => told(
                server,
                format!(
                    "The password of your account at {server} was changed. All other sign-ins, connected apps and \
                     personal access tokens have ended."
                ),
            ),
            Message::SecondFactorOn => {
                told(server, format!("Signing in at {server} needs a code of your authenticator from now on."))
            }
            Message::SecondFactorOff => {
                told(server, format!("Signing in at {server} needs no code of an authenticator any more."))
            }
            Message::RecoveryCodeUsed => told(
                server,
                format!("Somebody signed in at {server} with your password and one of your recovery codes."),
            ),
            Message::IdentityLinked { provider } => {
                told(server, format!("You can sign in at {server} through your {provider} account from now on."))
            }
            Message::IdentityUnlinked { provider } => {
                told(server, format!("Nobody can sign in at {server} through your {provider} account any more."))
            }
            Message::PasskeyAdded => told(
                server,
                format!(
                    "A passkey was added to your account at {server}. Whoever holds it can sign in with it, without your \
                 password."
                ),
            ),
            Message::PasskeyRemoved => {
                told(server, format!("Nobody can sign in at {server} with one of your passkeys any more."))
            }
            Message::PasskeysRemoved => told(
                server,
                format!(
                    "All passkeys of your account at {server} were removed, because a new password was set for who had lost \
                 the old one. Sign in with the password, and add your passkeys again."
                ),
            ),
            Message::Digest(_) => (String::new(), None, String::new()),
        };
        Body { said, button, hint }
    }
}

/// What somebody should hear of who may not have done it.
fn told(server: &str, said: String) -> (String, Option<(&'static str, String)>, String) {
    let hint = format!("If this was not you, choose a new password at once: {server}/oauth/forgot-password");
    (said, None, hint)
}

const BUTTON: &str = "display:inline-block;padding:12px 20px;background:#1a56db;color:#ffffff;text-decoration:none;\
                      border-radius:6px;font-weight:bold";

/// Mail programs know little CSS, so there is little of it.
fn page(title: &str, server: &str, content: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
            }
            body style="margin:0 auto;max-width:36em;padding:16px;font-family:sans-serif;font-size:16px;line-height:1.5" {
                h1 style="font-size:22px" { (title) }
                (content)
                hr;
                p style="font-size:14px" { "Sent by MindFlow at " a href=(server) { (server) } }
            }
        }
    };
    page.into_string()
}
