//! Assertions of clients (RFC 7523, section 2.2): JWTs that they sign with a key of their own, each good once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::client::Client;
use super::client_auth::refused;
use super::clients::Clients;
use super::{ErrorCode, OAuthError};
use crate::clock::Timestamp;

/// Longer texts are no assertions.
const MOST_BYTES: usize = 8192;
/// How far a client's clock may be off, in seconds.
const SKEW_SECONDS: i64 = 60;
/// The longest life of an assertion, in seconds; what libraries use at most.
const LONGEST_LIFE_SECONDS: i64 = 3600;
/// The longest `jti`, in bytes.
const LONGEST_ID: usize = 512;

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Value,
    exp: f64,
    iat: Option<f64>,
    nbf: Option<f64>,
    jti: String,
}

/// Why an assertion whose signature is right is refused; told as the end of a sentence about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum AssertionError {
    #[error("must have the client as iss and sub")]
    Client,
    #[error("must have this server as its only aud: the issuer or the token endpoint")]
    Audience,
    #[error("has expired")]
    Expired,
    #[error("must expire within an hour")]
    TooLong,
    #[error("is not valid yet")]
    NotYet,
    #[error("must have a jti of 1 to {LONGEST_ID} bytes")]
    Id,
    #[error("was used before")]
    Replayed,
}

impl From<AssertionError> for OAuthError {
    fn from(error: AssertionError) -> Self {
        Self::new(ErrorCode::InvalidClient, format!("the client assertion {error}"))
    }
}

/// The client that an assertion says to be from, before anything is proven.
pub(super) fn claimed_client(assertion: &str) -> Option<String> {
    let (_, claims) = parts(assertion)?;
    Some(claims.sub)
}

/// Header and claims, when it is a JWT that has all of what an assertion needs.
fn parts(assertion: &str) -> Option<(Header, Claims)> {
    if assertion.len() > MOST_BYTES {
        return None;
    }
    let mut parts = assertion.split('.');
    let (header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then(|| Some((json(header)?, json(claims)?)))?
}

/// A member that comes twice is refused here: two readers could choose differently.
fn json<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// The algorithm, from our list and never from the key; no extension is known, so every critical one is unknown
/// (RFC 7515, section 4.1.11).
fn algorithm(header: &Header, client: &Client) -> Option<Algorithm> {
    let only = client.metadata.token_endpoint_auth_signing_alg.as_deref();
    let typed = header.typ.as_deref().is_none_or(|typ| {
        let typ = typ.to_ascii_lowercase();
        matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "client-authentication+jwt")
    });
    if header.crit.is_some() || !typed || only.is_some_and(|only| only != header.alg) {
        return None;
    }
    match header.alg.as_str() {
        "RS256" => Some(Algorithm::RS256),
        "ES256" => Some(Algorithm::ES256),
        "EdDSA" | "Ed25519" => Some(Algorithm::EdDSA),
        _ => None,
    }
}

impl Clients {
    /// Checks an assertion of `client` that came to the endpoint at `endpoint_url`, and uses it up.
    pub(super) async fn check_assertion(
        &self,
        client: &Client,
        assertion: &str,
        endpoint_url: &str,
    ) -> Result<(), OAuthError> {
        let (header, claims) = parts(assertion).ok_or_else(refused)?;
        let algorithm = algorithm(&header, client).ok_or_else(refused)?;
        let (message, signature) = assertion.rsplit_once('.').ok_or_else(refused)?;
        let keys = self.keys.find(&client.metadata, header.kid.as_deref(), algorithm).await;
        let signed = keys
            .iter()
            .any(|key| matches!(jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, algorithm), Ok(true)));
        if !signed {
            return Err(refused());
        }
        let token_endpoint = format!("{}/oauth/token", self.issuer);
        let ends_at = judge(&claims, client, &[&self.issuer, &token_endpoint, endpoint_url], self.clock.now())?;
        let hash = Sha256::new().chain_update(client.id.0).chain_update(&claims.jti).finalize().into();
        let work = self.store.write(move |tx| Box::pin(async move { tx.insert_assertion(hash, ends_at).await }));
        let fresh: bool = work.await.map_err(|error: crate::store::StoreError| OAuthError::from(error))?;
        if fresh { Ok(()) } else { Err(AssertionError::Replayed.into()) }
    }
}

/// Judges the claims; gives the moment from which on the assertion is refused as expired anyway.
fn judge(claims: &Claims, client: &Client, ours: &[&str], now: Timestamp) -> Result<Timestamp, AssertionError> {
    if claims.iss != client.client_id || claims.sub != client.client_id {
        return Err(AssertionError::Client);
    }
    let own = |audience: &Value| audience.as_str().is_some_and(|audience| ours.contains(&audience));
    let meant = match &claims.aud {
        // One that others take too could have been sent to them first.
        Value::Array(audiences) => !audiences.is_empty() && audiences.iter().all(own),
        audience => own(audience),
    };
    if !meant {
        return Err(AssertionError::Audience);
    }
    let now = now.as_seconds();
    let (exp, latest_start) = (whole(claims.exp), now.saturating_add(SKEW_SECONDS));
    if now >= exp.saturating_add(SKEW_SECONDS) {
        return Err(AssertionError::Expired);
    }
    if exp > latest_start.saturating_add(LONGEST_LIFE_SECONDS) {
        return Err(AssertionError::TooLong);
    }
    if [claims.nbf, claims.iat].into_iter().flatten().any(|start| whole(start) > latest_start) {
        return Err(AssertionError::NotYet);
    }
    if claims.jti.is_empty() || claims.jti.len() > LONGEST_ID {
        return Err(AssertionError::Id);
    }
    Ok(Timestamp::from_micros(exp.saturating_add(SKEW_SECONDS).saturating_mul(1_000_000)))
}

/// Whole seconds; numbers outside of the range become its ends.
#[expect(clippy::cast_possible_truncation, reason = "such casts saturate, and NaN cannot come out of JSON")]
fn whole(seconds: f64) -> i64 {
    seconds.floor() as i64
}
