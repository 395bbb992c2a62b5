//! Consent: what a person allowed a client before need not be asked again.

use serde_json::json;

use super::client::Client;
use super::error::OAuthError;
use super::resource::Resources;
use super::scope::OAuthScopes;
use crate::accounts::Origin;
use crate::clock::Clock;
use crate::ids::{SessionId, UserId};
use crate::store::audit::AuditEntry;
use crate::store::oauth_consents::ConsentRecord;
use crate::store::{Store, StoreError};

/// The service of consents.
#[derive(Clone)]
pub struct Consents {
    store: Store,
    clock: Clock,
}

/// Whether an answer is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Next time it is not asked again.
    Kept,
    /// Next time it is.
    None,
}

/// What somebody was asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Who was asked.
    pub user_id: UserId,
    /// Signed in how.
    pub session_id: SessionId,
    /// By whom.
    pub client: &'a Client,
    /// To allow what.
    pub scopes: OAuthScopes,
    /// On what.
    pub resources: Resources,
}

impl Consents {
    /// Builds the service.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Whether the question was answered with yes before: for these scopes or more, on these resources or more.
    pub async fn has(&self, question: &Question<'_>) -> Result<bool, OAuthError> {
        let rows = self.store.find_consents(question.user_id, question.client.id).await?;
        Ok(rows.iter().any(|row| {
            let (scopes, resources) = (OAuthScopes::parse_known(&row.scopes), Resources::parse(&row.resources));
            question.scopes.is_within(scopes) && resources.is_some_and(|given| question.resources.is_within(given))
        }))
    }

    /// Notes that the answer was yes. When it is kept, of what was asked `allowed` is allowed from now on, and the rest no
    /// longer.
    pub async fn allow(
        &self,
        question: &Question<'_>,
        allowed: OAuthScopes,
        memory: Memory,
        origin: &Origin,
    ) -> Result<(), OAuthError> {
        let now = self.clock.now();
        let entry = self.entry("consent.given", question, allowed, origin);
        let (user, client, asked) = (question.user_id, question.client.id, question.scopes);
        let resources = question.resources.to_string();
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                if memory == Memory::None {
                    return tx.insert_audit(&entry).await;
                }
                let before = tx.find_consents(user, client).await?.into_iter().find(|row| row.resources == resources);
                let before = before.map(|row| OAuthScopes::parse_known(&row.scopes)).unwrap_or_default();
                let kept = before.iter().filter(|scope| !asked.has(*scope)).collect::<OAuthScopes>();
                let scopes = kept.union(allowed).to_string();
                let row = ConsentRecord { user_id: user.0, client_ref: client.0, resources, scopes };
                tx.put_consent(&row, now).await?;
                tx.insert_audit(&entry).await
            })
        });
        match work.await {
            // The client or the account is gone: what it was about is over, and the next step says so.
            Err(StoreError::Dangling(_)) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Notes that the answer was no; what was allowed before stays allowed.
    pub async fn deny(&self, question: &Question<'_>, origin: &Origin) -> Result<(), OAuthError> {
        let entry = self.entry("consent.denied", question, question.scopes, origin);
        self.store.write(move |tx| Box::pin(async move { tx.insert_audit(&entry).await })).await.map_err(Into::into)
    }

    fn entry(&self, action: &'static str, question: &Question<'_>, scopes: OAuthScopes, origin: &Origin) -> AuditEntry {
        let client_id: String = question.client.client_id.chars().take(200).collect();
        let details = json!({ "client_id": client_id, "scopes": scopes.to_string() });
        let entry = AuditEntry::anonymous(Some(question.user_id), action, self.clock.now());
        let entry = AuditEntry { actor: "session", credential_id: Some(question.session_id.0), ..entry };
        entry.on(question.client.id.0).with(details).from(origin)
    }
}
