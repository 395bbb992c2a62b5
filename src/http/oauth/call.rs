//! A request to an endpoint of OAuth, read whole.

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use poem::Request;
use poem::http::header::CONTENT_TYPE;
use poem::http::{HeaderMap, Method, StatusCode};
use url::form_urlencoded;

use crate::accounts::Origin;
use crate::http::accounts::origin::origin_of;
use crate::http::contract::too_slow;
use crate::http::problem::ApiError;
use crate::oauth::{ErrorCode, OAuthError};

/// The largest body, in bytes; a registration with every field at its limit is smaller.
const MAX_BODY: usize = 128 * 1024;

/// Marks a `GET` that was a `HEAD`, in the extensions of the request.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct WasHead;

/// A request.
#[derive(Clone, Debug)]
pub struct Call {
    /// `GET` also for `HEAD`.
    pub method: Method,
    /// Whether it was a `HEAD`, which must not do anything.
    pub head: bool,
    /// The headers.
    pub headers: HeaderMap,
    /// The query as it was sent, without the question mark.
    pub raw_query: String,
    /// The query's parameters.
    pub query: Pairs,
    /// The body.
    pub body: Bytes,
    /// What stands in the place of the pattern's parameter.
    pub parameter: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
}

impl Call {
    /// Reads a request; its body must come within `patience`.
    ///
    /// # Errors
    ///
    /// 400, 408 and 413.
    pub(super) async fn read(
        request: &mut Request,
        parameter: Option<String>,
        patience: Duration,
    ) -> Result<Self, ApiError> {
        let body = tokio::time::timeout(patience, read_body(request)).await.map_err(|_| too_slow(patience))??;
        let raw_query = request.uri().query().unwrap_or_default().to_owned();
        Ok(Self {
            method: request.method().clone(),
            head: request.data::<WasHead>().is_some(),
            headers: request.headers().clone(),
            query: Pairs::parse(raw_query.as_bytes()),
            raw_query,
            body,
            parameter,
            origin: origin_of(request),
        })
    }

    /// The parameters of a form in the body (RFC 6749, appendix B).
    ///
    /// # Errors
    ///
    /// `invalid_request` when the body is no form.
    pub fn form(&self) -> Result<Pairs, OAuthError> {
        let kind = self.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let text = "the body must be a form: Content-Type application/x-www-form-urlencoded";
            return Err(OAuthError::new(ErrorCode::InvalidRequest, text));
        }
        Ok(Pairs::parse(&self.body))
    }

    /// The same for requests of clients, in which no parameter may come twice, known or not (RFC 6749, section 3.2); only
    /// `resource` may (RFC 8707, section 2).
    ///
    /// # Errors
    ///
    /// `invalid_request` when the body is no form, or a parameter comes twice.
    pub fn client_form(&self) -> Result<Pairs, OAuthError> {
        let form = self.form()?;
        let mut seen = HashSet::new();
        let again = form.0.iter().find(|(name, _)| name != "resource" && !seen.insert(name.as_str()));
        match again {
            Some((name, _)) => {
                Err(OAuthError::new(ErrorCode::InvalidRequest, format!("`{name}` is given more than once")))
            }
            None => Ok(form),
        }
    }

    /// A header that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

async fn read_body(request: &mut Request) -> Result<Bytes, ApiError> {
    let mut stream = request.take_body().into_bytes_stream();
    let mut body = BytesMut::new();
    let broken = |_| ApiError::new(StatusCode::BAD_REQUEST, "unreadable-body", "The body cannot be read");
    while let Some(piece) = stream.try_next().await.map_err(broken)? {
        if body.len() + piece.len() > MAX_BODY {
            super::super::drain::discard(stream).await;
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large")
                .detail(format!("At most {MAX_BODY} bytes are read here.")));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// The parameters of a query or form, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(Vec<(String, Option<String>)>);

impl Pairs {
    /// Reads `name=value&…`. A value that is no UTF-8 is kept as such and refused by who asks for it.
    pub fn parse(text: &[u8]) -> Self {
        let decode = |part: &[u8]| -> Option<String> {
            let spaced: Vec<u8> = part.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
            percent_encoding::percent_decode(&spaced).decode_utf8().ok().map(Cow::into_owned)
        };
        let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .filter_map(|pair| {
                    let (name, value) = pair.split_at(pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len()));
                    Some((decode(name)?, decode(value.strip_prefix(b"=").unwrap_or_default())))
                })
                .collect(),
        )
    }

    /// The one value of a parameter. One without a value counts as missing (RFC 6749, section 3.1).
    ///
    /// # Errors
    ///
    /// `invalid_request` when it comes twice or is no UTF-8.
    pub fn one(&self, name: &str) -> Result<Option<&str>, OAuthError> {
        let mut found = self.0.iter().filter(|(own, _)| own == name);
        let first = found.next();
        if found.next().is_some() {
            return Err(OAuthError::new(ErrorCode::InvalidRequest, format!("`{name}` is given more than once")));
        }
        match first {
            None => Ok(None),
            Some((_, Some(value))) => Ok((!value.is_empty()).then_some(value)),
            Some((_, None)) => Err(OAuthError::new(ErrorCode::InvalidRequest, format!("`{name}` is no UTF-8"))),
        }
    }

    /// The one value of a parameter that must be there.
    ///
    /// # Errors
    ///
    /// `invalid_request` when it is missing, comes twice or is no UTF-8.
    pub fn required(&self, name: &str) -> Result<&str, OAuthError> {
        let missing = || OAuthError::new(ErrorCode::InvalidRequest, format!("`{name}` is missing"));
        self.one(name)?.ok_or_else(missing)
    }

    /// All values of a parameter that may be given several times; without one it is as if it were not given (RFC 6749,
    /// section 3.1). One that is no UTF-8 becomes a text that nothing allows.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let own = self.0.iter().filter(move |(own, _)| own == name);
        own.map(|(_, value)| value.as_deref().unwrap_or("\u{fffd}")).filter(|value| !value.is_empty())
    }

    /// Whether a parameter is there, whatever its value.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| own == name)
    }

    /// The parameters in order; those that are no UTF-8 are left out.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)))
    }

    /// The parameters as a query, without those that `leaves_out` names.
    pub fn to_query(&self, leaves_out: &[&str]) -> String {
        let kept = self.iter().filter(|(name, _)| !leaves_out.contains(name));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_once() {
        let pairs = Pairs::parse(b"a=1+2&b=%2B%26&&c&d=&e=%252F");

        assert_eq!(pairs.one("a").unwrap(), Some("1 2"));
        assert_eq!(pairs.one("b").unwrap(), Some("+&"));
        assert_eq!((pairs.one("c").unwrap(), pairs.one("d").unwrap(), pairs.one("x").unwrap()), (None, None, None));
        assert_eq!(pairs.one("e").unwrap(), Some("%2F"));
        assert_eq!(pairs.to_query(&["a", "e"]), "b=%2B%26&c=&d=");
    }

    #[test]
    fn a_parameter_counts_once() {
        let pairs = Pairs::parse(b"a=1&a=1&r=x&r=&r=y&r=%FF&bad=%FF");

        assert_eq!(pairs.one("a").unwrap_err().code, ErrorCode::InvalidRequest);
        assert_eq!(pairs.all("r").collect::<Vec<_>>(), ["x", "y", "\u{fffd}"]);
        assert!(pairs.one("bad").is_err() && pairs.has("bad") && pairs.required("none").is_err());
    }
}
