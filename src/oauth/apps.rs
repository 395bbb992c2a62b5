//! The programs that somebody connected, and how they get rid of one.

use serde_json::json;
use url::Url;

use super::client::ClientMetadata;
use super::grants::Grants;
use super::resource::Resources;
use super::scope::OAuthScopes;
use crate::accounts::audit::AuditEntry;
use crate::accounts::error::AccountError;
use crate::accounts::pages::Paging;
use crate::accounts::{Caller, Origin};
use crate::clock::Timestamp;
use crate::ids::ClientRef;
use crate::paging::Page;
use crate::store::oauth_grants::{AppRecord, Living};
use crate::store::{StoreError, StoreResult};

/// The name of this list in cursors.
const LIST: &str = "apps";

/// A client that somebody connected, with all that it may do for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectedApp {
    /// Its id in this list.
    pub id: ClientRef,
    /// Its name in the protocol.
    pub client_id: String,
    /// What it calls itself.
    pub name: String,
    /// The host that it belongs to, as far as that is known: nobody can take another's.
    pub host: Option<String>,
    /// Whether an operator of this server made it.
    pub made_by_operator: bool,
    /// What it may do.
    pub scopes: OAuthScopes,
    /// Where.
    pub resources: Resources,
    /// How often it is connected: once for each place where somebody allowed it.
    pub connections: u64,
    /// When it was first connected.
    pub created_at: Timestamp,
    /// When it was used last, give or take a minute.
    pub last_used_at: Timestamp,
}

impl TryFrom<AppRecord> for ConnectedApp {
    type Error = StoreError;

    fn try_from(row: AppRecord) -> StoreResult<Self> {
        let metadata: ClientMetadata =
            serde_json::from_str(&row.metadata).map_err(|_| StoreError::corrupt("client", row.client_ref))?;
        let scopes = OAuthScopes::parse(&row.scopes).ok_or_else(|| StoreError::corrupt("scopes", row.scopes))?;
        let resources = Resources::parse(&row.resources);
        Ok(Self {
            id: ClientRef(row.client_ref),
            host: host_of(&row.client_id, &metadata),
            client_id: row.client_id,
            name: row.name,
            made_by_operator: row.kind == "static",
            scopes,
            resources: resources.ok_or_else(|| StoreError::corrupt("resources", row.resources))?,
            connections: u64::try_from(row.grants).unwrap_or(0),
            created_at: Timestamp::from_micros(row.created_at),
            last_used_at: Timestamp::from_micros(row.last_used_at),
        })
    }
}

/// Of a document its own host; else where its answers go. A home page can be claimed by anybody, so it does not count.
fn host_of(client_id: &str, metadata: &ClientMetadata) -> Option<String> {
    let host = |text: &str| Url::parse(text).ok().filter(|url| url.scheme() == "https")?.host_str().map(str::to_owned);
    host(client_id).or_else(|| metadata.redirect_uris.iter().find_map(|uri| host(uri)))
}

impl Grants {
    /// A page of the programs that the caller connected, the newest connection first.
    pub async fn list_apps(&self, caller: &Caller, paging: &Paging) -> Result<Page<ConnectedApp>, AccountError> {
        let now = self.clock.now();
        let living = Living { now, idle_since: self.idle_since() };
        let rows = self.store.list_apps(caller.user_id, living, paging.slice(caller.user_id, LIST)?).await?;
        let total = self.store.count_apps(caller.user_id, living).await?;
        let rows = rows.into_iter().map(ConnectedApp::try_from).collect::<StoreResult<_>>()?;
        Ok(paging.page((caller.user_id, LIST), rows, total, |app: &ConnectedApp| (app.created_at, app.id.0)))
    }

    /// Ends everything that the caller allowed a program, at once: every connection, and what it was remembered to be
    /// allowed.
    ///
    /// # Errors
    ///
    /// [`AccountError::NotFound`] when the caller did not connect it.
    pub async fn end_app(&self, caller: &Caller, app: ClientRef, origin: &Origin) -> Result<(), AccountError> {
        let user = caller.user_id;
        let entry = AuditEntry::by(caller, "app.ended", self.clock.now()).on(app.0).from(origin);
        self.store
            .write_of(user, move |tx| {
                Box::pin(async move {
                    // Whoever makes a grant locks the person too.
                    tx.lock_user(user).await?;
                    // In the order in which they go with a client that is removed.
                    let grants = tx.delete_app_grants(user, app).await?;
                    tx.delete_app_codes(user, app).await?;
                    let consents = tx.delete_app_consents(user, app).await?;
                    tx.delete_app_devices(user, app).await?;
                    if grants + consents == 0 {
                        return Err(AccountError::NotFound("connected app"));
                    }
                    Ok(tx.insert_audit(&entry.with(json!({ "connections": grants }))).await?)
                })
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_client_is_one_that_it_cannot_make_up() {
        let metadata = |uris: &[&str]| ClientMetadata {
            redirect_uris: uris.iter().map(|uri| (*uri).to_owned()).collect(),
            client_uri: Some("https://bank.example".to_owned()),
            ..ClientMetadata::default()
        };
        let host = |client_id: &str, uris: &[&str]| host_of(client_id, &metadata(uris));

        assert_eq!(host("https://app.example/client.json", &["https://x.example/"]).as_deref(), Some("app.example"));
        assert_eq!(host("abc", &["com.app:/cb", "https://x.example/cb"]).as_deref(), Some("x.example"));
        assert_eq!(host("abc", &["http://127.0.0.1/cb"]), None);
    }
}
