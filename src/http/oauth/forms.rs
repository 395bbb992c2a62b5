//! Forms of the pages: where they come from, and whether a person sent them from a page of ours.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use poem::http::header::{HOST, ORIGIN};
use url::Url;

use super::Services;
use super::call::{Call, Pairs};
use super::cookies;
use crate::accounts::Browser;
use crate::accounts::secrets::{RandomError, random_secret};
use crate::oauth::OAuthError;

/// What the tags are made for.
const PURPOSE: &str = "form";
/// Random bytes before a tag, so that it looks different each time: answers are compressed.
const SALT_BYTES: usize = 16;

/// The browser behind a request.
pub(super) struct Visitor {
    /// The cookie it shows, or the one it gets with this answer.
    pub(super) cookie: String,
    /// Whether it has the cookie already.
    pub(super) known: bool,
    /// Who is signed in.
    pub(super) browser: Option<Browser>,
}

/// Why a form is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Untrusted {
    /// Another site sent it.
    Foreign,
    /// It was not made for this browser as it is now, or the browser keeps no cookies.
    Stale,
}

impl Visitor {
    /// Finds out who asks.
    pub(super) async fn find(call: &Call, services: &Services) -> Result<Self, OAuthError> {
        match cookies::shown(&call.headers, services) {
            None => Ok(Self { cookie: random_secret("")?, known: false, browser: None }),
            Some(cookie) => {
                let browser = services.accounts.find_browser(&cookie).await.map_err(super::pages::account_failure)?;
                Ok(Self { cookie, known: true, browser })
            }
        }
    }

    /// What a form of this browser's carries: good for one step of one subject only.
    pub(super) fn token(&self, step: &str, subject: &str, services: &Services) -> Result<String, RandomError> {
        let mut token = [0; SALT_BYTES].to_vec();
        aws_lc_rs::rand::fill(&mut token).map_err(|_| RandomError)?;
        let tag = services.secret.mac(PURPOSE, &self.parts(step, subject, &token))?;
        token.extend(tag);
        Ok(URL_SAFE_NO_PAD.encode(token))
    }

    /// Whether the form was sent from a page of ours in this browser.
    pub(super) fn check(
        &self,
        call: &Call,
        form: &Pairs,
        (step, subject): (&str, &str),
        services: &Services,
    ) -> Result<(), Untrusted> {
        if !is_from_here(call, services) {
            return Err(Untrusted::Foreign);
        }
        let token = form.one("csrf").ok().flatten().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let token = token.unwrap_or_default();
        let (salt, tag) = token.split_at_checked(SALT_BYTES).unwrap_or_default();
        let parts = self.parts(step, subject, salt);
        if self.known && services.secret.mac_matches(PURPOSE, &parts, tag) { Ok(()) } else { Err(Untrusted::Stale) }
    }

    fn parts<'a>(&'a self, step: &'a str, subject: &'a str, salt: &'a [u8]) -> [&'a [u8]; 4] {
        [self.cookie.as_bytes(), step.as_bytes(), subject.as_bytes(), salt]
    }
}

/// Whether nothing says that the request was made by another site. Browsers say where a form comes from; other programs
/// need not, but have no cookie of somebody else's.
pub(super) fn is_from_here(call: &Call, services: &Services) -> bool {
    let site = call.header("sec-fetch-site");
    if !matches!(site, None | Some("same-origin")) {
        return false;
    }
    match call.headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default()) {
        None => true,
        // Sent by browsers that hide where somebody comes from; then the other header must say it.
        Some("null") => site.is_some(),
        Some(origin) => is_origin_of(origin, &services.issuer) || is_own_loopback(origin, call),
    }
}

/// Whether browsers call the URL's origin so: in lower case, and without the port that the scheme has anyway.
fn is_origin_of(origin: &str, url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.origin().ascii_serialization() == origin)
}

/// The server may be reached under another name of this machine than the configured one.
fn is_own_loopback(origin: &str, call: &Call) -> bool {
    let Some(place) = origin.strip_prefix("http://") else { return false };
    let host = place.rsplit_once(':').map_or(place, |(host, _)| host);
    ["localhost", "127.0.0.1", "[::1]"].contains(&host) && call.header(HOST.as_str()) == Some(place)
}

/// Scheme, host and port of a URL.
pub(super) fn origin_of(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let end = url[after_scheme..].find(['/', '?']).map_or(url.len(), |at| after_scheme + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_ours_however_the_configuration_writes_it() {
        for url in ["https://a.example", "https://A.example:443/sub", "https://a.example/"] {
            assert!(is_origin_of("https://a.example", url), "{url}");
        }
        for other in ["http://a.example", "https://a.example:8443", "https://b.a.example", "null", ""] {
            assert!(!is_origin_of(other, "https://a.example"), "{other}");
        }
    }

    #[test]
    fn an_origin_ends_before_the_path() {
        assert_eq!(origin_of("https://a.example:8443/cb?x=//y"), "https://a.example:8443");
        assert_eq!(origin_of("https://a.example?x"), "https://a.example");
        assert_eq!(origin_of("http://[::1]:80"), "http://[::1]:80");
    }
}
