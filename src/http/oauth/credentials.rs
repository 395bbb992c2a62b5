//! What a request shows of its client (RFC 6749, section 2.3; RFC 7523, section 2.2).

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::http::header::AUTHORIZATION;
use url::form_urlencoded;

use super::Services;
use super::call::{Call, Pairs};
use crate::oauth::{Client, ClientProof, ErrorCode, OAuthError};

/// The only type of assertion (RFC 7523, section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The client behind a request to the endpoint at `path`.
///
/// # Errors
///
/// `invalid_client`; `invalid_request` when the client is said twice, in two ways, or in the URL.
pub async fn authenticate(
    services: &Services,
    call: &Call,
    form: &Pairs,
    path: &str,
) -> Result<Arc<Client>, OAuthError> {
    let proof = proof(call, form)?;
    let url = format!("{}{path}", services.issuer);
    services.clients.authenticate(proof, &url).await
}

/// The token of the header `Authorization: Bearer` (RFC 6750, section 2.1).
pub fn bearer(call: &Call) -> Option<&str> {
    let (scheme, token) = authorization(call)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The header, when it comes once.
fn authorization(call: &Call) -> Option<&str> {
    let mut values = call.headers.get_all(AUTHORIZATION).iter();
    let only = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(only)
}

fn proof<'a>(call: &'a Call, form: &'a Pairs) -> Result<ClientProof<'a>, OAuthError> {
    let refused = |text: &str| OAuthError::new(ErrorCode::InvalidRequest, text);
    if ["client_secret", "client_assertion"].iter().any(|name| call.query.has(name)) {
        return Err(refused("a client's secret must not be in the URL"));
    }
    let (client_id, secret) = (form.one("client_id")?, form.one("client_secret")?);
    let assertion = form.one("client_assertion")?;
    let kind = form.one("client_assertion_type")?;
    let header = call.headers.contains_key(AUTHORIZATION);
    if usize::from(header) + usize::from(secret.is_some()) + usize::from(assertion.is_some()) > 1 {
        return Err(refused("the client must authenticate in one way only"));
    }
    if header {
        return basic(call, client_id);
    }
    match (client_id, secret, assertion) {
        (client_id, _, Some(assertion)) => {
            if kind != Some(JWT_BEARER) {
                return Err(OAuthError::new(ErrorCode::InvalidClient, "`client_assertion_type` is not known"));
            }
            Ok(ClientProof::Assertion { client_id: client_id.map(Cow::Borrowed), assertion: assertion.into() })
        }
        (Some(client_id), Some(secret), None) => {
            Ok(ClientProof::Post { client_id: client_id.into(), secret: secret.into() })
        }
        (Some(client_id), None, None) => Ok(ClientProof::Name(client_id.into())),
        (None, ..) => {
            Err(OAuthError::new(ErrorCode::InvalidClient, "the request does not say which client it is from"))
        }
    }
}

/// Name and secret of the header, each form-encoded (RFC 6749, section 2.3.1).
fn basic<'a>(call: &'a Call, client_id: Option<&str>) -> Result<ClientProof<'a>, OAuthError> {
    let failed = |text: &str| OAuthError::new(ErrorCode::InvalidClient, text);
    let header = authorization(call).ok_or_else(|| failed("the header Authorization must come once"))?;
    let (scheme, encoded) = header.split_once(' ').unwrap_or((header, ""));
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(failed("clients authenticate with Basic in the header Authorization"));
    }
    let decoded = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = decoded.ok_or_else(|| failed("the header Authorization cannot be read"))?;
    let (name, secret) = decoded.split_once(':').ok_or_else(|| failed("the header Authorization cannot be read"))?;
    let (name, secret) = (form_decoded(name), form_decoded(secret));
    if client_id.is_some_and(|client_id| client_id != name) {
        return Err(OAuthError::new(
            ErrorCode::InvalidRequest,
            "`client_id` is not the client of the header Authorization",
        ));
    }
    Ok(ClientProof::Basic { client_id: name.into(), secret: secret.into() })
}

fn form_decoded(text: &str) -> String {
    // `&` and `=` separate in forms; here they can only be part of the text.
    let text = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use poem::http::{HeaderMap, HeaderValue, Method};

    use super::*;

    fn call(authorization: Option<&str>, query: &str) -> Call {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        Call {
            head: false,
            method: Method::POST,
            headers,
            raw_query: query.to_owned(),
            query: Pairs::parse(query.as_bytes()),
            body: bytes::Bytes::new(),
            parameter: None,
            origin: crate::accounts::Origin::default(),
        }
    }

    fn read(authorization: Option<&str>, query: &str, form: &str) -> Result<String, ErrorCode> {
        let (call, form) = (call(authorization, query), Pairs::parse(form.as_bytes()));
        proof(&call, &form).map(|proof| format!("{proof:?}")).map_err(|error| error.code)
    }

    fn encoded(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn a_client_shows_a_name_a_secret_or_an_assertion() {
        let assertion = format!("client_assertion=a.b.c&client_assertion_type={JWT_BEARER}");
        for (header, form, read_as) in [
            (None, "client_id=a", r#"Name("a")"#),
            (None, "client_id=a&client_secret=", r#"Name("a")"#),
            (None, "client_id=a&client_secret=s", r#"Post { client_id: "a", secret: "s" }"#),
            (Some(encoded("a:s")), "", r#"Basic { client_id: "a", secret: "s" }"#),
            (Some(encoded("a:s")), "client_id=a", r#"Basic { client_id: "a", secret: "s" }"#),
            (Some(encoded("a:s").replace("Basic", "bAsIc")), "", r#"Basic { client_id: "a", secret: "s" }"#),
            (
                Some(encoded("https%3A%2F%2Fc.example%2Fc:a%2Bb+%25:=&")),
                "",
                r#"Basic { client_id: "https://c.example/c", secret: "a+b %:=&" }"#,
            ),
            (None, &assertion, r#"Assertion { client_id: None, assertion: "a.b.c" }"#),
        ] {
            assert_eq!(read(header.as_deref(), "", form).as_deref(), Ok(read_as), "{header:?} {form}");
        }
    }

    #[test]
    fn two_ways_at_once_are_refused() {
        let assertion = format!("client_id=a&client_assertion=a.b.c&client_assertion_type={JWT_BEARER}");
        for (header, query, form, code) in [
            (Some(encoded("a:s")), "", "client_secret=s", ErrorCode::InvalidRequest),
            (Some(encoded("a:s")), "", assertion.as_str(), ErrorCode::InvalidRequest),
            (None, "", &format!("{assertion}&client_secret=s"), ErrorCode::InvalidRequest),
            (Some(encoded("a:s")), "", "client_id=b", ErrorCode::InvalidRequest),
            (None, "client_id=a&client_secret=s", "", ErrorCode::InvalidRequest),
            (None, "client_assertion=a.b.c", "client_id=a", ErrorCode::InvalidRequest),
            (None, "", "client_id=a&client_id=a", ErrorCode::InvalidRequest),
            (None, "", "client_id=a&client_secret=s&client_secret=t", ErrorCode::InvalidRequest),
            (None, "", "client_id=a&client_assertion=a.b.c", ErrorCode::InvalidClient),
            (None, "", "client_assertion=a.b.c&client_assertion_type=x", ErrorCode::InvalidClient),
            (None, "", "", ErrorCode::InvalidClient),
            (None, "", "client_secret=s", ErrorCode::InvalidClient),
            (Some("Basic !".to_owned()), "", "", ErrorCode::InvalidClient),
            (Some(encoded("no colon")), "", "", ErrorCode::InvalidClient),
            (Some("Bearer x".to_owned()), "", "client_id=a", ErrorCode::InvalidClient),
            (Some("Basic".to_owned()), "", "client_id=a", ErrorCode::InvalidClient),
        ] {
            assert_eq!(read(header.as_deref(), query, form), Err(code), "{header:?} {query} {form}");
        }
    }
}
