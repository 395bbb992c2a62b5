//! The parameters of an authorization request, decoded byte by byte.

use std::borrow::Cow;
use std::fmt::Write as _;

use percent_encoding::percent_decode;

use super::error::{ErrorCode, OAuthError};

/// What the protocol knows; each may come once (RFC 6749, section 3.1). `resource` may come more often (RFC 8707).
const ONCE: [&str; 20] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "prompt",
    "max_age",
    "login_hint",
    "id_token_hint",
    "ui_locales",
    "display",
    "acr_values",
    "claims",
    "request",
    "request_uri",
    "registration",
];

/// Names and values as they came (`application/x-www-form-urlencoded`), in their order.
///
/// Values are bytes: a `state` must go back exactly, whatever it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(Vec<u8>, Vec<u8>)>);

impl Parameters {
    /// Reads a query or a body.
    pub fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decode(name), decode(value)))
                .collect(),
        )
    }

    /// The value of a parameter; one without a value counts as left out (RFC 6749, section 3.1).
    ///
    /// # Errors
    ///
    /// `invalid_request` when it comes twice or is not text.
    pub fn one(&self, name: &str) -> Result<Option<&str>, OAuthError> {
        let Some(bytes) = self.bytes(name)? else { return Ok(None) };
        std::str::from_utf8(bytes).map(Some).map_err(|_| invalid(format!("`{name}` is not UTF-8")))
    }

    /// The same, of any bytes.
    pub fn bytes(&self, name: &str) -> Result<Option<&[u8]>, OAuthError> {
        let mut values = self.values(name);
        let first = values.next();
        if values.next().is_some() {
            return Err(invalid(format!("`{name}` is there more than once")));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    /// All values of a parameter that may come more than once.
    ///
    /// # Errors
    ///
    /// `invalid_request` when one is not text.
    pub fn all(&self, name: &str) -> Result<Vec<&str>, OAuthError> {
        let texts = self.values(name).filter(|value| !value.is_empty()).map(std::str::from_utf8);
        texts.collect::<Result<_, _>>().map_err(|_| invalid(format!("`{name}` is not UTF-8")))
    }

    /// Whether one of those that may come once came twice.
    pub(super) fn check_single(&self) -> Result<(), OAuthError> {
        ONCE.into_iter().try_for_each(|name| self.bytes(name).map(drop))
    }

    /// The same request with one parameter set to another value, or without it.
    #[must_use]
    pub fn with(&self, name: &str, value: Option<&str>) -> Self {
        let mut pairs = self.0.clone();
        pairs.retain(|(own, _)| own != name.as_bytes());
        pairs.extend(value.map(|value| (name.as_bytes().to_vec(), value.as_bytes().to_vec())));
        Self(pairs)
    }

    /// The query that holds them.
    pub fn to_query(&self) -> String {
        let mut query = String::new();
        for (name, value) in &self.0 {
            if !query.is_empty() {
                query.push('&');
            }
            encode(name, &mut query);
            query.push('=');
            encode(value, &mut query);
        }
        query
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter(move |(own, _)| own == name.as_bytes()).map(|(_, value)| value.as_slice())
    }
}

/// Appends bytes to a query: all but the unreserved characters are escaped (RFC 3986, section 2.3), blanks too, so that
/// readers of forms and readers of URLs see the same.
pub(super) fn encode(bytes: &[u8], query: &mut String) {
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            query.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(query, "%{byte:02X}");
        }
    }
}

fn decode(text: &str) -> Vec<u8> {
    let spaced = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    percent_decode(spaced.as_bytes()).collect()
}

pub(super) fn invalid(description: impl Into<String>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, description)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_was_sent_byte_by_byte() {
        let all = Parameters::parse("state=%00%ff+%2B%2f&a&=b&scope=&resource=x&resource=y&&name=J%C3%B6");

        assert_eq!(all.bytes("state").unwrap(), Some(&b"\0\xff +/"[..]));
        assert!(all.one("state").is_err(), "it is not text");
        assert_eq!(all.one("scope").unwrap(), None, "no value is as good as none at all");
        assert_eq!(all.one("name").unwrap(), Some("Jö"));
        assert_eq!(all.all("resource").unwrap(), ["x", "y"]);
        assert!(all.one("resource").is_err());
        assert_eq!(Parameters::parse(&all.to_query()), all);
    }

    #[test]
    fn a_parameter_can_be_replaced() {
        let all = Parameters::parse("prompt=login&state=%ff&prompt=x");

        assert_eq!(all.with("prompt", Some("select account")).to_query(), "state=%FF&prompt=select%20account");
        assert_eq!(all.with("prompt", None).to_query(), "state=%FF");
    }

    #[test]
    fn what_is_known_may_come_once() {
        assert!(Parameters::parse("x=1&x=2&resource=a&resource=b&state=").check_single().is_ok());
        assert!(Parameters::parse("state=&state=").check_single().is_err());
        assert!(Parameters::parse("nonce=1&nonce=1").check_single().is_err());
    }
}
