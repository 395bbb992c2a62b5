//! What values may be.

#![expect(
    clippy::option_option,
    reason = "the outer says whether the value could be read, the inner whether one was chosen"
)]

use std::fmt;
use std::path::PathBuf;

use url::Url;
use zeroize::Zeroizing;

use super::source::Raw;
use crate::objects::Place;
use crate::scoring::params::ParamSetting;
use crate::secret_key::LEAST_BYTES;

/// A text that no log, message or debug output shows.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// What kind of installation this is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// A developer's machine.
    #[default]
    Development,
    /// Automatic tests.
    Test,
    /// The same, as others write it.
    Testing,
    /// A rehearsal of production.
    Staging,
    /// People rely on it.
    Production,
}

impl Environment {
    /// The word in configuration and in `/health`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Test => "test",
            Self::Testing => "testing",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

/// What failing test cases do to a policy that was saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PolicyTests {
    /// They are reported; the policy goes live.
    #[default]
    Warn,
    /// They keep the last good version live.
    Require,
}

/// How accounts come to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    /// Anyone may register.
    #[default]
    Open,
    /// Only who was invited.
    Invite,
    /// Only operators make accounts.
    Closed,
}

/// Which levels of which parts are logged, as `tracing` reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// Only what is wrong.
    pub fn warnings() -> Self {
        Self("warn".to_owned())
    }

    /// A filter of a test.
    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The filter's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

pub(super) fn text(raw: &Raw) -> Option<&str> {
    match raw {
        Raw::Plain(text) | Raw::Text(text) => Some(text.trim()),
        _ => None,
    }
}

/// Nothing where the text is empty, which is the default of optional values; `None` where `parse` refuses.
pub(super) fn optional<T>(raw: &Raw, parse: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    match text(raw)? {
        "" => Some(None),
        text => parse(text).map(Some),
    }
}

pub(super) fn integer<T: TryFrom<i64> + Copy>(min: T, max: T) -> impl Fn(&Raw) -> Option<T>
where
    i64: TryFrom<T>,
{
    move |raw| {
        let number = match raw {
            Raw::Plain(text) => text.trim().parse().ok()?,
            Raw::Integer(number) => *number,
            _ => return None,
        };
        let (min, max) = (i64::try_from(min).ok()?, i64::try_from(max).ok()?);
        if (min..=max).contains(&number) { T::try_from(number).ok() } else { None }
    }
}

/// A number that may be left out.
pub(super) fn optional_integer<T: TryFrom<i64> + Copy>(min: T, max: T) -> impl Fn(&Raw) -> Option<Option<T>>
where
    i64: TryFrom<T>,
{
    let number = integer(min, max);
    move |raw| if text(raw) == Some("") { Some(None) } else { number(raw).map(Some) }
}

pub(super) fn boolean(raw: &Raw) -> Option<bool> {
    match raw {
        Raw::Boolean(value) => Some(*value),
        Raw::Plain(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn path(raw: &Raw) -> Option<PathBuf> {
    text(raw).filter(|text| !text.is_empty()).map(PathBuf::from)
}

pub(super) fn optional_path(raw: &Raw) -> Option<Option<PathBuf>> {
    optional(raw, |text| Some(PathBuf::from(text)))
}

pub(super) fn host(raw: &Raw) -> Option<String> {
    let host = text(raw)?;
    let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let address = host.parse::<std::net::IpAddr>().is_ok();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (address || (!host.is_empty() && host.chars().all(plain))).then(|| host.to_owned())
}

/// A host that may be left out.
pub(super) fn optional_host(raw: &Raw) -> Option<Option<String>> {
    if text(raw)?.is_empty() { Some(None) } else { host(raw).map(Some) }
}

/// A port that may be left out.
pub(super) fn optional_port(raw: &Raw) -> Option<Option<u16>> {
    match raw {
        Raw::Plain(text) | Raw::Text(text) if text.trim().is_empty() => Some(None),
        _ => integer(1, u16::MAX)(raw).map(Some),
    }
}

pub(super) fn public_url(raw: &Raw) -> Option<Option<String>> {
    optional(raw, |text| {
        let url = Url::parse(text).ok()?;
        let web = matches!(url.scheme(), "http" | "https") && url.has_host();
        let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        (web && bare && url.password().is_none()).then(|| text.trim_end_matches('/').to_owned())
    })
}

/// A provider's URL: over TLS, or on this machine for tests. A slash at the end is part of an issuer's name.
pub(super) fn optional_issuer(raw: &Raw) -> Option<Option<String>> {
    optional(raw, |text| {
        let url = Url::parse(text).ok()?;
        let here = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        let safe = url.scheme() == "https" && url.has_host() || url.scheme() == "http" && here;
        let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        (safe && bare && url.password().is_none()).then(|| text.to_owned())
    })
}

/// The same where one must be; without a slash at the end.
pub(super) fn site(raw: &Raw) -> Option<String> {
    optional_issuer(raw)?.map(|url| url.trim_end_matches('/').to_owned())
}

/// A text that may be left out.
pub(super) fn optional_words(raw: &Raw) -> Option<Option<String>> {
    optional(raw, words_of)
}

/// A text.
pub(super) fn words(raw: &Raw) -> Option<String> {
    words_of(text(raw)?)
}

fn words_of(text: &str) -> Option<String> {
    (!text.is_empty() && text.chars().count() <= 200 && !text.contains(char::is_control)).then(|| text.to_owned())
}

/// A secret that may be left out.
pub(super) fn optional_secret(raw: &Raw) -> Option<Option<Secret>> {
    optional(raw, |text| Some(Secret::new(text)))
}

/// Where objects are kept. Which paths and buckets there are is for the store to say; here only what cannot be one is
/// refused.
pub(super) fn optional_place(raw: &Raw) -> Option<Option<String>> {
    optional(raw, |text| Place::parse(text).is_ok().then(|| text.to_owned()))
}

/// A bucket's name.
pub(super) fn optional_bucket(raw: &Raw) -> Option<Option<String>> {
    optional(raw, |text| {
        (!text.contains('/') && Place::parse(&format!("s3://{text}")).is_ok()).then(|| text.to_owned())
    })
}

/// Media types without parameters; `image/*` stands for all images.
pub(super) fn media_types(raw: &Raw) -> Option<Vec<String>> {
    let token = |text: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '+' | '-' | '_');
        !text.is_empty() && text.chars().all(plain)
    };
    let media_type = |text: &String| {
        let text = text.trim().to_ascii_lowercase();
        let (kind, sub) = text.split_once('/')?;
        (token(kind) && (sub == "*" || token(sub))).then(|| text.clone())
    };
    list(raw)?.iter().map(media_type).collect()
}

pub(super) fn origins(raw: &Raw) -> Option<Vec<String>> {
    list(raw)?.iter().map(|text| origin(text.trim())).collect()
}

/// `policy.parameter=value`, each; whether a policy has such a parameter shows when it is loaded.
pub(super) fn param_settings(raw: &Raw) -> Option<Vec<ParamSetting>> {
    list(raw)?.iter().map(|text| ParamSetting::parse(text)).collect()
}

/// Public keys of age (`age1…`, Bech32); whether each is one shows at the start.
pub(super) fn public_keys(raw: &Raw) -> Option<Vec<String>> {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let keys: Vec<String> = list(raw)?.iter().map(|text| text.trim().to_owned()).collect();
    keys.iter().all(|key| key.starts_with("age1") && plain(key)).then_some(keys)
}

/// Hosts, and schemes with a colon.
pub(super) fn places(raw: &Raw) -> Option<Vec<String>> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    let place = |text: &String| {
        let place = text.trim().to_ascii_lowercase();
        let six = place.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let known = match six {
            Some(six) => six.parse::<std::net::Ipv6Addr>().is_ok(),
            None => place.strip_suffix(':').unwrap_or(&place).chars().all(plain) && place.len() > 1,
        };
        known.then_some(place)
    };
    list(raw)?.iter().map(place).collect()
}

/// E-mail addresses; an empty list is none.
pub(super) fn emails(raw: &Raw) -> Option<Vec<String>> {
    list(raw)?.into_iter().map(|email| email.contains('@').then_some(email)).collect()
}

/// A list of the file; in the environment separated by commas, or a JSON array.
pub(super) fn list(raw: &Raw) -> Option<Vec<String>> {
    match raw {
        Raw::List(items) => Some(items.clone()),
        Raw::Plain(text) if text.trim_start().starts_with('[') && text.contains('"') => serde_json::from_str(text).ok(),
        Raw::Plain(text) => {
            Some(text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect())
        }
        _ => None,
    }
}

/// An origin as browsers send it (RFC 6454, section 6.2): scheme, host, port, nothing else.
fn origin(text: &str) -> Option<String> {
    if text == "*" {
        return Some("*".to_owned());
    }
    let url = Url::parse(text).ok()?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    (bare && url.has_host() && url.origin().is_tuple()).then(|| url.origin().ascii_serialization())
}

pub(super) fn environment(raw: &Raw) -> Option<Environment> {
    use Environment::{Development, Production, Staging, Test, Testing};
    let word = text(raw)?.to_ascii_lowercase();
    [Development, Test, Testing, Staging, Production].into_iter().find(|one| one.as_str() == word)
}

pub(super) fn policy_tests(raw: &Raw) -> Option<PolicyTests> {
    match text(raw)?.to_ascii_lowercase().as_str() {
        "warn" => Some(PolicyTests::Warn),
        "require" => Some(PolicyTests::Require),
        _ => None,
    }
}

pub(super) fn registration(raw: &Raw) -> Option<Registration> {
    match text(raw)?.to_ascii_lowercase().as_str() {
        "open" => Some(Registration::Open),
        "invite" => Some(Registration::Invite),
        "closed" => Some(Registration::Closed),
        _ => None,
    }
}

pub(super) fn database_url(raw: &Raw) -> Option<Option<Secret>> {
    optional(raw, |text| {
        let known = ["sqlite:", "postgres://", "postgresql://"]
            .iter()
            .any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.trim_start_matches('/').is_empty()));
        known.then(|| Secret::new(text))
    })
}

/// A secret that is long enough to seal others with.
pub(super) fn secret_key(raw: &Raw) -> Option<Option<Secret>> {
    optional(raw, |text| (text.len() >= LEAST_BYTES).then(|| Secret::new(text)))
}

pub(super) fn private_key(raw: &Raw) -> Option<Option<Secret>> {
    optional(raw, |text| pem(text, "PRIVATE KEY-----").map(Secret::new))
}

pub(super) fn public_key(raw: &Raw) -> Option<Option<String>> {
    optional(raw, |text| pem(text, "PUBLIC KEY-----"))
}

/// A PEM text; environments that hold one line only write its line breaks as `\n`.
fn pem(text: &str, kind: &str) -> Option<String> {
    let text = text.replace("\\n", "\n");
    let begins =
        text.starts_with("-----BEGIN ") && text.lines().next().is_some_and(|line| line.trim_end().ends_with(kind));
    (begins && text.trim_end().ends_with(kind)).then_some(text)
}

/// A level, or several `part=level` separated by commas. Python's `WARNING` and `CRITICAL` are understood.
pub(super) fn log_filter(raw: &Raw) -> Option<LogFilter> {
    let items: Option<Vec<String>> = text(raw)?
        .split(',')
        .map(|item| match item.trim().split_once('=') {
            Some((part, level)) => {
                let plain =
                    !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'));
                log_level(level).filter(|_| plain).map(|level| format!("{part}={level}"))
            }
            None => log_level(item).map(str::to_owned),
        })
        .collect();
    items.map(|items| LogFilter(items.join(",")))
}

fn log_level(word: &str) -> Option<&'static str> {
    match word.trim().to_ascii_lowercase().as_str() {
        "off" => Some("off"),
        "error" | "critical" => Some("error"),
        "warn" | "warning" => Some("warn"),
        "info" => Some("info"),
        "debug" => Some("debug"),
        "trace" => Some("trace"),
        _ => None,
    }
}
