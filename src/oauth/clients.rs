//! The programs that may ask on behalf of people: made by operators, registered by themselves, or described by a document.
//!
//! - Here: finding them, noting their use, forgetting the unused. [`super::client_auth`]: who they prove to be.
//! - [`super::registration`]: RFC 7591 and 7592. `documents`: Client ID Metadata Documents.
//!   [`super::static_clients`]: what the operator's shell does.

use std::sync::Arc;
use std::time::Duration;

use super::client::{Client, ClientKind};
use super::client_keys::ClientKeys;
use super::documents::{self, Documents};
use super::fetch::Fetcher;
use super::frugal::Frugal;
use super::redirect::RedirectKind;
use super::{ErrorCode, OAuthError};
use crate::clock::{Clock, Timestamp};
use crate::store::{Store, StoreResult, Tx};

/// A use within this time of the one that was noted is not noted.
const TOUCH_INTERVAL: Duration = Duration::from_hours(1);
/// How long a document that nobody allowed anything is kept.
const DOCUMENTS_KEPT: Duration = Duration::from_hours(24);
/// Longer names are nobody's.
const LONGEST_CLIENT_ID: usize = 1024;

/// What an operator chose about clients.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Whether clients may register themselves (RFC 7591).
    pub dynamic_registration: bool,
    /// Whether the URL of a document is taken as `client_id`.
    pub client_documents: bool,
    /// The hosts (of `https` and loopback) and schemes (with a colon) that redirect URIs of self-registered clients may
    /// name; empty is any.
    pub hosts: Vec<String>,
    /// The most registrations from one address that were never used.
    pub most_unused_per_address: u32,
    /// The most registrations, and the most documents, that were never used.
    pub most_unused: u32,
    /// Where private addresses and other ports than 443 may be fetched from: in tests alone.
    pub any_port: bool,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            dynamic_registration: true,
            client_documents: true,
            hosts: Vec::new(),
            most_unused_per_address: 1000,
            most_unused: 20_000,
            any_port: false,
        }
    }
}

impl ClientSettings {
    /// Whether the operator lets self-registered clients answer to this place.
    pub(super) fn admits_place(&self, place: &str) -> bool {
        self.hosts.is_empty() || self.hosts.iter().any(|host| host == place)
    }

    pub(super) fn admits_redirects(&self, uris: &[String]) -> bool {
        uris.iter().all(|uri| RedirectKind::parse(uri).is_ok_and(|kind| self.admits_place(&kind.place())))
    }
}

/// What [`Clients`] works with.
pub struct ClientParts {
    /// Where clients are kept.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Gets documents and keys.
    pub fetcher: Arc<dyn Fetcher>,
    /// The public URL, without a slash at the end.
    pub issuer: String,
    /// What the operator chose.
    pub settings: ClientSettings,
}

/// The service of clients.
pub struct Clients {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) issuer: String,
    pub(super) settings: ClientSettings,
    pub(super) documents: Documents,
    pub(super) keys: ClientKeys,
}

impl Clients {
    /// Builds the service.
    pub fn new(parts: ClientParts) -> Self {
        let ClientParts { store, clock, fetcher, issuer, settings } = parts;
        // Apart, so that documents that nobody needs leave room for the keys of clients that are in use.
        let frugal = || Arc::new(Frugal::new(Arc::clone(&fetcher), clock.clone()));
        Self {
            documents: Documents::new(frugal()),
            keys: ClientKeys::new(frugal(), clock.clone()),
            store,
            clock,
            issuer,
            settings,
        }
    }

    /// Whether clients may register themselves.
    pub const fn takes_registrations(&self) -> bool {
        self.settings.dynamic_registration
    }

    /// Whether the URL of a document is taken as `client_id`.
    pub const fn takes_documents(&self) -> bool {
        self.settings.client_documents
    }

    /// The client of that name; a document is fetched when it is not at hand or no longer fresh.
    ///
    /// # Errors
    ///
    /// `invalid_client` when there is none; the description says what is wrong with a document.
    pub async fn find(&self, client_id: &str) -> Result<Arc<Client>, OAuthError> {
        if client_id.len() > LONGEST_CLIENT_ID {
            return Err(unknown());
        }
        if documents::is_url(client_id) {
            return self.find_document(client_id).await;
        }
        let client = self.find_stored(client_id).await?.ok_or_else(unknown)?;
        Ok(Arc::new(client))
    }

    /// The client of that name as it is stored, unless its time has passed.
    pub(super) async fn find_stored(&self, client_id: &str) -> Result<Option<Client>, OAuthError> {
        let Some(row) = self.store.find_client(client_id).await? else { return Ok(None) };
        let client = Client::try_from(row)?;
        let now = self.clock.now();
        let forgotten = client.kind == ClientKind::Registered
            && client.last_used_at.is_none()
            && client.expires_at.is_some_and(|expires_at| expires_at <= now);
        Ok((!forgotten).then_some(client))
    }

    /// Notes that somebody lets a client do something; from then on it does not expire. To be called when a code is
    /// redeemed or a token refreshed.
    pub async fn touch(&self, client: &Client) -> Result<(), OAuthError> {
        let (id, now) = (client.id, self.clock.now());
        if client.last_used_at.is_some_and(|then| now < then.plus(TOUCH_INTERVAL)) {
            return Ok(());
        }
        let work = self.store.write(move |tx| Box::pin(async move { tx.touch_client(id, now).await }));
        Ok(work.await?)
    }

    /// Forgets registrations that expired unused, documents that nobody uses, and assertions that cannot come again. To be
    /// called now and then.
    pub async fn forget_expired(&self) -> Result<(), OAuthError> {
        let now = self.clock.now();
        Ok(self.store.write(move |tx| Box::pin(Self::forget_in(tx, now))).await?)
    }

    /// The same as a part of a transaction.
    pub async fn forget_in(tx: &mut Tx<'_>, now: Timestamp) -> StoreResult<()> {
        tx.delete_unused_clients(now, now.minus(DOCUMENTS_KEPT)).await?;
        tx.delete_expired_assertions(now).await
    }
}

/// Whether there is room for another client that nobody used yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// There is.
    Left,
    /// The oldest must go.
    Full,
}

impl Clients {
    /// How full it is with clients of this kind that nobody used. Newcomers must not be kept out by those who came for
    /// nothing, so the oldest of them make room.
    pub(super) async fn room(&self, kind: ClientKind) -> Result<Room, OAuthError> {
        let unused = self.store.count_unused_clients(kind.as_str()).await?;
        Ok(if unused < i64::from(self.settings.most_unused) { Room::Left } else { Room::Full })
    }
}

pub(super) fn unknown() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, "there is no such client")
}

#[cfg(test)]
pub(crate) mod tests;
