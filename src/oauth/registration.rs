//! Clients that register themselves (RFC 7591) and manage that (RFC 7592).

use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq as _;

use super::client::{Client, ClientKind};
use super::clients::{Clients, Room};
use super::description::{AUTHORIZATION_CODE, Described, Source};
use super::{ErrorCode, OAuthError};
use crate::accounts::Origin;
use crate::accounts::audit::AuditEntry;
use crate::accounts::secrets::{hash_secret, random_secret};
use crate::clock::Timestamp;
use crate::ids::ClientRef;
use crate::store::oauth_clients::ClientRecord;

/// What the names of registered clients begin with.
const NAME_PREFIX: &str = "mfc_";
/// What secrets begin with, so that scanners find leaked ones.
pub(super) const SECRET_PREFIX: &str = "mfs_";
/// What registration tokens begin with.
const REGISTRATION_PREFIX: &str = "mfr_";
/// How long a registration that nobody uses is kept.
const UNUSED_FOR: Duration = Duration::from_hours(7 * 24);
/// What the server decides about a client and no request may carry (RFC 7592, section 2.2).
const NOT_FOR_UPDATES: [&str; 4] =
    ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];

/// A registration as its client is told of it.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The answer (RFC 7591, section 3.2.1), secrets and all.
    pub body: Value,
    /// The client.
    pub client_id: String,
}

impl Clients {
    /// Registers a client as it describes itself.
    ///
    /// # Errors
    ///
    /// `access_denied` when the operator takes none, `temporarily_unavailable` when there are too many that nobody uses,
    /// else what [`Described::read`] says.
    pub async fn register(&self, fields: &Map<String, Value>, origin: &Origin) -> Result<Registered, OAuthError> {
        if !self.settings.dynamic_registration {
            let text = "clients cannot register themselves here; ask the operator of this server";
            return Err(OAuthError::new(ErrorCode::AccessDenied, text));
        }
        let described = self.admitted(fields)?;
        let (now, address) = (self.clock.now(), origin.address.as_deref().map(network_of));
        let room = self.check_room(address.as_deref(), now).await?;
        let token = random_secret(REGISTRATION_PREFIX)?;
        let secret = described.has_secret().then(|| random_secret(SECRET_PREFIX)).transpose()?;
        let record = ClientRecord {
            id: ClientRef::new(now).0,
            client_id: random_secret(NAME_PREFIX)?,
            kind: ClientKind::Registered.as_str().to_owned(),
            secret_hash: secret.as_deref().map(|secret| hash_secret(secret).to_vec()),
            registration_token_hash: Some(hash_secret(&token).to_vec()),
            address,
            expires_at: Some(now.plus(UNUSED_FOR).as_micros()),
            ..described.record(now)
        };
        let client = Client::try_from(record.clone())?;
        let entry = audit("client.registered", &client, now, origin);
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                if room == Room::Full && !tx.delete_oldest_unused(ClientKind::Registered.as_str()).await? {
                    return Err(full());
                }
                tx.insert_client(&record).await?;
                Ok(tx.insert_audit(&entry).await?)
            })
        });
        work.await?;
        Ok(self.answer(&client, secret.as_deref(), &token))
    }

    /// What is registered (RFC 7592, section 2.1). Secrets are not shown again: only their hashes are kept.
    ///
    /// # Errors
    ///
    /// `invalid_token`, the same for unknown clients and wrong tokens.
    pub async fn registration(&self, client_id: &str, token: Option<&str>) -> Result<Registered, OAuthError> {
        let client = self.managed(client_id, token).await?;
        Ok(self.answer(&client, None, token.unwrap_or_default()))
    }

    /// Replaces what a client says of itself (RFC 7592, section 2.2). A client that begins to use a secret is given one.
    ///
    /// # Errors
    ///
    /// `invalid_token`; `invalid_client_metadata` also when the request names another client or chooses a secret.
    pub async fn update_registration(
        &self,
        client_id: &str,
        token: Option<&str>,
        fields: &Map<String, Value>,
        origin: &Origin,
    ) -> Result<Registered, OAuthError> {
        let client = self.managed(client_id, token).await?;
        check_update(fields, &client)?;
        let described = self.admitted(fields)?;
        let now = self.clock.now();
        let fresh = described.has_secret() && client.secret_hash.is_none();
        let secret = fresh.then(|| random_secret(SECRET_PREFIX)).transpose()?;
        let kept = client.secret_hash.filter(|_| described.has_secret());
        let record = ClientRecord {
            id: client.id.0,
            client_id: client.client_id.clone(),
            kind: client.kind.as_str().to_owned(),
            secret_hash: secret.as_deref().map(hash_secret).or(kept).map(|hash| hash.to_vec()),
            created_at: client.created_at.as_micros(),
            ..described.record(now)
        };
        let updated = Client { expires_at: client.expires_at, ..Client::try_from(record.clone())? };
        let (id, moved) = (client.id, described.needs_new_consent(&client));
        let entry = audit("client.changed", &updated, now, origin);
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                if !tx.update_client(&record).await? {
                    return Err(not_managed());
                }
                if moved {
                    tx.forget_consents(id).await?;
                }
                Ok(tx.insert_audit(&entry).await?)
            })
        });
        work.await?;
        Ok(self.answer(&updated, secret.as_deref(), token.unwrap_or_default()))
    }

    /// Removes a client and all that people allowed it (RFC 7592, section 2.3).
    ///
    /// # Errors
    ///
    /// `invalid_token`.
    pub async fn unregister(&self, client_id: &str, token: Option<&str>, origin: &Origin) -> Result<(), OAuthError> {
        let client = self.managed(client_id, token).await?;
        let entry = audit("client.unregistered", &client, self.clock.now(), origin);
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                tx.delete_client(client.id).await?;
                tx.insert_audit(&entry).await
            })
        });
        work.await.map_err(|error: crate::store::StoreError| OAuthError::from(error))
    }

    /// The registered client of that name, when `token` manages it.
    async fn managed(&self, client_id: &str, token: Option<&str>) -> Result<Client, OAuthError> {
        let client = self.find_stored(client_id).await?.filter(|client| client.kind == ClientKind::Registered);
        let stored = client.as_ref().and_then(|client| client.registration_token_hash);
        let right = hash_secret(token.unwrap_or_default()).ct_eq(&stored.unwrap_or_default());
        client.filter(|_| bool::from(right) && stored.is_some()).ok_or_else(not_managed)
    }

    fn admitted(&self, fields: &Map<String, Value>) -> Result<Described, OAuthError> {
        let described = Described::read(fields, Source::Registration)?;
        if !self.settings.admits_redirects(&described.metadata.redirect_uris) {
            let text = "this server takes redirect URIs of certain hosts only; ask its operator";
            return Err(OAuthError::new(ErrorCode::InvalidRedirectUri, text));
        }
        Ok(described)
    }

    async fn check_room(&self, address: Option<&str>, now: Timestamp) -> Result<Room, OAuthError> {
        if let Some(address) = address {
            let unused = self.store.count_unused_clients_from(address, now).await?;
            if unused >= i64::from(self.settings.most_unused_per_address) {
                return Err(full());
            }
        }
        self.room(ClientKind::Registered).await
    }

    fn answer(&self, client: &Client, secret: Option<&str>, token: &str) -> Registered {
        let mut body = json!(client.metadata);
        let method = client.auth_methods.first().map_or("none", |method| method.as_str());
        body["client_id"] = json!(client.client_id);
        body["client_id_issued_at"] = json!(client.created_at.as_seconds());
        if let Some(secret) = secret {
            body["client_secret"] = json!(secret);
        }
        if client.secret_hash.is_some() {
            body["client_secret_expires_at"] = json!(0);
        }
        body["client_name"] = json!(client.name);
        body["token_endpoint_auth_method"] = json!(method);
        body["scope"] = json!(client.scopes.to_string());
        let responds = client.may_use(AUTHORIZATION_CODE);
        body["response_types"] = if responds { json!(["code"]) } else { json!([]) };
        body["registration_client_uri"] = json!(format!("{}/oauth/register/{}", self.issuer, client.client_id));
        body["registration_access_token"] = json!(token);
        Registered { body, client_id: client.client_id.clone() }
    }
}

fn full() -> OAuthError {
    let text = "too many clients are registered that nobody uses; try again later";
    OAuthError::new(ErrorCode::TemporarilyUnavailable, text)
}

fn not_managed() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidToken, "the registration access token is not valid for this client")
}

/// What a request to replace a registration must and must not say beside the description.
fn check_update(fields: &Map<String, Value>, client: &Client) -> Result<(), OAuthError> {
    let refused = |text: String| Err(OAuthError::new(ErrorCode::InvalidClientMetadata, text));
    if let Some(field) = NOT_FOR_UPDATES.iter().find(|field| fields.contains_key(**field)) {
        return refused(format!("`{field}` must not be given"));
    }
    if fields.get("client_id").and_then(Value::as_str) != Some(client.client_id.as_str()) {
        return refused("`client_id` must be the client's own".to_owned());
    }
    let given = fields.get("client_secret").filter(|secret| !secret.is_null());
    let Some(secret) = given else { return Ok(()) };
    let right = secret.as_str().map(|secret| hash_secret(secret).ct_eq(&client.secret_hash.unwrap_or_default()));
    if !right.is_some_and(bool::from) || client.secret_hash.is_none() {
        return refused("`client_secret` cannot be chosen by the client".to_owned());
    }
    Ok(())
}

/// Neighbours in one IPv6 network are counted together: one household or attacker has all of its 64 bits.
fn network_of(address: &str) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(six)) => std::net::Ipv6Addr::from_bits(six.to_bits() >> 64 << 64).to_string(),
        Ok(four) => four.to_string(),
        Err(_) => address.to_owned(),
    }
}

fn audit(action: &'static str, client: &Client, now: Timestamp, origin: &Origin) -> AuditEntry {
    let details = json!({ "client_id": client.client_id, "name": client.name });
    AuditEntry::anonymous(None, action, now).on(client.id.0).with(details).from(origin)
}
