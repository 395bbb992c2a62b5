//! OpenID Connect: discovery, the ID token, and what the provider says of its user.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::TokenResponse as _;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::provider::Tokens;
use super::wire::{Wire, endpoint};
use super::{Endpoints, UpstreamError};
use crate::accounts::identities::Foreign;
use crate::clock::Timestamp;

/// How far clocks may differ, in seconds.
const LEEWAY_SECONDS: i64 = 60;
/// The longest subject (OpenID Connect Core, section 2).
const MOST_SUBJECT: usize = 255;

/// The discovery document (OpenID Connect Discovery, section 3), as far as it is needed.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// What a provider says of its user.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    email: Option<String>,
    #[serde(default)]
    email_verified: Value,
    name: Option<String>,
}

/// The ID token's own claims (OpenID Connect Core, section 2).
#[derive(Deserialize)]
struct IdToken {
    iss: String,
    aud: Value,
    azp: Option<String>,
    exp: i64,
    nonce: Option<String>,
    #[serde(flatten)]
    claims: Claims,
}

/// What the ID token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: Timestamp,
}

/// Asks an issuer for its endpoints.
pub(super) async fn discover(wire: &Wire, issuer: &str) -> Result<Endpoints, UpstreamError> {
    let url = endpoint(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')))?;
    let found: Discovery = wire.get(&url, None).await?;
    if found.issuer != issuer {
        return Err(UpstreamError::Untrusted("its discovery document names another issuer"));
    }
    let methods = &found.token_endpoint_auth_methods_supported;
    let has = |name: &str| methods.iter().any(|method| method == name);
    Ok(Endpoints {
        authorization: endpoint(&found.authorization_endpoint)?,
        token: endpoint(&found.token_endpoint)?,
        userinfo: found.userinfo_endpoint.as_deref().map(endpoint).transpose()?,
        names_issuer: found.authorization_response_iss_parameter_supported,
        // Basic is the default (Discovery, section 3).
        secret_in_body: !has("client_secret_basic") && has("client_secret_post"),
        issuer: found.issuer,
    })
}

/// Finds out who the tokens are about.
///
/// The ID token came from the token endpoint over TLS, which stands for its signature (Core, section 3.1.3.7, rule 6).
pub(super) async fn identify(
    wire: &Wire,
    tokens: &Tokens,
    userinfo: Option<&Url>,
    expected: &Expected<'_>,
) -> Result<Foreign, UpstreamError> {
    let id_token = tokens.extra_fields().id_token.as_deref();
    let id_token = read(id_token.ok_or(UpstreamError::Untrusted("there is no ID token"))?, expected)?;
    let claims = match userinfo {
        Some(url) => {
            let claims: Claims = wire.get(url, Some(tokens.access_token().secret())).await?;
            // Core, section 5.3.2.
            if claims.sub != id_token.claims.sub {
                return Err(UpstreamError::Untrusted("it speaks of two people"));
            }
            if claims.email.is_some() { claims } else { Claims { name: claims.name, ..id_token.claims } }
        }
        None => id_token.claims,
    };
    Ok(Foreign {
        provider: "",
        provider_name: String::new(),
        subject: claims.sub,
        // Some providers write a string.
        email_verified: claims.email_verified == Value::Bool(true) || claims.email_verified == "true",
        email: claims.email,
        full_name: claims.name,
    })
}

fn read(token: &str, expected: &Expected<'_>) -> Result<IdToken, UpstreamError> {
    let unreadable = UpstreamError::Untrusted("its ID token cannot be read");
    let Some(payload) = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()) else {
        return Err(unreadable);
    };
    let Ok(token) = serde_json::from_slice::<IdToken>(&payload) else { return Err(unreadable) };
    let (for_us, alone) = match &token.aud {
        Value::String(one) => (one == expected.client_id, true),
        Value::Array(all) => (all.iter().any(|one| one == expected.client_id), all.len() == 1),
        _ => (false, true),
    };
    let authorized = token.azp.as_deref().map_or(alone, |party| party == expected.client_id);
    let fault = if token.iss != expected.issuer {
        "its ID token is another issuer's"
    } else if !for_us || !authorized {
        "its ID token is for another client"
    } else if token.exp <= expected.now.as_seconds() - LEEWAY_SECONDS {
        "its ID token has expired"
    } else if token.nonce.as_deref() != Some(expected.nonce) {
        "its ID token answers another request"
    } else if token.claims.sub.is_empty() || token.claims.sub.len() > MOST_SUBJECT {
        "its ID token names nobody"
    } else {
        return Ok(token);
    };
    Err(UpstreamError::Untrusted(fault))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const EXPECTED: Expected<'_> = Expected {
        issuer: "https://issuer.example",
        client_id: "mindflow",
        nonce: "n",
        now: Timestamp::from_micros(1_800_000_000_000_000),
    };

    fn fault(changes: &Value) -> Option<&'static str> {
        let mut claims = json!({
            "iss": "https://issuer.example", "aud": "mindflow", "exp": 1_800_000_300, "nonce": "n", "sub": "7",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
        match read(&token, &EXPECTED) {
            Ok(_) => None,
            Err(UpstreamError::Untrusted(fault)) => Some(fault),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_id_token_must_be_for_this_request_of_this_client() {
        assert_eq!(fault(&json!({})), None);
        assert_eq!(fault(&json!({ "aud": ["mindflow"] })), None);
        assert_eq!(fault(&json!({ "aud": ["mindflow", "other"], "azp": "mindflow" })), None);
        for (changes, told) in [
            (json!({ "iss": "https://issuer.example/" }), "another issuer's"),
            (json!({ "aud": "other" }), "another client"),
            (json!({ "aud": ["mindflow", "other"] }), "another client"),
            (json!({ "aud": ["mindflow", "other"], "azp": "other" }), "another client"),
            (json!({ "aud": "mindflow", "azp": "other" }), "another client"),
            (json!({ "exp": 1_799_999_940 }), "expired"),
            (json!({ "nonce": "m" }), "another request"),
            (json!({ "nonce": null }), "another request"),
            (json!({ "sub": "" }), "nobody"),
            (json!({ "sub": 7 }), "cannot be read"),
        ] {
            assert!(fault(&changes).is_some_and(|fault| fault.contains(told)), "{changes}");
        }
        for token in ["", "x", "a.b.c", "e30.e30."] {
            assert!(read(token, &EXPECTED).is_err(), "{token}");
        }
    }
}
