//! ID tokens: who signed in, when and how, for clients that ask with `openid` (OpenID Connect Core, section 2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::grants::Grants;
use super::tokens::{AccessTokens, SigningError};
use crate::clock::Timestamp;
use crate::ids::UserId;

/// The media type in the header's `typ`; another than an access token's, so that neither passes for the other.
const ID_TOKEN: &str = "JWT";

/// How a person signed in.
#[derive(Clone, Debug)]
pub(super) struct Authentication {
    /// When.
    pub(super) at: Timestamp,
    /// How, separated by blanks (RFC 8176).
    pub(super) methods: String,
    /// What the client wants repeated.
    pub(super) nonce: Option<String>,
}

#[derive(Serialize)]
struct IdClaims<'a> {
    iss: &'a str,
    sub: Uuid,
    aud: &'a str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    amr: Vec<&'a str>,
    at_hash: String,
}

impl Grants {
    /// Signs the ID token that goes with an access token, and lives as long.
    pub(super) fn id_token(
        &self,
        user: UserId,
        client_id: &str,
        authentication: &Authentication,
        access_token: &str,
    ) -> Result<String, SigningError> {
        let now = self.clock.now().as_seconds();
        let life = i64::try_from(self.tokens.expires_in()).unwrap_or(i64::MAX);
        let claims = IdClaims {
            iss: self.tokens.issuer(),
            sub: user.0,
            aud: client_id,
            exp: now.saturating_add(life),
            iat: now,
            auth_time: authentication.at.as_seconds(),
            nonce: authentication.nonce.as_deref(),
            amr: authentication.methods.split_ascii_whitespace().collect(),
            at_hash: at_hash(access_token),
        };
        self.tokens.sign(ID_TOKEN, &claims)
    }
}

/// What matters of an ID token that comes back.
#[derive(Deserialize)]
struct HintClaims {
    iss: String,
    sub: Uuid,
    aud: String,
}

impl AccessTokens {
    /// Whom an ID token is about that this server once gave this client; when it expired does not matter (OpenID Connect
    /// Core, section 3.1.2.1).
    pub fn subject_of_hint(&self, id_token: &str, client_id: &str) -> Option<UserId> {
        let claims: HintClaims = self.open(id_token, &self.ring().keys(), &[ID_TOKEN]).ok()?;
        (claims.iss == self.issuer() && claims.aud == client_id).then_some(UserId(claims.sub))
    }
}

/// The left half of the access token's SHA-256 (OpenID Connect Core, section 3.1.3.6).
fn at_hash(access_token: &str) -> String {
    let hash = Sha256::digest(access_token.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2])
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_hash_of_an_access_token_is_that_of_the_specification() {
        // OpenID Connect Core, appendix A.3.
        assert_eq!(super::at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), "77QmUPtjPfzWtF2AnpK9RQ");
    }
}
