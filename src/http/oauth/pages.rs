//! Pages for people: server-rendered; only what needs a passkey needs a script, which is the same for all.
//!
//! Each page is a function from what it shows to [`Markup`]; a [`Page`] puts it into the frame that all share and gives
//! it the headers of its kind.

pub(super) mod consent;
pub(super) mod device;
pub(super) mod fields;
pub(super) mod identities;
pub(super) mod link;
pub(super) mod notice;
pub(super) mod passkeys;
pub(super) mod recovery;
pub(super) mod sign_in;

use maud::{DOCTYPE, Markup, html};
use poem::Response;
use poem::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE,
};
use poem::http::{HeaderValue, StatusCode};

use super::Services;
use super::cookies;
use super::forms::{Visitor, origin_of};
use super::passkeys::QUESTION_PATH;
use crate::accounts::AccountError;
use crate::http::problem::ApiError;
use crate::oauth::redirect::RedirectKind;
use crate::oauth::{ErrorCode, OAuthError};

/// Where the script for passkeys is.
const SCRIPT_PATH: &str = "/oauth/passkeys.js";

/// A page that is about to be sent.
pub(super) struct Page {
    /// For the tab, and for who hears the page.
    pub(super) title: String,
    /// What it shows.
    pub(super) content: Markup,
    /// The way from the page's folder to the server's root: empty or `../`.
    pub(super) root: &'static str,
    /// The public URL, on pages with the script for passkeys.
    pub(super) script: Option<String>,
}

impl Page {
    /// A page below `/oauth`.
    pub(super) fn new(title: impl Into<String>, content: Markup) -> Self {
        Self { title: title.into(), content, root: "../", script: None }
    }

    /// The answer. `destinations` are the URLs to which its forms may lead in the end.
    pub(super) fn answer(self, status: StatusCode, destinations: &[&str]) -> Response {
        let policy = content_policy(destinations, self.script.as_deref());
        let mut response = Response::builder()
            .status(status)
            .header(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))
            .header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
            // Without any referrer, browsers would not say where a form comes from either.
            .header(REFERRER_POLICY, HeaderValue::from_static("same-origin"))
            .header("x-robots-tag", HeaderValue::from_static("noindex"))
            .header(CONTENT_SECURITY_POLICY, policy);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response = response.header(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response.body(self.frame().into_string())
    }

    /// The answer, with forms for this browser.
    pub(super) fn answer_to(
        self,
        visitor: &Visitor,
        status: StatusCode,
        destinations: &[&str],
        services: &Services,
    ) -> Response {
        let response = self.answer(status, destinations);
        if visitor.known { response } else { set_cookie(response, &cookies::before_sign_in(&visitor.cookie, services)) }
    }

    fn frame(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) " · MindFlow" }
                    link rel="icon" href={ (self.root) "oauth/icon.svg" };
                    link rel="stylesheet" href={ (self.root) "oauth/pages.css" };
                    @if self.script.is_some() { script src={ (self.root) "oauth/passkeys.js" } defer {} }
                }
                body {
                    header { img src={ (self.root) "oauth/icon.svg" } alt="" width="28" height="28"; span { "MindFlow" } }
                    main { (self.content) }
                }
            }
        }
    }
}

/// Adds a cookie to an answer.
pub(super) fn set_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

/// What a page may load, and where its forms may lead.
///
/// Chromium holds every redirect after a form against `form-action`, to the end of the chain: also those of the client's
/// own callback, which may lead to any site, such as the connectors' old home to the new one. So a page that leads to a
/// client allows all of `https:`, beside the one place on the person's device that the client asked for. Nothing is lost:
/// forms can only come from our own markup, as no foreign content runs here, and no script but the one for passkeys, which
/// may ask one question of the `server` with this public URL.
fn content_policy(destinations: &[&str], server: Option<&str>) -> String {
    let script = server.map_or(String::new(), |server| {
        format!("script-src {server}{SCRIPT_PATH}; connect-src {server}{QUESTION_PATH}; ")
    });
    let mut policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; {script}base-uri 'none'; frame-ancestors 'none'; \
         form-action 'self'"
    );
    if !destinations.is_empty() {
        policy.push_str(" https:");
    }
    for source in destinations.iter().filter_map(|url| on_the_device(url)) {
        policy.push(' ');
        policy.push_str(source);
    }
    policy
}

/// A redirect URI to a program on the person's device, in the words of a content security policy (CSP 3, section 2.3.1).
fn on_the_device(url: &str) -> Option<&str> {
    match RedirectKind::parse(url) {
        // Its grammar knows no IPv6 addresses.
        Ok(RedirectKind::Loopback { host: "[::1]", .. }) => Some("http:"),
        Ok(RedirectKind::Loopback { .. }) => Some(origin_of(url)),
        Ok(RedirectKind::PrivateUse(scheme)) => Some(&url[..=scheme.len()]),
        Ok(RedirectKind::Web(_)) | Err(_) => None,
    }
}

/// The page about a request that leads nowhere.
pub(super) fn failure(error: &OAuthError) -> Response {
    if let Some(cause) = &error.cause {
        tracing::error!(error = &**cause as &dyn std::error::Error, "a page could not be shown");
    }
    let status = match error.code {
        ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    notice::error(error, None).answer(status, &[])
}

/// What the service of accounts could not do, when it is not the person's to mend.
pub(super) fn account_failure(error: AccountError) -> OAuthError {
    match error {
        AccountError::Store(error) => error.into(),
        error @ AccountError::Hash(crate::accounts::passwords::HashError::Busy) => OAuthError {
            code: ErrorCode::TemporarilyUnavailable,
            description: "too many people sign in at the moment; try again in a few seconds".to_owned(),
            cause: Some(Box::new(error)),
        },
        error => OAuthError::internal(error),
    }
}

/// The page instead of a problem document.
pub(super) fn problem(error: &ApiError) -> Response {
    let mut response = notice::problem(error).answer(error.status(), &[]);
    error.write_headers(response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_may_lead_to_the_client_and_where_it_leads_on() {
        for (url, sources) in [
            ("https://a.example:8443/cb?x=1", "https:"),
            ("https://chat.openai.com/aip/oauth/callback", "https:"),
            ("http://127.0.0.1:4711/cb", "https: http://127.0.0.1:4711"),
            ("http://[::1]:4711/cb", "https: http:"),
            ("com.example.app:/cb", "https: com.example.app:"),
            ("javascript:alert(1)", "https:"),
        ] {
            assert!(content_policy(&[url], None).ends_with(&format!("; form-action 'self' {sources}")), "{url}");
        }
        assert!(content_policy(&[], None).ends_with("; form-action 'self'"));
    }

    #[test]
    fn one_script_runs_where_passkeys_are_and_none_elsewhere() {
        assert!(!content_policy(&[], None).contains("script-src"));
        let policy = content_policy(&["https://a.example/cb"], Some("https://m.example/below"));
        assert!(policy.contains("; script-src https://m.example/below/oauth/passkeys.js; connect-src"), "{policy}");
        assert!(policy.contains("https://m.example/below/oauth/passkeys/question; base-uri"), "{policy}");
    }
}
