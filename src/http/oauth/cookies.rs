//! The cookie by which a browser is known.
//!
//! Before somebody signs in it holds a random value of no meaning, to which forms are bound; each sign-in replaces it.

use poem::http::HeaderMap;
use poem::http::header::COOKIE;

use super::Services;

/// Characters of a value: 256 random bits in base64url.
const LENGTH: usize = 43;

/// The name. With `__Host-`, browsers take it over TLS only and from no other host, also no subdomain (RFC 6265bis,
/// section 4.1.3.2); without TLS they would not take it at all.
fn name(services: &Services) -> &'static str {
    if is_secure(services) { "__Host-mindflow" } else { "mindflow" }
}

fn is_secure(services: &Services) -> bool {
    services.issuer.starts_with("https:")
}

/// The value that the request shows, if it could be one of ours.
pub(super) fn shown(headers: &HeaderMap, services: &Services) -> Option<String> {
    let name = name(services);
    let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let values = pairs.filter(|(own, _)| *own == name).map(|(_, value)| value);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    values.filter(|value| value.len() == LENGTH && value.bytes().all(allowed)).map(str::to_owned).next()
}

/// `Set-Cookie` for a value before sign-in: as long as the browser runs.
pub(super) fn before_sign_in(value: &str, services: &Services) -> String {
    cookie(value, "", services)
}

/// `Set-Cookie` for a value that somebody is signed in with; the server ends it sooner when it is not used.
pub(super) fn signed_in(value: &str, services: &Services) -> String {
    let seconds = services.accounts.browser_life().most.as_secs();
    cookie(value, &format!("; Max-Age={seconds}"), services)
}

/// `Set-Cookie` that takes the cookie away.
pub(super) fn gone(services: &Services) -> String {
    cookie("", "; Max-Age=0", services)
}

fn cookie(value: &str, life: &str, services: &Services) -> String {
    let secure = if is_secure(services) { "; Secure" } else { "" };
    format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{life}", name(services))
}
