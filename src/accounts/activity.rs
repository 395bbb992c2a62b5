//! What happened in somebody's account: their own rows of the audit log.

use serde_json::Value;
use uuid::Uuid;

use super::error::AccountError;
use super::pages::Paging;
use super::{Accounts, Caller};
use crate::clock::Timestamp;
use crate::paging::Page;
use crate::store::audit::AuditRecord;

/// The name of this list in cursors.
const LIST: &str = "activity";

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
    pub async fn list_activity(&self, caller: &Caller, paging: &Paging) -> Result<Page<Activity>, AccountError> {
        let rows = self.store.list_audit(caller.user_id, paging.slice(caller.user_id, LIST)?).await?;
        let total = self.store.count_audit(caller.user_id).await?;
        let rows = rows.into_iter().map(Activity::from).collect();
        Ok(paging.page((caller.user_id, LIST), rows, total, |activity: &Activity| (activity.created_at, activity.id)))
    }
}

impl From<AuditRecord> for Activity {
    fn from(row: AuditRecord) -> Self {
        Self {
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
        }
    }
}
