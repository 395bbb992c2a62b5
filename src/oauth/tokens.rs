//! Access tokens: JWTs signed with RS256 (RFC 9068), issued and verified here.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, Header, Validation};
use quick_cache::sync::Cache;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::key_ring::KeyRing;
use super::keys::KeySet;
use super::resource::{Resource, Resources};
use super::scope::OAuthScopes;
use crate::accounts::Scopes;
use crate::clock::Clock;
use crate::ids::{GrantId, SessionId, UserId, new_uuid};

/// The media type of access tokens in the header's `typ` (RFC 9068, section 2.1).
const ACCESS_TOKEN: &str = "at+jwt";
/// Longer texts are no tokens of ours.
const MOST_BYTES: usize = 4096;
/// How far another instance's clock may run ahead of ours.
const SKEW_SECONDS: i64 = 10;
/// Verified tokens that are remembered, some 150 bytes each.
const REMEMBERED: usize = 8192;

/// The audience of first-party tokens, which is no resource that a client could ask for.
const FIRST_PARTY: &str = "urn:mindflow:first-party";
/// The client that first-party tokens name.
const FIRST_PARTY_CLIENT: &str = "mindflow";

/// What a token of `/api/auth/login` is to say. It is good for the API alone.
#[derive(Clone, Copy, Debug)]
pub struct SessionToken {
    /// Whose data.
    pub user_id: UserId,
    /// The sign-in that it belongs to, and ends with.
    pub session_id: SessionId,
    /// What it allows.
    pub scopes: Scopes,
}

/// What a token of `/oauth/token` is to say.
#[derive(Clone, Copy, Debug)]
pub struct GrantToken<'a> {
    /// Whose data.
    pub user_id: UserId,
    /// The authorization that it belongs to, and ends with.
    pub grant_id: GrantId,
    /// The client that it is given to.
    pub client_id: &'a str,
    /// What it allows.
    pub scopes: OAuthScopes,
    /// Where it is good.
    pub resources: Resources,
}

/// What a token belongs to, and ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// A sign-in of a person.
    Session(SessionId),
    /// What a person allowed a client, and where.
    Grant(GrantId, Resources),
}

/// What a verified token says. Whether its session or grant still lives must be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whose data.
    pub user_id: UserId,
    /// What it belongs to.
    pub family: Family,
    /// What it allows.
    pub scopes: OAuthScopes,
    /// Seconds since the epoch at which it is worth nothing any more.
    pub expires_at: i64,
}

impl Verified {
    /// Whether the token is meant for `resource`.
    pub const fn is_for(&self, resource: Resource) -> bool {
        match self.family {
            Family::Session(_) => matches!(resource, Resource::Api),
            Family::Grant(_, resources) => resources.has(resource),
        }
    }
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

/// The claims of an access token (RFC 9068, section 2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it: the public URL.
    pub iss: String,
    /// Whose data.
    pub sub: Uuid,
    /// Where it is good.
    pub aud: OneOrMore,
    /// The second at which it expires.
    pub exp: i64,
    /// The second at which it was issued.
    pub iat: i64,
    /// The second from which on it is good.
    pub nbf: i64,
    /// Its own name.
    pub jti: Uuid,
    /// Of a first-party token: its session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Uuid>,
    /// Of a client's token: its grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<Uuid>,
    /// What it allows, separated by blanks.
    pub scope: String,
    /// The client that it was given to.
    pub client_id: String,
}

/// `aud` is one string or a list (RFC 7519, section 4.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore {
    /// One.
    One(String),
    /// Several, or one in a list.
    More(Vec<String>),
}

impl OneOrMore {
    pub(super) fn of(mut all: Vec<String>) -> Self {
        if all.len() == 1 { Self::One(all.remove(0)) } else { Self::More(all) }
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }
}

/// Issues and verifies access tokens.
pub struct AccessTokens {
    ring: Arc<KeyRing>,
    issuer: String,
    life: Duration,
    clock: Clock,
    validation: Validation,
    /// What a signature check (17 µs) has proven of a token, by the token's hash, and under which set of keys.
    remembered: Cache<[u8; 32], (u64, Verified)>,
}

impl AccessTokens {
    /// Tokens of `issuer` (the public URL), each good for `life`.
    pub fn new(ring: Arc<KeyRing>, issuer: impl Into<String>, life: Duration, clock: Clock) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        // All claims are judged here, by our clock.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_required_spec_claims::<&str>(&[]);
        Self { ring, issuer: issuer.into(), life, clock, validation, remembered: Cache::new(REMEMBERED) }
    }

    /// Who issues them: the public URL, without a slash at the end.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The keys that sign them.
    pub const fn ring(&self) -> &Arc<KeyRing> {
        &self.ring
    }

    /// How long a new token is good, in seconds.
    pub const fn expires_in(&self) -> u64 {
        self.life.as_secs()
    }

    /// Signs the token of a sign-in. Costs half a millisecond, as every signature does.
    pub fn issue_for_session(&self, token: SessionToken) -> Result<String, SigningError> {
        let SessionToken { user_id, session_id, scopes } = token;
        let aud = OneOrMore::One(FIRST_PARTY.to_owned());
        let claims = self.claims(user_id, aud, scopes.to_string(), FIRST_PARTY_CLIENT);
        self.sign(ACCESS_TOKEN, &Claims { sid: Some(session_id.0), ..claims })
    }

    /// Signs the token of a client.
    pub fn issue_for_grant(&self, token: GrantToken<'_>) -> Result<String, SigningError> {
        let GrantToken { user_id, grant_id, client_id, scopes, resources } = token;
        let aud = OneOrMore::of(resources.urls(&self.issuer));
        let claims = self.claims(user_id, aud, scopes.to_string(), client_id);
        self.sign(ACCESS_TOKEN, &Claims { grant_id: Some(grant_id.0), ..claims })
    }

    fn claims(&self, user_id: UserId, aud: OneOrMore, scope: String, client_id: &str) -> Claims {
        let now = self.clock.now();
        Claims {
            iss: self.issuer.clone(),
            sub: user_id.0,
            aud,
            exp: now.plus(self.life).as_seconds(),
            iat: now.as_seconds(),
            nbf: now.as_seconds(),
            jti: new_uuid(now),
            sid: None,
            grant_id: None,
            scope,
            client_id: client_id.to_owned(),
        }
    }

    /// Signs any claims with the active key, as a JWT of the type `typ`; an ID token's is `JWT`.
    pub fn sign<T: Serialize>(&self, typ: &str, claims: &T) -> Result<String, SigningError> {
        let keys = self.ring.keys();
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some(typ.to_owned());
        header.kid = Some(keys.active().kid().to_owned());
        jsonwebtoken::encode(&header, claims, keys.active().encoding()).map_err(SigningError)
    }

    /// Says what `token` allows, when it is ours and its time has come and is not over; where it is good, its holder must
    /// ask ([`Verified::is_for`]). A key that another instance began to sign with is looked for.
    pub async fn check(&self, token: &str) -> Result<Verified, TokenError> {
        match self.verify(token) {
            Err(TokenError::UnknownKey) => {
                self.ring.look_again().await;
                self.verify(token)
            }
            verified => verified,
        }
    }

    /// The same with the keys that this instance knows.
    pub fn verify(&self, token: &str) -> Result<Verified, TokenError> {
        let keys = self.ring.keys();
        let now = self.clock.now().as_seconds();
        let name = Sha256::digest(token.as_bytes()).into();
        // What an earlier set of keys has proven may be signed with one that was given up.
        if let Some((_, verified)) = self.remembered.get(&name).filter(|(number, _)| *number == keys.number()) {
            if now < verified.expires_at {
                return Ok(verified);
            }
            self.remembered.remove(&name);
            return Err(TokenError::Expired);
        }
        let verified = self.judge(&self.prove(token, &keys)?, now)?;
        self.remembered.insert(name, (keys.number(), verified));
        Ok(verified)
    }

    /// What a token says that is ours and alive, claim by claim: for its introspection (RFC 7662).
    pub fn read(&self, token: &str) -> Result<Claims, TokenError> {
        let claims = self.prove(token, &self.ring.keys())?;
        self.judge(&claims, self.clock.now().as_seconds())?;
        Ok(claims)
    }

    fn prove(&self, token: &str, keys: &KeySet) -> Result<Claims, TokenError> {
        self.open(token, keys, &[ACCESS_TOKEN, "application/at+jwt"])
    }

    /// Checks form, type and signature; what the claims say is for others to judge. The header chooses nothing but one of
    /// our keys: keys that it brings along (`jwk`, `x5c`) or points to (`jku`, `x5u`) are not looked at.
    pub(super) fn open<T: DeserializeOwned>(
        &self,
        token: &str,
        keys: &KeySet,
        types: &[&str],
    ) -> Result<T, TokenError> {
        if token.len() > MOST_BYTES {
            return Err(TokenError::Malformed);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
        let typ = header.typ.as_deref().unwrap_or_default();
        let expected = types.iter().any(|own| typ.eq_ignore_ascii_case(own));
        // No extension is understood here, so each critical one is unknown (RFC 7515, section 4.1.11).
        if header.alg != Algorithm::RS256 || !expected || header.crit.is_some() {
            return Err(TokenError::Kind);
        }
        let key = header.kid.as_deref().and_then(|kid| keys.find(kid)).ok_or(TokenError::UnknownKey)?;
        let decoded = jsonwebtoken::decode(token, key.decoding(), &self.validation);
        Ok(decoded
            .map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::InvalidSignature => TokenError::Signature,
                _ => TokenError::Malformed,
            })?
            .claims)
    }

    fn judge(&self, claims: &Claims, now: i64) -> Result<Verified, TokenError> {
        if claims.iss != self.issuer {
            return Err(TokenError::Audience);
        }
        let family = match (claims.sid, claims.grant_id) {
            (Some(session), None) if claims.aud.iter().any(|aud| aud == FIRST_PARTY) => {
                Family::Session(SessionId(session))
            }
            (None, Some(grant)) => Family::Grant(GrantId(grant), self.resources(&claims.aud)?),
            (Some(_), None) => return Err(TokenError::Audience),
            _ => return Err(TokenError::Malformed),
        };
        if now >= claims.exp {
            return Err(TokenError::Expired);
        }
        if claims.nbf > now.saturating_add(SKEW_SECONDS) || claims.iat > now.saturating_add(SKEW_SECONDS) {
            return Err(TokenError::NotYet);
        }
        Ok(Verified {
            user_id: UserId(claims.sub),
            family,
            scopes: OAuthScopes::parse(&claims.scope).ok_or(TokenError::Malformed)?,
            expires_at: claims.exp,
        })
    }

    /// Those of our resources that are among the audiences, exactly as they were issued.
    fn resources(&self, audiences: &OneOrMore) -> Result<Resources, TokenError> {
        let named = |resource: &Resource| audiences.iter().any(|aud| aud == resource.url(&self.issuer));
        let ours = Resource::ALL.into_iter().filter(named).map(Resources::only).reduce(Resources::union);
        ours.ok_or(TokenError::Audience)
    }
}

#[cfg(test)]
mod tests;
