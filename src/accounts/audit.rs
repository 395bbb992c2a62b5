//! Audit rows, made from who did something.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Caller, Credential, Origin};
use crate::clock::Timestamp;
use crate::ids::{ClientRef, SessionId, UserId};
pub use crate::store::audit::AuditEntry;

impl AuditEntry {
    /// `action` (entity and participle, such as `task.created`) was done by `caller` to their own data.
    pub fn by(caller: &Caller, action: &'static str, at: Timestamp) -> Self {
        let (actor, credential_id) = match caller.credential {
            Credential::Session(id) => ("session", Some(id.0)),
            Credential::PersonalToken(id) => ("personal_token", Some(id.0)),
            Credential::Grant(id) => ("grant", Some(id.0)),
            Credential::Shell => ("shell", None),
        };
        let request_id = (!caller.request_id.is_empty()).then(|| caller.request_id.to_string());
        let user_id = Some(caller.user_id);
        // The grant may be gone when somebody reads this; who came with it is then still known.
        let details = caller.client.as_deref().map(|client| json!({ "client_id": client }));
        Self { user_id, actor, credential_id, details, request_id, ..Self::bare(action, at) }
    }

    /// `action` was done (or tried) by somebody who had no credential yet; `user` is whose account it was about.
    pub fn anonymous(user: Option<UserId>, action: &'static str, at: Timestamp) -> Self {
        Self { user_id: user, ..Self::bare(action, at) }
    }

    /// `action` was done to `user`'s account from the operator's shell.
    pub fn shell(user: UserId, action: &'static str, at: Timestamp) -> Self {
        Self { user_id: Some(user), actor: "shell", ..Self::bare(action, at) }
    }

    /// `action` was done to `user`'s account by a client that authenticated, in a request of its own.
    pub fn client(user: UserId, client: ClientRef, action: &'static str, at: Timestamp) -> Self {
        Self { user_id: Some(user), actor: "client", credential_id: Some(client.0), ..Self::bare(action, at) }
    }

    /// `action` was done by `user` in a browser that they are signed in with.
    pub fn browser(user: UserId, session: Option<SessionId>, action: &'static str, at: Timestamp) -> Self {
        let credential_id = session.map(|id| id.0);
        Self { user_id: Some(user), actor: "session", credential_id, ..Self::bare(action, at) }
    }

    /// Names the thing to which it was done; its kind is the first word of the action.
    #[must_use]
    pub fn on(self, id: Uuid) -> Self {
        Self { entity_id: Some(id), ..self }
    }

    /// Adds what else is worth knowing; never a secret, never a task's text.
    #[must_use]
    pub fn with(self, mut details: Value) -> Self {
        if let (Some(Value::Object(known)), Value::Object(all)) = (self.details, &mut details) {
            all.extend(known);
        }
        Self { details: Some(details), ..self }
    }

    /// Adds where the request came from.
    #[must_use]
    pub fn from(self, origin: &Origin) -> Self {
        let request_id = origin.request_id.clone().or(self.request_id);
        Self { request_id, address: origin.address.clone(), ..self }
    }

    fn bare(action: &'static str, at: Timestamp) -> Self {
        Self {
            user_id: None,
            actor: "anonymous",
            credential_id: None,
            action,
            entity: action.split_once('.').map_or(action, |(entity, _)| entity),
            entity_id: None,
            details: None,
            request_id: None,
            address: None,
            at,
        }
    }
}
