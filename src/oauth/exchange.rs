//! Codes become grants (RFC 6749, section 4.1.3; OAuth 2.1, section 4.1.3).

use serde_json::json;

use super::client::Client;
use super::codes::proves;
use super::error::{ErrorCode, OAuthError};
use super::grants::{
    Given, Grants, NewGrant, TokenAnswer, narrowed, read_resources, read_scopes, refused, within_reach,
};
use super::id_tokens::Authentication;
use super::refusals::Refused;
use super::resource::Resources;
use crate::accounts::audit::AuditEntry;
use crate::accounts::secrets::{SecretHash, hash_secret};
use crate::accounts::{Origin, Status};
use crate::clock::Timestamp;
use crate::ids::{ClientRef, GrantId, UserId};
use crate::store::oauth_codes::CodeRecord;
use crate::store::{StoreError, StoreResult};

/// What a client brings to redeem a code.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// Who brings it, authenticated.
    pub client: &'a Client,
    /// The code.
    pub code: &'a str,
    /// Where it was sent. OAuth 2.1 has no such parameter, so it may be missing, if the client has only one; it may not
    /// differ.
    pub redirect_uri: Option<&'a str>,
    /// What the challenge was made from.
    pub verifier: Option<&'a str>,
    /// Where the first access token is to be good.
    pub resources: Option<Resources>,
    /// Where the request comes from.
    pub origin: &'a Origin,
}

/// The outcome of trying to redeem a code.
enum Redemption {
    Done,
    /// Somebody redeemed it first.
    Used,
    /// It, its client or its owner's right to come in is gone.
    Gone,
}

impl Grants {
    /// Redeems a code: makes its grant and gives the first tokens.
    ///
    /// A code that was redeemed before ends the grant that it gave: whoever came first may have stolen it (RFC 6749,
    /// section 4.1.2). Only a request that proves itself in every other way does that, so that a code in somebody's log
    /// cannot be used to disconnect people.
    ///
    /// # Errors
    ///
    /// `invalid_grant`, `invalid_target`, `unauthorized_client`.
    pub async fn exchange(&self, ask: Exchange<'_>) -> Result<TokenAnswer, OAuthError> {
        if !ask.client.may_use("authorization_code") {
            return Err(OAuthError::new(ErrorCode::UnauthorizedClient, "this client may not use authorization_code"));
        }
        let hash = hash_secret(ask.code);
        let code = self.store.find_code(hash).await?.ok_or_else(|| refused("code"))?;
        if let Err(mismatch) = check(&ask, &code) {
            let whose = (GrantId(code.grant_id), UserId(code.user_id));
            self.note_refused(Refused::Code, whose, ask.client, mismatch.reason(), ask.origin).await?;
            return Err(mismatch.into());
        }
        if code.used_at.is_some() {
            return Err(self.replayed(&ask, &code).await?);
        }
        if code.expires_at <= self.clock.now().as_micros() {
            return Err(refused("code"));
        }
        let role = self.role_of(UserId(code.user_id)).await?.ok_or_else(|| refused("code"))?;
        let resources = read_resources(&code.resources)?;
        let given = self.give(
            &NewGrant {
                id: GrantId(code.grant_id),
                user_id: UserId(code.user_id),
                client: ask.client,
                session_id: code.session_id,
                scopes: within_reach(read_scopes(&code.scopes)?, ask.client, role),
                resources,
                asked: narrowed(resources, ask.resources)?,
                authentication: Authentication {
                    at: Timestamp::from_micros(code.authenticated_at),
                    methods: code.methods.clone(),
                    nonce: code.nonce.clone(),
                },
            },
            ask.origin,
        )?;
        let answer = given.answer.clone();
        match self.redeem(hash, &code, given).await? {
            Redemption::Done => Ok(answer),
            Redemption::Used => Err(self.replayed(&ask, &code).await?),
            Redemption::Gone => Err(refused("code")),
        }
    }

    async fn redeem(&self, hash: SecretHash, code: &CodeRecord, given: Given) -> StoreResult<Redemption> {
        let (user, client, now) = (UserId(code.user_id), ClientRef(code.client_ref), self.clock.now());
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                // Whoever ends everything of this person waits, or has done it.
                let row = tx.lock_user(user).await?;
                if row.is_none_or(|row| row.status != Status::Active.as_str()) {
                    return Ok(Redemption::Gone);
                }
                // Whoever removes the client holds it before its codes; so does this.
                if !tx.hold_client(client).await? {
                    return Ok(Redemption::Gone);
                }
                if tx.spend_code(hash, now).await? {
                    given.keep(tx).await?;
                    return Ok(Redemption::Done);
                }
                Ok(tx.find_code(hash).await?.map_or(Redemption::Gone, |_| Redemption::Used))
            })
        });
        match work.await {
            // The client was removed meanwhile.
            Err(StoreError::Dangling(_)) => Ok(Redemption::Gone),
            other => other,
        }
    }

    /// Ends what the first redemption gave.
    async fn replayed(&self, ask: &Exchange<'_>, code: &CodeRecord) -> Result<OAuthError, OAuthError> {
        let (user, now) = (UserId(code.user_id), self.clock.now());
        let entry = AuditEntry::client(user, ask.client.id, "code.replayed", now).on(code.grant_id).from(ask.origin);
        let entry = entry.with(json!({ "client_id": ask.client.client_id }));
        self.end(GrantId(code.grant_id), user, entry).await?;
        Ok(refused("code"))
    }
}

/// Why a request does not belong to a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mismatch {
    Client,
    Verifier,
    RedirectUri,
}

impl Mismatch {
    /// The word for the log.
    const fn reason(self) -> &'static str {
        match self {
            Self::Client => "other_client",
            Self::Verifier => "code_verifier",
            Self::RedirectUri => "redirect_uri",
        }
    }
}

impl From<Mismatch> for OAuthError {
    fn from(mismatch: Mismatch) -> Self {
        let told = |text: &str| Self::new(ErrorCode::InvalidGrant, text);
        match mismatch {
            Mismatch::Client => refused("code"),
            Mismatch::Verifier => told("the code_verifier is missing or does not fit the code"),
            Mismatch::RedirectUri => told("the redirect_uri is missing or not the one that was asked for"),
        }
    }
}

/// Whether the request belongs to the code.
fn check(ask: &Exchange<'_>, code: &CodeRecord) -> Result<(), Mismatch> {
    if code.client_ref != ask.client.id.0 {
        return Err(Mismatch::Client);
    }
    if !proves(ask.verifier.unwrap_or_default(), &code.challenge) {
        return Err(Mismatch::Verifier);
    }
    // It may be missing where it could have been missing before: when the client has only one (RFC 6749, section 4.1.3).
    let only = || matches!(ask.client.metadata.redirect_uris.as_slice(), [only] if *only == code.redirect_uri);
    if !ask.redirect_uri.map_or_else(only, |uri| uri == code.redirect_uri) {
        return Err(Mismatch::RedirectUri);
    }
    Ok(())
}
