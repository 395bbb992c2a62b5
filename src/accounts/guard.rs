//! Who is behind a token: proven by signature or hash, and looked up for every request.

use std::collections::HashMap;
use std::sync::Arc;

use chrono_tz::Tz;
use uuid::Uuid;

use super::gather::{Gather, GatherError};
use super::secrets::{PERSONAL_TOKEN_PREFIX, SecretHash, hash_secret};
use super::touches::Touches;
use super::user::{read_params, read_windows, read_zone};
use super::{Caller, Credential, Role, Status};
use crate::calendar::Windows;
use crate::clock::{Clock, Timestamp};
use crate::ids::{TokenId, UserId};
use crate::oauth::tokens::Family;
use crate::oauth::{AccessTokens, OAuthScopes, Resource};
use crate::scoring::params::PolicyParams;
use crate::store::callers::{CallerRecord, Lease};
use crate::store::{Store, StoreError, StoreResult};

/// Look-ups that may be under way at the same time; further ones wait and share the next.
const FLIGHTS: usize = 2;

const ENDED: &str = "is unknown, or was ended";
const ELSEWHERE: &str = "is meant for another service";

/// Why a token made no caller.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// It is worth nothing here, and why.
    #[error("the access token {0}")]
    Invalid(&'static str),
    /// That could not be looked up.
    #[error("the access token cannot be looked up")]
    LookUp(#[from] GatherError<StoreError>),
}

/// A credential and its owner, as they were when the look-up began.
struct Holder {
    credential_id: Uuid,
    user_id: UserId,
    /// Of a personal token or grant; a session's are in its access tokens.
    scopes: Option<OAuthScopes>,
    /// Of a grant.
    client: Option<Arc<str>>,
    role: Role,
    status: Status,
    zone: Tz,
    windows: Option<Windows>,
    policy: Option<String>,
    policy_params: Arc<PolicyParams>,
    data_version: i64,
    expires_at: Option<Timestamp>,
    used_at: Option<Timestamp>,
}

impl TryFrom<CallerRecord> for Holder {
    type Error = StoreError;

    fn try_from(row: CallerRecord) -> StoreResult<Self> {
        let scopes =
            row.scopes.map(|text| OAuthScopes::parse(&text).ok_or_else(|| StoreError::corrupt("scopes", text)));
        Ok(Self {
            credential_id: row.credential_id,
            user_id: UserId(row.user_id),
            scopes: scopes.transpose()?,
            client: row.client_id.map(Into::into),
            role: Role::parse(&row.role)?,
            status: Status::parse(&row.status)?,
            zone: read_zone(&row.time_zone)?,
            windows: read_windows(row.windows.as_deref())?,
            policy: row.policy,
            policy_params: read_params(row.policy_params.as_deref())?.into(),
            data_version: row.data_version,
            expires_at: row.expires_at.map(Timestamp::from_micros),
            used_at: row.used_at.map(Timestamp::from_micros),
        })
    }
}

/// What a token turned out to be.
struct Shown {
    holder: Arc<Holder>,
    scopes: OAuthScopes,
    credential: Credential,
}

/// Turns tokens into callers. One for the whole process, so that its requests can share look-ups.
pub struct Guard {
    tokens: Arc<AccessTokens>,
    clock: Clock,
    sessions: Gather<Uuid, Arc<Holder>, StoreError, Lease>,
    personal: Gather<SecretHash, Arc<Holder>, StoreError, Lease>,
    grants: Gather<Uuid, Arc<Holder>, StoreError, Lease>,
    touches: Touches,
}

impl Guard {
    /// Builds the guard; needs a running tokio runtime.
    pub fn new(store: Store, tokens: Arc<AccessTokens>, clock: Clock) -> Self {
        let (first, second, third) = (store.clone(), store.clone(), store.clone());
        Self {
            tokens,
            clock,
            sessions: Gather::new(FLIGHTS, move |keys, lease| find_sessions(first.clone(), keys, lease)),
            personal: Gather::new(FLIGHTS, move |keys, lease| find_tokens(second.clone(), keys, lease)),
            grants: Gather::new(FLIGHTS, move |keys, lease| find_grants(third.clone(), keys, lease)),
            touches: Touches::start(store),
        }
    }

    /// Says who holds `token` where `resource` is asked for, from rows read after this was called.
    ///
    /// Tokens of sign-ins are good for the API alone, those of clients for the resources that they were issued for,
    /// personal tokens for all.
    pub async fn identify(&self, token: &str, resource: Resource, request_id: &str) -> Result<Caller, GuardError> {
        let shown = self.recognise(token, Some(resource)).await?;
        self.admit(shown, request_id).map(|(caller, _)| caller)
    }

    /// Says on whose behalf the client comes that holds `token`, and with which scopes of the protocol, wherever the token
    /// is good: for what belongs to the authorization server itself, as `/oauth/userinfo` does.
    pub async fn identify_client(&self, token: &str, request_id: &str) -> Result<(Caller, OAuthScopes), GuardError> {
        let shown = self.recognise(token, None).await?;
        if !matches!(shown.credential, Credential::Grant(_)) {
            return Err(GuardError::Invalid(ELSEWHERE));
        }
        self.admit(shown, request_id)
    }

    async fn recognise(&self, token: &str, resource: Option<Resource>) -> Result<Shown, GuardError> {
        if token.starts_with(PERSONAL_TOKEN_PREFIX) {
            let holder = self.personal.get(hash_secret(token)).await?.ok_or(GuardError::Invalid(ENDED))?;
            let credential = Credential::PersonalToken(TokenId(holder.credential_id));
            return Ok(Shown { scopes: holder.scopes.unwrap_or_default(), holder, credential });
        }
        let verified = self.tokens.check(token).await.map_err(|error| GuardError::Invalid(error.reason()))?;
        if resource.is_some_and(|resource| !verified.is_for(resource)) {
            return Err(GuardError::Invalid(ELSEWHERE));
        }
        let (holder, credential) = match verified.family {
            Family::Session(id) => (self.sessions.get(id.0).await?, Credential::Session(id)),
            Family::Grant(id, _) => (self.grants.get(id.0).await?, Credential::Grant(id)),
        };
        let holder = holder.filter(|holder| holder.user_id == verified.user_id).ok_or(GuardError::Invalid(ENDED))?;
        // A grant that was narrowed narrows the tokens that are out there.
        let scopes = holder.scopes.map_or(verified.scopes, |scopes| scopes.intersect(verified.scopes));
        Ok(Shown { holder, scopes, credential })
    }

    fn admit(&self, shown: Shown, request_id: &str) -> Result<(Caller, OAuthScopes), GuardError> {
        let Shown { holder, scopes, credential } = shown;
        let now = self.clock.now();
        if holder.status == Status::Disabled {
            return Err(GuardError::Invalid("belongs to a disabled account"));
        }
        if holder.expires_at.is_some_and(|end| now >= end) {
            return Err(GuardError::Invalid("expired"));
        }
        let caller = Caller {
            user_id: holder.user_id,
            role: holder.role,
            scopes: scopes.api().intersect(holder.role.scopes()),
            credential,
            client: holder.client.clone(),
            zone: holder.zone,
            windows: holder.windows,
            policy: holder.policy.clone(),
            policy_params: Arc::clone(&holder.policy_params),
            data_version: holder.data_version,
            request_id: request_id.into(),
        };
        self.touches.note(&caller, holder.used_at, now);
        Ok((caller, scopes))
    }
}

type Holders<K> = StoreResult<HashMap<K, Arc<Holder>>>;

async fn find_sessions(store: Store, ids: Vec<Uuid>, mut lease: Lease) -> (Holders<Uuid>, Lease) {
    let rows = store.find_session_callers(&mut lease, &ids).await;
    let keyed = |row: CallerRecord| Some((row.credential_id, readable(row)?));
    (rows.map(|rows| rows.into_iter().filter_map(keyed).collect()), lease)
}

async fn find_grants(store: Store, ids: Vec<Uuid>, mut lease: Lease) -> (Holders<Uuid>, Lease) {
    let rows = store.find_grant_callers(&mut lease, &ids).await;
    let keyed = |row: CallerRecord| Some((row.credential_id, readable(row)?));
    (rows.map(|rows| rows.into_iter().filter_map(keyed).collect()), lease)
}

async fn find_tokens(store: Store, hashes: Vec<SecretHash>, mut lease: Lease) -> (Holders<SecretHash>, Lease) {
    let rows = store.find_token_callers(&mut lease, &hashes).await;
    let keyed = |row: CallerRecord| Some((row.token_hash.as_deref()?.try_into().ok()?, readable(row)?));
    (rows.map(|rows| rows.into_iter().filter_map(keyed).collect()), lease)
}

/// A row that cannot be read concerns its owner alone, not those who share the look-up.
fn readable(row: CallerRecord) -> Option<Arc<Holder>> {
    let user_id = row.user_id;
    let unreadable = |error: StoreError| tracing::error!(user.id = %user_id, %error, "an account cannot be read");
    Holder::try_from(row).map_err(unreadable).ok().map(Arc::new)
}
