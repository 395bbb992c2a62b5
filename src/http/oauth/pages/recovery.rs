//! The pages to which links in e-mails lead, and the one on which somebody asks for such a link.

use maud::html;

use super::Page;
use super::fields::{Faults, Field};
use super::notice::done;

/// The address is confirmed with a button: programs that follow links in mails press none.
pub(in crate::http::oauth) fn verify(token: &str) -> Page {
    const TITLE: &str = "Confirm your e-mail address";
    let content = html! {
        h1 { (TITLE) }
        p { "Press the button if you have an account here and this link came to you." }
        form method="post" action="verify-email" {
            input type="hidden" name="token" value=(token);
            button type="submit" { "Confirm" }
        }
    };
    Page::new(TITLE, content)
}

/// It is confirmed.
pub(in crate::http::oauth) fn verified() -> Page {
    done("Your address is confirmed", &html! { p { "Thank you. You can close this page." } }, "../")
}

/// A link that is good no more.
pub(in crate::http::oauth) fn spent(kind: &str) -> Page {
    const TITLE: &str = "This link is not good any more";
    let content = html! {
        h1 { (TITLE) }
        p { "It was used already, or is too old." }
        @if kind == "reset" { p { a .button href="forgot-password" { "Ask for a new link" } } }
    };
    Page::new(TITLE, content)
}

/// A new password.
pub(in crate::http::oauth) fn reset(token: &str, faults: &Faults) -> Page {
    const TITLE: &str = "Choose a new password";
    let password = Field {
        name: "new_password",
        label: "New password",
        kind: "password",
        autocomplete: "new-password",
        hint: Some("12 characters or more; from 8 on if it is hard to guess."),
        focus: true,
        ..Field::default()
    };
    let content = html! {
        h1 { (TITLE) }
        (faults.above(&["new_password"]))
        p { "All sign-ins, connected applications and personal access tokens of your account end." }
        form method="post" action="reset-password" {
            input type="hidden" name="token" value=(token);
            (password.show(faults, &["new_password"]))
            button type="submit" { "Save" }
        }
    };
    let title = if faults.any() { format!("Error: {TITLE}") } else { TITLE.to_owned() };
    Page::new(title, content)
}

/// It is saved.
pub(in crate::http::oauth) fn reset_done() -> Page {
    done(
        "Your password is changed",
        &html! { p { "Sign in with the new one from now on. You can close this page." } },
        "../",
    )
}

/// Whose password was forgotten.
pub(in crate::http::oauth) fn forgot(token: &str, faults: &Faults) -> Page {
    const TITLE: &str = "Forgot your password?";
    let email = Field {
        name: "email",
        label: "E-mail address",
        kind: "email",
        autocomplete: "username",
        focus: true,
        ..Field::default()
    };
    let content = html! {
        h1 { (TITLE) }
        (faults.above(&["email"]))
        form method="post" action="forgot-password" {
            input type="hidden" name="csrf" value=(token);
            (email.show(faults, &["email"]))
            button type="submit" { "Send me a link" }
        }
    };
    let title = if faults.any() { format!("Error: {TITLE}") } else { TITLE.to_owned() };
    Page::new(title, content)
}

/// A mail is under way, perhaps.
pub(in crate::http::oauth) fn sent() -> Page {
    let text = "If there is an account with this address, a link to choose a new password is on its way. It is good for an \
                hour.";
    done("Look into your mail", &html! { p { (text) } }, "../")
}

/// No mail can be sent.
pub(in crate::http::oauth) fn no_mail() -> Page {
    let text = "This server cannot send e-mail. Its operator can give you a new password.";
    done("No mail can be sent", &html! { p { (text) } }, "../")
}

/// Whether to end the mails of the morning.
pub(in crate::http::oauth) fn unsubscribe(token: &str) -> Page {
    const TITLE: &str = "No more mails in the morning?";
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
    let action = format!("unsubscribe?{query}");
    let content = html! {
        h1 { (TITLE) }
        p { "You will not be told by mail any more what there is to do. Your tasks stay as they are." }
        form method="post" action=(action) {
            input type="hidden" name="List-Unsubscribe" value="One-Click";
            button type="submit" { "No more of these mails" }
        }
    };
    Page::new(TITLE, content)
}

/// They are ended.
pub(in crate::http::oauth) fn unsubscribed() -> Page {
    let text = "You get no more of these mails. In your preferences you can ask for them again.";
    done("That is done", &html! { p { (text) } }, "../")
}

/// A link that this server did not make.
pub(in crate::http::oauth) fn no_such_link() -> Page {
    const TITLE: &str = "This is no link of this server";
    Page::new(TITLE, html! { h1 { (TITLE) } p { "Open the link of the mail once more, whole." } })
}
