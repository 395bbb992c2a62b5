//! Personal access tokens: for scripts, shown once.

use serde_json::json;

use super::audit::AuditEntry;
use super::error::{AccountError, Faults};
use super::pages::Paging;
use super::secrets::{PERSONAL_TOKEN_PREFIX, hash_secret, random_secret};
use super::{Accounts, Caller, Credential, Origin, Scopes};
use crate::calendar::parse_moment;
use crate::clock::Timestamp;
use crate::ids::TokenId;
use crate::paging::Page;
use crate::store::tokens::TokenRecord;
use crate::store::{StoreError, StoreResult};
use crate::tasks::text::one_line;

/// The name of this list in cursors.
const LIST: &str = "tokens";
/// The longest name of a token, in code points.
pub const TOKEN_NAME_MAX: usize = 100;

/// What a new token is to be.
#[derive(Clone, Debug, Default)]
pub struct NewToken {
    /// What its owner calls it.
    pub name: String,
    /// What it allows.
    pub scopes: Scopes,
    /// When it ends: a date (its first moment in the user's zone) or a date-time; `None` is never.
    pub expires_at: Option<String>,
}

/// A personal access token, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonalToken {
    /// Its id.
    pub id: TokenId,
    /// What its owner calls it.
    pub name: String,
    /// What it allows.
    pub scopes: Scopes,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, give or take a minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl TryFrom<TokenRecord> for PersonalToken {
    type Error = StoreError;

    fn try_from(row: TokenRecord) -> StoreResult<Self> {
        Ok(Self {
            id: TokenId(row.id),
            scopes: Scopes::parse(&row.scopes).ok_or_else(|| StoreError::corrupt("scopes", &row.scopes))?,
            name: row.name,
            expires_at: row.expires_at.map(Timestamp::from_micros),
            last_used_at: row.last_used_at.map(Timestamp::from_micros),
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

impl Accounts {
    /// Holds a new token against every rule.
    pub fn check_token(&self, caller: &Caller, new: &NewToken) -> Result<(), AccountError> {
        checked(caller, new, self.clock.now()).map(drop)
    }

    /// Makes a token; its text is given here and never again.
    pub async fn create_token(
        &self,
        caller: &Caller,
        new: NewToken,
        origin: &Origin,
    ) -> Result<(PersonalToken, String), AccountError> {
        if matches!(caller.credential, Credential::PersonalToken(_) | Credential::Grant(_)) {
            return Err(AccountError::SessionNeeded);
        }
        let now = self.clock.now();
        let (name, expires_at) = checked(caller, &new, now)?;
        if let Some(scope) = new.scopes.iter().find(|scope| !caller.scopes.allow(*scope)) {
            return Err(AccountError::ScopeExceeded(scope.as_str()));
        }
        let text = random_secret(PERSONAL_TOKEN_PREFIX)?;
        let row = TokenRecord {
            id: TokenId::new(now).0,
            user_id: caller.user_id.0,
            name,
            token_hash: hash_secret(&text).to_vec(),
            scopes: new.scopes.to_string(),
            expires_at: expires_at.map(Timestamp::as_micros),
            last_used_at: None,
            created_at: now.as_micros(),
        };
        let token = PersonalToken::try_from(row.clone())?;
        let entry = AuditEntry::by(caller, "token.created", now).on(row.id).from(origin);
        let entry = entry.with(json!({ "name": row.name, "scopes": row.scopes }));
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.insert_token(&row).await?;
                    tx.insert_audit(&entry).await
                })
            })
            .await?;
        Ok((token, text))
    }

    /// A page of the caller's tokens, newest first.
    pub async fn list_tokens(&self, caller: &Caller, paging: &Paging) -> Result<Page<PersonalToken>, AccountError> {
        let rows = self.store.list_tokens(caller.user_id, paging.slice(caller.user_id, LIST)?).await?;
        let total = self.store.count_tokens(caller.user_id).await?;
        let rows = rows.into_iter().map(PersonalToken::try_from).collect::<StoreResult<_>>()?;
        Ok(paging.page((caller.user_id, LIST), rows, total, |token: &PersonalToken| (token.created_at, token.id.0)))
    }

    /// Removes one of the caller's tokens; it is worth nothing from then on.
    pub async fn delete_token(&self, caller: &Caller, id: TokenId, origin: &Origin) -> Result<(), AccountError> {
        let user = caller.user_id;
        let entry = AuditEntry::by(caller, "token.deleted", self.clock.now()).on(id.0).from(origin);
        self.store
            .write_of(user, move |tx| {
                Box::pin(async move {
                    if !tx.delete_token(id, user).await? {
                        return Err(AccountError::NotFound("personal access token"));
                    }
                    Ok(tx.insert_audit(&entry).await?)
                })
            })
            .await
    }
}

/// The name and the end of a new token, when it keeps every rule.
fn checked(caller: &Caller, new: &NewToken, now: Timestamp) -> Result<(String, Option<Timestamp>), AccountError> {
    let mut faults = Faults::default();
    let name = faults.check(one_line("/name", &new.name, TOKEN_NAME_MAX));
    let ends = new.expires_at.as_deref().map(|text| future_moment(text, caller, now)).transpose();
    let expires_at = faults.take("/expires_at", ends).flatten();
    if new.scopes == Scopes::default() {
        faults.take("/scopes", Err::<(), _>("must hold at least one scope"));
    }
    Ok((faults.finish(name)?, expires_at))
}

fn future_moment(text: &str, caller: &Caller, now: Timestamp) -> Result<Timestamp, String> {
    let moment = parse_moment(text, caller.zone).map_err(|error| error.to_string())?;
    if moment > now { Ok(moment) } else { Err("must lie in the future".to_owned()) }
}
