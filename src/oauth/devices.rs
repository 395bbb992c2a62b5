//! Devices without a browser: the person allows them elsewhere (RFC 8628).

mod decisions;
mod guesses;

use std::time::Duration;

use serde::Serialize;

pub use self::decisions::{Decision, PendingDevice, Verdict};
pub(super) use self::guesses::Guesses;
use super::client::Client;
pub use super::description::DEVICE_CODE;
use super::error::{ErrorCode, OAuthError};
use super::grants::{
    Given, Grants, NewGrant, TokenAnswer, narrowed, read_resources, read_scopes, refused, within_reach,
};
use super::id_tokens::Authentication;
use super::resource::Resources;
use super::scope::{OAuthScope, OAuthScopes};
use super::user_codes;
use crate::accounts::secrets::{SecretHash, hash_secret, random_secret};
use crate::accounts::{Origin, Status};
use crate::clock::Timestamp;
use crate::ids::{ClientRef, GrantId, UserId};
use crate::store::oauth_devices::DeviceRecord;
use crate::store::{StoreError, StoreResult};

/// The path of the page on which people type the user code.
pub const DEVICE_PAGE: &str = "/device";
/// How long a person has to allow a device.
pub const DEVICE_LIFE: Duration = Duration::from_mins(10);
/// How long a device waits between two questions at first, in seconds.
const INTERVAL: i64 = 5;
/// How much longer it waits after each question that came too soon (RFC 8628, section 3.5).
const SLOWER: i64 = 5;
/// How often a user code is made anew when another device has it.
const TRIES: usize = 5;
const CODE: &str = "device_code";

/// What a device is told (RFC 8628, section 3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceAnswer {
    /// For the token endpoint.
    pub device_code: String,
    /// For the person to type.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: String,
    /// How long both codes live, in seconds.
    pub expires_in: u64,
    /// How many seconds to wait between two questions.
    pub interval: i64,
}

/// What a device asks the token endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Poll<'a> {
    /// Who asks, authenticated.
    pub client: &'a Client,
    /// The device code.
    pub device_code: &'a str,
    /// Where the first access token is to be good.
    pub resources: Option<Resources>,
    /// Where the request comes from.
    pub origin: &'a Origin,
}

/// How it stands with a device.
enum Standing {
    Approved(Box<DeviceRecord>),
    Not(OAuthError),
}

impl Grants {
    /// Begins to wait for the person who allows a device.
    ///
    /// # Errors
    ///
    /// `unauthorized_client`, `invalid_scope`.
    pub async fn begin_device(
        &self,
        client: &Client,
        scope: Option<&str>,
        resources: Resources,
    ) -> Result<DeviceAnswer, OAuthError> {
        if !client.may_use(DEVICE_CODE) {
            return Err(OAuthError::new(ErrorCode::UnauthorizedClient, "this client may not use the device flow"));
        }
        let (scopes, now) = (requested(scope, client)?, self.clock.now());
        let device_code = random_secret("")?;
        let mut row = DeviceRecord {
            device_hash: hash_secret(&device_code).to_vec(),
            user_code_hash: Vec::new(),
            client_ref: client.id.0,
            scopes: scopes.to_string(),
            resources: resources.to_string(),
            state: "pending".to_owned(),
            user_id: None,
            session_id: None,
            authenticated_at: None,
            methods: None,
            last_polled_at: None,
            interval_seconds: INTERVAL,
            created_at: now.as_micros(),
            expires_at: now.plus(DEVICE_LIFE).as_micros(),
        };
        for _ in 0..TRIES {
            let user_code = user_codes::generate()?;
            row.user_code_hash = user_codes::hash(&user_code).to_vec();
            let kept = row.clone();
            match self.store.write(move |tx| Box::pin(async move { tx.insert_device(&kept).await })).await {
                Ok(()) => return Ok(self.device_answer(device_code, user_code)),
                Err(StoreError::Taken(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(OAuthError::new(ErrorCode::TemporarilyUnavailable, "too many devices wait at the moment; try again"))
    }

    fn device_answer(&self, device_code: String, user_code: String) -> DeviceAnswer {
        let verification_uri = format!("{}{DEVICE_PAGE}", self.tokens.issuer());
        DeviceAnswer {
            device_code,
            verification_uri_complete: format!("{verification_uri}?user_code={user_code}"),
            user_code,
            verification_uri,
            expires_in: DEVICE_LIFE.as_secs(),
            interval: INTERVAL,
        }
    }

    /// Answers a device that asks whether it was allowed; when it was, its grant begins.
    ///
    /// # Errors
    ///
    /// `authorization_pending`, `slow_down`, `access_denied`, `expired_token`, `invalid_grant`, `invalid_target`.
    pub async fn poll_device(&self, ask: Poll<'_>) -> Result<TokenAnswer, OAuthError> {
        let hash = hash_secret(ask.device_code);
        let device = match self.standing(hash, ask.client.id).await? {
            Standing::Approved(device) => device,
            Standing::Not(error) => return Err(error),
        };
        let user = UserId(device.user_id.ok_or_else(|| StoreError::corrupt("device", "approved by nobody"))?);
        let role = self.role_of(user).await?.ok_or_else(|| refused(CODE))?;
        let resources = read_resources(&device.resources)?;
        let at = device.authenticated_at.unwrap_or(device.created_at);
        let given = self.give(
            &NewGrant {
                id: GrantId::new(self.clock.now()),
                user_id: user,
                client: ask.client,
                session_id: device.session_id,
                scopes: within_reach(read_scopes(&device.scopes)?, ask.client, role),
                resources,
                asked: narrowed(resources, ask.resources)?,
                authentication: Authentication {
                    at: Timestamp::from_micros(at),
                    methods: device.methods.clone().unwrap_or_default(),
                    nonce: None,
                },
            },
            ask.origin,
        )?;
        let answer = given.answer.clone();
        if self.redeem_device(hash, &device, given).await? { Ok(answer) } else { Err(refused(CODE)) }
    }

    /// Notes the question, and says how it stands.
    async fn standing(&self, hash: SecretHash, client: ClientRef) -> StoreResult<Standing> {
        let now = self.clock.now();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let not = |code, text: &str| Ok(Standing::Not(OAuthError::new(code, text)));
                    let device = tx.lock_device(hash).await?.filter(|device| device.client_ref == client.0);
                    let Some(device) = device else { return Ok(Standing::Not(refused(CODE))) };
                    if device.state == "denied" {
                        return not(ErrorCode::AccessDenied, "the person refused");
                    }
                    if device.expires_at <= now.as_micros() {
                        return not(ErrorCode::ExpiredToken, "nobody allowed it in time; begin anew");
                    }
                    if device.state == "approved" {
                        return Ok(Standing::Approved(Box::new(device)));
                    }
                    let wait = Duration::from_secs(u64::try_from(device.interval_seconds).unwrap_or(0));
                    let too_soon =
                        device.last_polled_at.is_some_and(|last| now < Timestamp::from_micros(last).plus(wait));
                    let interval = device.interval_seconds + if too_soon { SLOWER } else { 0 };
                    tx.note_poll(hash, now, interval).await?;
                    if too_soon {
                        not(ErrorCode::SlowDown, "wait five seconds longer between two questions")
                    } else {
                        not(ErrorCode::AuthorizationPending, "the person has not decided yet")
                    }
                })
            })
            .await
    }

    /// Turns an approved device into its grant, once.
    async fn redeem_device(&self, hash: SecretHash, device: &DeviceRecord, given: Given) -> StoreResult<bool> {
        let (user, client) = (UserId(device.user_id.unwrap_or_default()), ClientRef(device.client_ref));
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                // Whoever ends everything of this person waits, or has done it.
                let row = tx.lock_user(user).await?;
                let may_come_in = row.is_some_and(|row| row.status == Status::Active.as_str());
                // Whoever removes the client holds it before its devices; so does this.
                if !may_come_in || !tx.hold_client(client).await? || !tx.delete_device(hash).await? {
                    return Ok(false);
                }
                given.keep(tx).await?;
                Ok(true)
            })
        });
        match work.await {
            // The client was removed meanwhile.
            Err(StoreError::Dangling(_)) => Ok(false),
            other => other,
        }
    }
}

/// What a client asks for and may have: unknown scopes are left out, and none asked for is `read` (RFC 6749, section 3.3).
fn requested(scope: Option<&str>, client: &Client) -> Result<OAuthScopes, OAuthError> {
    let asked = scope.map_or_else(|| OAuthScopes::from_iter([OAuthScope::Read]), OAuthScopes::parse_known);
    let scopes = asked.intersect(client.scopes);
    if scopes.without(OAuthScope::OfflineAccess).is_empty() {
        return Err(OAuthError::new(ErrorCode::InvalidScope, "none of the scopes can be granted to this client"));
    }
    Ok(scopes)
}
