//! Pages that only say something.

use maud::{Markup, html};

use super::Page;
use super::fields::hidden;
use crate::http::problem::ApiError;
use crate::oauth::OAuthError;

/// A way on from a page: what it says and where it leads.
pub(in crate::http::oauth) type Way<'a> = (&'a str, &'a str);

/// Something is wrong with the request that led here.
pub(in crate::http::oauth) fn error(error: &OAuthError, back: Option<Way<'_>>) -> Page {
    const TITLE: &str = "That did not work";
    let content = html! {
        h1 { (TITLE) }
        p { "The application that sent you here made a request that this server does not take. Nothing was changed, and \
             nothing was shared." }
        p .quiet { "For its developer:" }
        pre { code { (error.code.as_str()) ": " (error.description) } }
        @if let Some((text, link)) = back { p .foot { a href=(link) rel="noreferrer" { (text) } } }
    };
    Page::new(TITLE, content)
}

/// What would be a problem document elsewhere.
pub(in crate::http::oauth) fn problem(error: &ApiError) -> Page {
    let title = error.title();
    Page::new(title, html! { h1 { (title) } p { (error) } })
}

/// A form came from elsewhere or too late.
pub(in crate::http::oauth) fn stale(text: &str, again: Way<'_>, root: &'static str) -> Page {
    const TITLE: &str = "Please try again";
    let (name, link) = again;
    let content = html! {
        h1 { (TITLE) }
        p { (text) }
        p { a .button href=(link) { (name) } }
    };
    Page { title: TITLE.to_owned(), content, root, script: None }
}

/// Signing out, asked first: a link alone must not do it.
pub(in crate::http::oauth) fn sign_out(email: &str, token: &str) -> Page {
    const TITLE: &str = "Sign out?";
    let content = html! {
        h1 { (TITLE) }
        p { "You are signed in here as " bdi .strong { (email) } ". Applications that you connected stay connected." }
        form method="post" action="sign-out" {
            (hidden("sign-out", token))
            button type="submit" { "Sign out" }
        }
        p .foot { a href="identities" { "Ways to sign in" } }
    };
    Page::new(TITLE, content)
}

/// Nobody is signed in.
pub(in crate::http::oauth) fn signed_out() -> Page {
    const TITLE: &str = "You are signed out";
    let content = html! {
        h1 { (TITLE) }
        p { "Nobody is signed in to MindFlow in this browser." }
    };
    Page::new(TITLE, content)
}

/// Something is done, and there is no way on.
pub(super) fn done(title: &str, content: &Markup, root: &'static str) -> Page {
    Page { title: title.to_owned(), content: html! { h1 { (title) } (content) }, root, script: None }
}
