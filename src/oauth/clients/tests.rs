//! Clients over real databases, with a shelf of documents in place of the Internet.

mod assertions;
mod documents;
mod registration;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use url::Url;

use super::*;
use crate::accounts::Origin;
use crate::clock::Timestamp;
use crate::oauth::client_auth::ClientProof;
use crate::oauth::fetch::{FetchError, Fetched};
use crate::oauth::static_clients::{CHATGPT, COMMAND_LINE, NewClient};
use crate::oauth::{AuthMethod, OAuthScope};
use crate::store::testing::{TestStore, test_stores};

pub(crate) const ISSUER: &str = "https://mindflow.example";
pub(crate) const TOKEN_ENDPOINT: &str = "https://mindflow.example/oauth/token";
/// 2026-11-02T09:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_micros(1_793_610_000_000_000);

/// The documents of the Internet, and who asked for them.
#[derive(Default)]
pub(crate) struct Shelf {
    documents: Mutex<HashMap<String, Result<Fetched, FetchError>>>,
    asked: Mutex<Vec<String>>,
    /// How long each of them takes.
    pub(crate) delay: Mutex<Duration>,
}

impl Shelf {
    pub(crate) fn put(&self, url: &str, body: &Value, fresh_for: Option<u64>) {
        let fetched = Fetched { body: body.to_string().into_bytes(), fresh_for: fresh_for.map(Duration::from_secs) };
        self.documents.lock().unwrap().insert(url.to_owned(), Ok(fetched));
    }

    pub(crate) fn fail(&self, url: &str, error: FetchError) {
        self.documents.lock().unwrap().insert(url.to_owned(), Err(error));
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[async_trait]
impl Fetcher for Shelf {
    async fn fetch(&self, url: &Url, most_bytes: usize) -> Result<Fetched, FetchError> {
        self.asked.lock().unwrap().push(url.to_string());
        let delay = *self.delay.lock().unwrap();
        tokio::time::sleep(delay).await;
        let found =
            self.documents.lock().unwrap().get(url.as_str()).cloned().unwrap_or(Err(FetchError::Status(404)))?;
        if found.body.len() > most_bytes { Err(FetchError::TooLarge) } else { Ok(found) }
    }
}

pub(crate) struct World {
    pub(crate) clients: Clients,
    pub(crate) clock: Clock,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) db: TestStore,
}

pub(crate) async fn worlds() -> Vec<World> {
    worlds_with(ClientSettings::default()).await
}

pub(crate) async fn worlds_with(settings: ClientSettings) -> Vec<World> {
    let world = |db: TestStore| {
        let (clock, shelf) = (Clock::fixed(START), Arc::new(Shelf::default()));
        let clients = Clients::new(ClientParts {
            store: db.store.clone(),
            clock: clock.clone(),
            fetcher: shelf.clone(),
            issuer: ISSUER.to_owned(),
            settings: settings.clone(),
        });
        World { clients, clock, shelf, db }
    };
    test_stores().await.into_iter().map(world).collect()
}

impl World {
    pub(crate) async fn register(&self, body: Value) -> Result<Value, OAuthError> {
        self.clients.register(&fields(body), &Origin::default()).await.map(|registered| registered.body)
    }

    pub(crate) async fn proves(&self, proof: ClientProof<'_>) -> Result<Arc<Client>, ErrorCode> {
        self.clients.authenticate(proof, TOKEN_ENDPOINT).await.map_err(|error| error.code)
    }
}

pub(crate) fn fields(body: Value) -> Map<String, Value> {
    let Value::Object(fields) = body else { panic!("{body}") };
    fields
}

pub(crate) fn basic(client_id: &str, secret: &str) -> ClientProof<'static> {
    ClientProof::Basic { client_id: client_id.to_owned().into(), secret: secret.to_owned().into() }
}

pub(crate) fn post(client_id: &str, secret: &str) -> ClientProof<'static> {
    ClientProof::Post { client_id: client_id.to_owned().into(), secret: secret.to_owned().into() }
}

pub(crate) fn name(client_id: &str) -> ClientProof<'static> {
    ClientProof::Name(client_id.to_owned().into())
}

#[tokio::test]
async fn the_built_in_clients_are_there_once_and_cannot_be_removed() {
    for world in worlds().await {
        world.clients.add_built_in().await.unwrap();
        world.clients.add_built_in().await.unwrap();

        let chatgpt = world.clients.find(CHATGPT).await.unwrap();
        assert!(chatgpt.allows_redirect("https://chat.openai.com/aip/oauth/callback"));
        assert!(chatgpt.allows_redirect("https://chatgpt.com/connector_platform_oauth_redirect"));
        assert!(!chatgpt.is_self_registered() && !chatgpt.is_native() && chatgpt.is_public());
        assert!(!chatgpt.scopes.has(OAuthScope::Admin));
        let shell = world.clients.find(COMMAND_LINE).await.unwrap();
        assert!(shell.may_use(crate::oauth::description::DEVICE_CODE) && !shell.may_use("authorization_code"));
        assert_eq!(world.clients.list().await.unwrap().len(), 2, "{}", world.db.name);
        assert_eq!(world.clients.delete(CHATGPT).await.unwrap_err().code, ErrorCode::InvalidRequest);
    }
}

#[tokio::test]
async fn an_operators_client_has_a_secret_that_can_be_changed_and_may_operate_when_told_so() {
    for world in worlds().await {
        let made =
            json!({ "client_name": "Panel", "redirect_uris": ["https://panel.example/cb"], "scope": "read admin" });
        let new = NewClient { client_id: Some("panel".to_owned()), fields: fields(made) };
        let (client, secret) = world.clients.create_static(new.clone()).await.unwrap();
        let secret = secret.unwrap();
        assert_eq!((client.client_id.as_str(), client.name.as_str()), ("panel", "Panel"));
        assert_eq!(client.scopes.to_string(), "read admin");
        // Which of the two was not said.
        assert!(world.proves(basic("panel", &secret)).await.is_ok());
        assert!(world.proves(post("panel", &secret)).await.is_ok());
        assert_eq!(world.proves(name("panel")).await.unwrap_err(), ErrorCode::InvalidClient);

        let (_, fresh) = world.clients.rotate_secret("panel").await.unwrap();
        assert_eq!(world.proves(basic("panel", &secret)).await.unwrap_err(), ErrorCode::InvalidClient);
        assert!(world.proves(basic("panel", &fresh)).await.is_ok());

        assert_eq!(world.clients.create_static(new).await.unwrap_err().code, ErrorCode::InvalidClientMetadata);
        world.clients.delete("panel").await.unwrap();
        assert_eq!(world.clients.find("panel").await.unwrap_err().code, ErrorCode::InvalidClient);
        let stored = world.db.store.list_clients().await.unwrap();
        assert!(!format!("{stored:?}").contains(&fresh), "{}", world.db.name);
    }
}

#[tokio::test]
async fn a_client_proves_itself_as_it_registered_and_in_no_other_way() {
    for world in worlds().await {
        let redirects = json!(["https://c.example/cb"]);
        let with = |method: &str| json!({ "redirect_uris": redirects, "token_endpoint_auth_method": method });
        let public = world.register(with("none")).await.unwrap()["client_id"].as_str().unwrap().to_owned();
        let secret_of = |client: &Value| {
            let text = |field: &str| client[field].as_str().unwrap().to_owned();
            (text("client_id"), text("client_secret"))
        };
        let (header, header_secret) = secret_of(&world.register(with("client_secret_basic")).await.unwrap());
        let (body, body_secret) = secret_of(&world.register(with("client_secret_post")).await.unwrap());

        assert_eq!(world.proves(name(&public)).await.unwrap().auth_methods, [AuthMethod::None]);
        assert!(world.proves(basic(&header, &header_secret)).await.is_ok());
        assert!(world.proves(post(&body, &body_secret)).await.is_ok());
        for proof in [
            name(&header),
            name(&body),
            name("nobody"),
            name(""),
            post(&header, &header_secret),
            basic(&body, &body_secret),
            basic(&public, ""),
            basic(&public, "x"),
            post(&public, "x"),
            basic(&header, ""),
            basic(&header, &body_secret),
            basic(&header, &header_secret[1..]),
            basic(&header, &header_secret.to_uppercase()),
            basic("nobody", &header_secret),
            post("nobody", ""),
        ] {
            assert_eq!(world.proves(proof.clone()).await.unwrap_err(), ErrorCode::InvalidClient, "{proof:?}");
        }
    }
}

#[tokio::test]
async fn who_does_not_prove_to_be_a_client_is_told_the_same_whatever_the_reason() {
    let world = worlds().await.remove(0);
    let made = world.register(json!({ "redirect_uris": ["https://c.example/cb"] })).await.unwrap();
    let client_id = made["client_id"].as_str().unwrap();

    let mut told = Vec::new();
    for proof in [basic("nobody", "x"), basic(client_id, "x"), post(client_id, "x"), name(client_id), name("nobody")] {
        told.push(world.clients.authenticate(proof, TOKEN_ENDPOINT).await.unwrap_err().description);
    }

    assert!(told.iter().all(|text| *text == told[0]), "{told:?}");
}
