//! What happened in somebody's account: their own rows of the audit log.

use serde_json::Value;
use uuid::Uuid;

use super::error::AccountError;
use super::{Accounts, Caller};
use crate::clock::Timestamp;
use crate::paging::{self, Page};

/// Cursors of this list; it has no parameters.
const QUESTION: &str = "activity";

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Activity {
    /// Its id.
    pub id: Uuid,
    /// What was done, such as `session.created`.
    pub action: String,
    /// To what kind of thing.
    pub entity: String,
    /// To which.
    pub entity_id: Option<Uuid>,
    /// How they came: `session`, `personal_token`, `shell` or `anonymous`.
    pub actor: String,
    /// With which session or token.
    pub credential_id: Option<Uuid>,
    /// What else is worth knowing.
    pub details: Option<Value>,
    /// Where it came from.
    pub address: Option<String>,
    /// The request that did it.
    pub request_id: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

impl Accounts {
    /// A page of what happened in the caller's account, newest first.
    pub async fn list_activity(
        &self,
        caller: &Caller,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<Activity>, AccountError> {
        let before = cursor.map(|cursor| paging::decode::<(i64, Uuid)>(QUESTION, cursor)).transpose()?;
        let before = before.map(|(at, id)| (Timestamp::from_micros(at), id));
        let limit = limit.clamp(1, paging::LIMIT_MAX) as usize;
        let asked = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let mut rows = self.store.list_audit(caller.user_id, before, asked).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more).map(|row| (row.created_at, row.id));
        let total = self.store.count_audit(caller.user_id).await?;
        let activity = |row: crate::store::audit::AuditRecord| Activity {
            id: row.id,
            action: row.action,
            entity: row.entity,
            entity_id: row.entity_id,
            actor: row.actor,
            credential_id: row.credential_id,
            details: row.details.and_then(|json| serde_json::from_str(&json).ok()),
            address: row.address,
            request_id: row.request_id,
            created_at: Timestamp::from_micros(row.created_at),
        };
        Ok(Page {
            items: rows.into_iter().map(activity).collect(),
            next_cursor: last.map(|place| paging::encode(QUESTION, &place)),
            total: u64::try_from(total).unwrap_or(0),
        })
    }
}
