//! Authorization codes (RFC 6749, section 4.1.2; RFC 7636).

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::client::Client;
use super::error::{ErrorCode, OAuthError};
use super::grants::{Grants, within_reach};
use super::resource::Resources;
use super::scope::OAuthScopes;
use crate::accounts::secrets::{hash_secret, random_secret};
use crate::clock::Timestamp;
use crate::ids::{GrantId, SessionId, UserId};
use crate::store::StoreError;
use crate::store::oauth_codes::CodeRecord;

/// How long a code can be redeemed.
pub const CODE_LIFE: Duration = Duration::from_mins(1);

/// What somebody allowed a client in their browser.
#[derive(Clone, Debug)]
pub struct Approved {
    /// Whom.
    pub client: Arc<Client>,
    /// Who.
    pub user_id: UserId,
    /// Their sign-in.
    pub session_id: Option<SessionId>,
    /// Where the code is sent, exactly as it was asked for.
    pub redirect_uri: String,
    /// The client's PKCE challenge, S256; whoever asked has checked its form.
    pub challenge: String,
    /// What.
    pub scopes: OAuthScopes,
    /// Where.
    pub resources: Resources,
    /// What the id token is to repeat.
    pub nonce: Option<String>,
    /// When they proved who they are.
    pub authenticated_at: Timestamp,
    /// How, separated by blanks (RFC 8176).
    pub methods: String,
}

impl Grants {
    /// Makes the code that the client may redeem within a minute, once.
    ///
    /// `admin` is left out unless an operator allows it to a client that an operator made.
    ///
    /// # Errors
    ///
    /// `access_denied` when the person may not come in any more, or the client is gone.
    pub async fn issue_code(&self, approved: Approved) -> Result<String, OAuthError> {
        let gone = || OAuthError::new(ErrorCode::AccessDenied, "the account or the application is gone");
        let role = self.role_of(approved.user_id).await?.ok_or_else(gone)?;
        let now = self.clock.now();
        let code = random_secret("")?;
        let row = CodeRecord {
            code_hash: hash_secret(&code).to_vec(),
            grant_id: GrantId::new(now).0,
            user_id: approved.user_id.0,
            client_ref: approved.client.id.0,
            session_id: approved.session_id.map(|id| id.0),
            redirect_uri: approved.redirect_uri,
            challenge: approved.challenge,
            scopes: within_reach(approved.scopes, &approved.client, role).to_string(),
            resources: approved.resources.to_string(),
            nonce: approved.nonce,
            authenticated_at: approved.authenticated_at.as_micros(),
            methods: approved.methods,
            created_at: now.as_micros(),
            expires_at: now.plus(CODE_LIFE).as_micros(),
            used_at: None,
        };
        match self.store.write(move |tx| Box::pin(async move { tx.insert_code(&row).await })).await {
            Ok(()) => Ok(code),
            Err(StoreError::Dangling(_)) => Err(gone()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether `verifier` is what `challenge` was made from (RFC 7636, sections 4.1 and 4.6), in the same time either way.
pub(super) fn proves(verifier: &str, challenge: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let well_formed = (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved);
    let expected = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    bool::from(expected.as_bytes().ct_eq(challenge.as_bytes())) && well_formed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_proves_its_own_challenge_alone() {
        // RFC 7636, appendix B.
        let (verifier, challenge) =
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");

        assert!(proves(verifier, challenge));
        assert!(!proves(challenge, challenge), "the challenge itself proves nothing");
        assert!(!proves("", challenge) && !proves(verifier, "") && !proves(&verifier[1..], challenge));
    }

    #[test]
    fn a_verifier_has_43_to_128_unreserved_characters() {
        let fits = |verifier: &str| proves(verifier, &URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())));

        assert!(fits(&"a".repeat(43)) && fits(&"~".repeat(128)) && fits(&"A0-._~".repeat(10)));
        assert!(!fits(&"a".repeat(42)) && !fits(&"a".repeat(129)));
        assert!(!fits(&" ".repeat(50)) && !fits(&"\u{e4}".repeat(30)) && !fits(&"+/=".repeat(20)));
    }
}
