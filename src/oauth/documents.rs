//! Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document): an `https` URL as `client_id`, at which the
//! client describes itself.
//!
//! A document is fetched when it is first asked for and when it is no longer fresh, once however many ask at the same
//! time. What failed is told to those who wait for it and to nobody else, as errors and documents that break a rule must
//! not be kept: who comes later has it fetched again, as often as [`super::frugal`] lets a site be asked. Logos and other
//! links of a document are never fetched.

use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;
use serde_json::{Map, Value};
use url::Url;

use super::client::{Client, ClientKind};
use super::clients::{ClientSettings, Clients, Room, unknown};
use super::description::{Described, Source};
use super::fetch::{FetchError, Fetcher};
use super::{ErrorCode, OAuthError};
use crate::ids::ClientRef;
use crate::store::oauth_clients::ClientRecord;

/// The largest document, in bytes.
const MOST_BYTES: usize = 32 * 1024;
/// However short the server says, a document is used this long.
pub(super) const LEAST_FRESH: Duration = Duration::from_mins(5);
/// However long the server says, a document is used this long at most; also when its server is away.
pub(super) const MOST_FRESH: Duration = Duration::from_hours(24);
/// When the server says nothing.
pub(super) const USUALLY_FRESH: Duration = Duration::from_hours(1);
/// Documents on their way at the same time for which others can wait.
const ON_THEIR_WAY: usize = 4096;

/// Whether a `client_id` is meant as the URL of a document.
pub(super) fn is_url(client_id: &str) -> bool {
    client_id.contains("://")
}

/// How long something that was fetched may be used.
pub(super) fn clamp(fresh_for: Option<Duration>) -> Duration {
    fresh_for.unwrap_or(USUALLY_FRESH).clamp(LEAST_FRESH, MOST_FRESH)
}

/// Fetches documents.
pub(super) struct Documents {
    fetcher: Arc<dyn Fetcher>,
    /// The turns to fetch. A failure is here only while it is handed to who waits.
    turns: Cache<String, Failure>,
}

/// Why there is no client.
#[derive(Clone)]
struct Failure {
    reason: String,
    /// Whether what was fetched before may serve meanwhile.
    passing: bool,
}

impl Documents {
    pub(super) fn new(fetcher: Arc<dyn Fetcher>) -> Self {
        Self { fetcher, turns: Cache::new(ON_THEIR_WAY) }
    }
}

/// Why a document makes no client.
enum Trouble {
    /// The document could not be had, or breaks a rule.
    Theirs(Failure),
    /// This server failed.
    Ours(OAuthError),
}

impl From<FetchError> for Trouble {
    fn from(error: FetchError) -> Self {
        // Which names lead to a private address is nothing to tell strangers.
        let told = if error == FetchError::NotPublic { FetchError::Unreachable } else { error };
        let reason = format!("the document at the client_id {told}");
        Self::Theirs(Failure { reason, passing: error.is_passing() })
    }
}

impl<E: Into<OAuthError>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Ours(error.into())
    }
}

impl Clients {
    /// The client that the document at `client_id` describes.
    pub(super) async fn find_document(&self, client_id: &str) -> Result<Arc<Client>, OAuthError> {
        if !self.settings.client_documents {
            return Err(unknown());
        }
        let url = check_url(client_id, &self.settings).map_err(refused)?;
        let known = self.find_stored(client_id).await?;
        if let Some(client) = known.filter(|client| self.is_fresh(client)) {
            return Ok(Arc::new(client));
        }
        let turns = &self.documents.turns;
        let failure = match turns.get_value_or_guard_async(client_id).await {
            // Somebody else fetched it meanwhile, in vain.
            Ok(failure) => failure,
            Err(turn) => match self.refresh(&url).await {
                Ok(client) => return Ok(Arc::new(client)),
                Err(Trouble::Ours(error)) => return Err(error),
                Err(Trouble::Theirs(failure)) => {
                    // Those who wait have it from the turn itself; it is only refused when it was pushed out meanwhile.
                    let _ = turn.insert(failure.clone());
                    turns.remove(client_id);
                    failure
                }
            },
        };
        self.without_document(client_id, failure).await
    }

    fn is_fresh(&self, client: &Client) -> bool {
        client.expires_at.is_some_and(|expires_at| expires_at > self.clock.now())
    }

    /// What the document said at most a day ago, when its server is only away.
    async fn without_document(&self, client_id: &str, failure: Failure) -> Result<Arc<Client>, OAuthError> {
        let now = self.clock.now();
        let known = if failure.passing { self.find_stored(client_id).await? } else { None };
        let known = known.filter(|client| client.fetched_at.is_some_and(|fetched| now < fetched.plus(MOST_FRESH)));
        known.map(Arc::new).ok_or_else(|| refused(failure.reason))
    }

    /// Fetches the document, unless somebody did while this one waited for its turn.
    async fn refresh(&self, url: &Url) -> Result<Client, Trouble> {
        let known = self.find_stored(url.as_str()).await?;
        let room = match &known {
            Some(client) if self.is_fresh(client) => return Ok(client.clone()),
            Some(_) => Room::Left,
            None => self.room(ClientKind::Document).await?,
        };
        let fetched = self.documents.fetcher.fetch(url, MOST_BYTES).await?;
        let described = read(url, &fetched.body, &self.settings)
            .map_err(|reason| Trouble::Theirs(Failure { reason, passing: false }))?;
        let now = self.clock.now();
        let moved = known.as_ref().filter(|known| described.needs_new_consent(known)).map(|known| known.id);
        let record = ClientRecord {
            id: known.map_or_else(|| ClientRef::new(now), |known| known.id).0,
            client_id: url.as_str().to_owned(),
            kind: ClientKind::Document.as_str().to_owned(),
            expires_at: Some(now.plus(clamp(fetched.fresh_for)).as_micros()),
            fetched_at: Some(now.as_micros()),
            ..described.record(now)
        };
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                if room == Room::Full {
                    tx.delete_oldest_unused(ClientKind::Document.as_str()).await?;
                }
                tx.upsert_client(&record).await?;
                match moved {
                    Some(id) => tx.forget_consents(id).await,
                    None => Ok(()),
                }
            })
        });
        work.await?;
        Ok(self.find_stored(url.as_str()).await?.ok_or_else(unknown)?)
    }
}

fn refused(reason: impl Into<String>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, reason)
}

/// Reads the URL of a document. It must be written as URL libraries would write it, so that there is one name for one
/// client and nobody reads another host or path in it.
fn check_url(text: &str, settings: &ClientSettings) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "the client_id is no URL")?;
    if url.scheme() != "https" {
        return Err("a client_id that is a URL must begin with https://");
    }
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err("a client_id that is a URL must have no fragment and no user name");
    }
    if url.path() == "/" {
        return Err("a client_id that is a URL must have a path");
    }
    if url.as_str() != text {
        return Err("a client_id that is a URL must be written in its normal form, without dot segments");
    }
    if url.port().is_some() && !settings.any_port {
        return Err("a client_id that is a URL must use port 443");
    }
    if !url.host_str().is_some_and(|host| settings.admits_place(host)) {
        return Err("this server takes clients of certain hosts only");
    }
    Ok(url)
}

/// Reads a document.
fn read(url: &Url, body: &[u8], settings: &ClientSettings) -> Result<Described, String> {
    let fields: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| "the document at the client_id is no JSON object".to_owned())?;
    if fields.get("client_id").and_then(Value::as_str) != Some(url.as_str()) {
        return Err("the document at the client_id names another client_id".to_owned());
    }
    if fields.contains_key("client_secret") || fields.contains_key("client_secret_expires_at") {
        return Err("the document at the client_id must hold no secret".to_owned());
    }
    let described = Described::read(&fields, Source::Document)
        .map_err(|error| format!("the document at the client_id is refused: {}", error.description))?;
    if !settings.admits_redirects(&described.metadata.redirect_uris) {
        return Err("this server takes redirect URIs of certain hosts only".to_owned());
    }
    Ok(described)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_id_that_is_a_url_has_one_spelling() {
        let settings = ClientSettings::default();
        assert!(check_url("https://client.example/oauth/client.json", &settings).is_ok());
        assert!(check_url("https://client.example/a?b=c", &settings).is_ok());
        for wrong in [
            "http://client.example/c",
            "ftp://client.example/c",
            "https://client.example",
            "https://client.example/",
            "https://client.example/c#x",
            "https://client.example/c#",
            "https://u@client.example/c",
            "https://u:p@client.example/c",
            "https://client.example:8443/c",
            "https://client.example:443/c",
            "https://CLIENT.example/c",
            "HTTPS://client.example/c",
            "https://client.example/a/../c",
            "https://client.example/./c",
            "https://client.example/a/%2e%2e/c",
            "https://client.example\\c",
            "https:/client.example/c",
            "https://client.example/c\n",
            " https://client.example/c",
            "https://127.1/c",
            "https://",
        ] {
            assert!(check_url(wrong, &settings).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_operator_may_take_the_documents_of_certain_hosts_only() {
        let settings = ClientSettings { hosts: vec!["claude.ai".to_owned()], ..ClientSettings::default() };

        assert!(check_url("https://claude.ai/c", &settings).is_ok());
        assert!(check_url("https://evil.example/c", &settings).is_err());
    }

    #[test]
    fn freshness_has_bounds() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        assert_eq!(clamp(None), minutes(60));
        assert_eq!(clamp(Some(Duration::ZERO)), minutes(5));
        assert_eq!(clamp(Some(minutes(7))), minutes(7));
        assert_eq!(clamp(Some(minutes(10_000_000))), minutes(24 * 60));
    }
}
