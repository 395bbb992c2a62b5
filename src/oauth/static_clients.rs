//! Clients that an operator makes and removes, and those that are built in.

use serde_json::{Map, Value, json};

use super::client::{AuthMethod, Client};
use super::clients::{Clients, unknown};
use super::description::{DEVICE_CODE, Described, Source};
use super::registration::SECRET_PREFIX;
use super::{ErrorCode, OAuthError};
use crate::accounts::audit::AuditEntry;
use crate::accounts::secrets::{hash_secret, random_secret};
use crate::clock::Timestamp;
use crate::ids::ClientRef;
use crate::store::oauth_clients::ClientRecord;
use crate::store::{StoreError, StoreResult};

/// The client of ChatGPT's actions and connectors, which every MindFlow knows under this name.
pub const CHATGPT: &str = "chatgpt_mindflow";
/// The client of `mindflow login`.
pub const COMMAND_LINE: &str = "mindflow_cli";
/// The longest name in the protocol, in characters.
const LONGEST_CLIENT_ID: usize = 100;

/// A new client of an operator.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// Its name in the protocol; `None` has one made.
    pub client_id: Option<String>,
    /// What it is, in the words of RFC 7591, section 2.
    pub fields: Map<String, Value>,
}

impl Clients {
    /// Makes sure that the built-in clients are there, as this version knows them.
    pub async fn add_built_in(&self) -> Result<(), OAuthError> {
        let now = self.clock.now();
        let chatgpt = json!({
            "client_name": "ChatGPT",
            "client_uri": "https://chatgpt.com",
            "redirect_uris": [
                "https://chat.openai.com/aip/oauth/callback",
                "https://chatgpt.com/aip/oauth/callback",
                "https://chatgpt.com/connector_platform_oauth_redirect",
            ],
            "token_endpoint_auth_method": "none",
        });
        let command_line = json!({
            "client_name": "MindFlow command line",
            "grant_types": [DEVICE_CODE],
            "token_endpoint_auth_method": "none",
        });
        for (client_id, fields) in [(CHATGPT, chatgpt), (COMMAND_LINE, command_line)] {
            let Value::Object(fields) = fields else { continue };
            let described = Described::read(&fields, Source::Operator)?;
            let id = ClientRef::new(now).0;
            let record = ClientRecord { id, client_id: client_id.to_owned(), ..described.record(now) };
            let known = self.store.find_client(client_id).await?;
            let same = |known: &ClientRecord| known.metadata == record.metadata && known.name == record.name;
            if !known.as_ref().is_some_and(same) {
                let work = self.store.write(move |tx| Box::pin(async move { tx.upsert_client(&record).await }));
                work.await.map_err(|error: StoreError| OAuthError::from(error))?;
            }
        }
        Ok(())
    }

    /// Makes a client; gives its secret, if it has one, for the only time.
    ///
    /// # Errors
    ///
    /// What [`Described::read`] says; `invalid_client_metadata` for a name that is taken or none.
    pub async fn create_static(&self, new: NewClient) -> Result<(Client, Option<String>), OAuthError> {
        let described = Described::read(&new.fields, Source::Operator)?;
        let now = self.clock.now();
        let client_id = match new.client_id {
            Some(client_id) => check_name(client_id)?,
            None => random_secret("mfc_")?,
        };
        let secret = described.has_secret().then(|| random_secret(SECRET_PREFIX)).transpose()?;
        let secret_hash = secret.as_deref().map(|secret| hash_secret(secret).to_vec());
        let record = ClientRecord { id: ClientRef::new(now).0, client_id, secret_hash, ..described.record(now) };
        let client = Client::try_from(record.clone())?;
        let entry = audit("client.created", &client, now);
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                tx.insert_client(&record).await?;
                tx.insert_audit(&entry).await
            })
        });
        work.await.map_err(|error| match error {
            StoreError::Taken(_) => wrong("there is a client of that name already"),
            error => error.into(),
        })?;
        Ok((client, secret))
    }

    /// All clients, oldest first.
    pub async fn list(&self) -> Result<Vec<Client>, OAuthError> {
        let rows = self.store.list_clients().await?;
        Ok(rows.into_iter().map(Client::try_from).collect::<StoreResult<_>>()?)
    }

    /// Removes a client, of whatever kind, and all that people allowed it.
    ///
    /// # Errors
    ///
    /// `invalid_client` when there is none of that name, `invalid_request` for a built-in one.
    pub async fn delete(&self, client_id: &str) -> Result<Client, OAuthError> {
        if [CHATGPT, COMMAND_LINE].contains(&client_id) {
            return Err(OAuthError::new(ErrorCode::InvalidRequest, "a built-in client cannot be removed"));
        }
        let client = self.get(client_id).await?;
        let (id, entry) = (client.id, audit("client.deleted", &client, self.clock.now()));
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                tx.delete_client(id).await?;
                tx.insert_audit(&entry).await
            })
        });
        work.await.map_err(|error: StoreError| OAuthError::from(error))?;
        Ok(client)
    }

    /// Gives a client a new secret; the old one is worth nothing from then on.
    ///
    /// # Errors
    ///
    /// `invalid_client` when there is none of that name, `invalid_request` when it has no secret.
    pub async fn rotate_secret(&self, client_id: &str) -> Result<(Client, String), OAuthError> {
        let client = self.get(client_id).await?;
        if !client.auth_methods.iter().any(|method| matches!(method, AuthMethod::SecretBasic | AuthMethod::SecretPost))
        {
            return Err(OAuthError::new(ErrorCode::InvalidRequest, "the client has no secret"));
        }
        let (secret, now) = (random_secret(SECRET_PREFIX)?, self.clock.now());
        let row = self.store.find_client(client_id).await?.ok_or_else(unknown)?;
        let hash = Some(hash_secret(&secret).to_vec());
        let record = ClientRecord { secret_hash: hash, updated_at: now.as_micros(), ..row };
        let entry = audit("client.secret_changed", &client, now);
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                tx.update_client(&record).await?;
                tx.insert_audit(&entry).await
            })
        });
        work.await.map_err(|error: StoreError| OAuthError::from(error))?;
        Ok((client, secret))
    }

    async fn get(&self, client_id: &str) -> Result<Client, OAuthError> {
        let row = self.store.find_client(client_id).await?.ok_or_else(unknown)?;
        Ok(Client::try_from(row)?)
    }
}

fn wrong(text: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClientMetadata, text)
}

/// A name without anything that URLs, headers or people could read otherwise; URLs are documents.
fn check_name(client_id: String) -> Result<String, OAuthError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if client_id.is_empty() || client_id.len() > LONGEST_CLIENT_ID || !client_id.chars().all(plain) {
        return Err(wrong("a client's name has 1 to 100 letters, digits, dots, hyphens and underscores"));
    }
    Ok(client_id)
}

fn audit(action: &'static str, client: &Client, now: Timestamp) -> AuditEntry {
    let details = json!({ "client_id": client.client_id, "name": client.name, "kind": client.kind.as_str() });
    let entry = AuditEntry { actor: "shell", ..AuditEntry::anonymous(None, action, now) };
    entry.on(client.id.0).with(details)
}
