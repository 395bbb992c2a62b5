//! Access tokens: JWTs signed with RS256 (RFC 9068), issued and verified here.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, Header, Validation};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::keys::KeySet;
use crate::accounts::Scopes;
use crate::clock::{Clock, Timestamp};
use crate::ids::{SessionId, UserId, new_uuid};

/// The media type of access tokens in the header's `typ` (RFC 9068, section 2.1).
const ACCESS_TOKEN: &str = "at+jwt";
/// Longer texts are no tokens of ours.
const MOST_BYTES: usize = 4096;
/// How far another instance's clock may run ahead of ours.
const SKEW_SECONDS: i64 = 10;
/// Verified tokens that are remembered, some 150 bytes each.
const REMEMBERED: usize = 8192;

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Tokens of `/api/auth/login`: `/api/*` only, for people and the first-party pages.
    FirstParty,
}

impl Audience {
    /// The value of the claim `aud`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstParty => "urn:mindflow:first-party",
        }
    }
}

/// What a token is to say.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// Whose data.
    pub user_id: UserId,
    /// The sign-in that it belongs to, and ends with.
    pub session_id: SessionId,
    /// Where it is good.
    pub audience: Audience,
    /// What it allows.
    pub scopes: Scopes,
    /// The program that asked for it.
    pub client: &'a str,
}

/// What a verified token says. Whether the session still lives must be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whose data.
    pub user_id: UserId,
    /// The sign-in that it belongs to.
    pub session_id: SessionId,
    /// What it allows.
    pub scopes: Scopes,
    /// Seconds since the epoch at which it is worth nothing any more.
    pub expires_at: i64,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the access token {}", self.reason())]
pub enum TokenError {
    /// Not three parts of base64url JSON with the claims that ours have.
    Malformed,
    /// Another algorithm, type of token or critical extension than ours.
    Kind,
    /// Signed with a key that is not (or no longer) ours.
    UnknownKey,
    /// The signature does not fit.
    Signature,
    /// Issued by, or for, somebody else.
    Audience,
    /// Its life is over.
    Expired,
    /// Its life has not begun.
    NotYet,
}

impl TokenError {
    /// What is wrong with the token, as the end of a sentence about it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "is malformed",
            Self::Kind => "is of another kind",
            Self::UnknownKey => "is signed with an unknown key",
            Self::Signature => "has a wrong signature",
            Self::Audience => "is meant for another service",
            Self::Expired => "expired",
            Self::NotYet => "is not valid yet",
        }
    }
}

/// The library refused to sign; never seen once the self-test of the keys has passed.
#[derive(Debug, thiserror::Error)]
#[error("cannot sign an access token")]
pub struct SigningError(#[source] jsonwebtoken::errors::Error);

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: Uuid,
    aud: OneOrMore,
    exp: i64,
    iat: i64,
    nbf: i64,
    jti: Uuid,
    sid: Uuid,
    scope: String,
    client_id: String,
}

/// `aud` is one string or a list (RFC 7519, section 4.1.3).
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn holds(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::More(more) => more.iter().any(|one| one == audience),
        }
    }
}

/// Issues and verifies access tokens.
pub struct AccessTokens {
    keys: Arc<KeySet>,
    issuer: String,
    life: Duration,
    clock: Clock,
    validation: Validation,
    /// What a signature check (17 µs) has proven of a token, by the token's hash and audience.
    remembered: Cache<([u8; 32], Audience), Verified>,
}

impl AccessTokens {
    /// Tokens of `issuer` (the public URL), each good for `life`.
    pub fn new(keys: Arc<KeySet>, issuer: impl Into<String>, life: Duration, clock: Clock) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        // All claims are judged here, by our clock.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_required_spec_claims::<&str>(&[]);
        Self { keys, issuer: issuer.into(), life, clock, validation, remembered: Cache::new(REMEMBERED) }
    }

    /// How long a new token is good, in seconds.
    pub const fn expires_in(&self) -> u64 {
        self.life.as_secs()
    }

    /// Signs a token. Costs half a millisecond.
    pub fn issue(&self, grant: Grant<'_>) -> Result<String, SigningError> {
        let now = self.clock.now();
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: grant.user_id.0,
            aud: OneOrMore::One(grant.audience.as_str().to_owned()),
            exp: now.plus(self.life).as_seconds(),
            iat: now.as_seconds(),
            nbf: now.as_seconds(),
            jti: new_uuid(now),
            sid: grant.session_id.0,
            scope: grant.scopes.to_string(),
            client_id: grant.client.to_owned(),
        };
        let key = self.keys.active();
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some(ACCESS_TOKEN.to_owned());
        header.kid = Some(key.kid().to_owned());
        jsonwebtoken::encode(&header, &claims, key.encoding()).map_err(SigningError)
    }

    /// Says what `token` allows, when it is ours, meant for `audience` and alive.
    pub fn verify(&self, token: &str, audience: Audience) -> Result<Verified, TokenError> {
        if token.len() > MOST_BYTES {
            return Err(TokenError::Malformed);
        }
        let now = self.clock.now();
        let name = (Sha256::digest(token.as_bytes()).into(), audience);
        if let Some(verified) = self.remembered.get(&name) {
            if now.as_seconds() < verified.expires_at {
                return Ok(verified);
            }
            self.remembered.remove(&name);
            return Err(TokenError::Expired);
        }
        let verified = self.prove(token, audience, now)?;
        self.remembered.insert(name, verified);
        Ok(verified)
    }

    fn prove(&self, token: &str, audience: Audience, now: Timestamp) -> Result<Verified, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
        let typ = header.typ.as_deref().unwrap_or_default();
        let typed = typ.eq_ignore_ascii_case(ACCESS_TOKEN) || typ.eq_ignore_ascii_case("application/at+jwt");
        // No extension is understood here, so each critical one is unknown (RFC 7515, section 4.1.11).
        if header.alg != Algorithm::RS256 || !typed || header.crit.is_some() {
            return Err(TokenError::Kind);
        }
        let key = header.kid.as_deref().and_then(|kid| self.keys.find(kid)).ok_or(TokenError::UnknownKey)?;
        let claims: Claims = jsonwebtoken::decode(token, key.decoding(), &self.validation)
            .map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::InvalidSignature => TokenError::Signature,
                _ => TokenError::Malformed,
            })?
            .claims;
        self.judge(&claims, audience, now.as_seconds())
    }

    fn judge(&self, claims: &Claims, audience: Audience, now: i64) -> Result<Verified, TokenError> {
        if claims.iss != self.issuer || !claims.aud.holds(audience.as_str()) {
            return Err(TokenError::Audience);
        }
        if now >= claims.exp {
            return Err(TokenError::Expired);
        }
        if claims.nbf > now.saturating_add(SKEW_SECONDS) || claims.iat > now.saturating_add(SKEW_SECONDS) {
            return Err(TokenError::NotYet);
        }
        Ok(Verified {
            user_id: UserId(claims.sub),
            session_id: SessionId(claims.sid),
            scopes: Scopes::parse(&claims.scope).ok_or(TokenError::Malformed)?,
            expires_at: claims.exp,
        })
    }
}

#[cfg(test)]
mod tests;
