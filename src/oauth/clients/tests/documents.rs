use super::*;

const URL: &str = "https://client.example/oauth/client.json";

fn document() -> Value {
    json!({ "client_id": URL, "client_name": "Client", "redirect_uris": ["https://client.example/cb"] })
}

fn with(field: &str, value: Value) -> Value {
    let mut body = document();
    body[field] = value;
    body
}

impl World {
    async fn finds(&self) -> Result<Arc<Client>, ErrorCode> {
        self.clients.find(URL).await.map_err(|error| error.code)
    }
}

#[tokio::test]
async fn a_document_makes_a_client_and_is_fetched_again_when_it_is_no_longer_fresh() {
    for world in worlds().await {
        world.shelf.put(URL, &document(), Some(600));

        let client = world.finds().await.unwrap();
        assert_eq!((client.name.as_str(), client.kind), ("Client", ClientKind::Document));
        assert!(client.allows_redirect("https://client.example/cb") && client.is_public());
        world.clock.advance(Duration::from_secs(599));
        world.finds().await.unwrap();
        assert_eq!(world.shelf.asked(), 1);

        world.shelf.put(URL, &with("client_name", json!("New")), None);
        world.clock.advance(Duration::from_secs(1));
        let again = world.finds().await.unwrap();
        assert_eq!((again.name.as_str(), again.id, world.shelf.asked()), ("New", client.id, 2), "{}", world.db.name);
    }
}

#[tokio::test]
async fn many_who_ask_at_once_have_it_fetched_once() {
    let world = worlds().await.remove(0);
    world.shelf.put(URL, &document(), None);

    let found = futures_util::future::join_all((0..20).map(|_| world.finds())).await;

    assert!(found.into_iter().all(|client| client.is_ok()));
    assert_eq!(world.shelf.asked(), 1);
}

#[tokio::test]
async fn a_failure_is_told_to_who_waits_for_it_and_not_kept() {
    let world = worlds().await.remove(0);
    // Time enough for all of them to come.
    *world.shelf.delay.lock().unwrap() = Duration::from_millis(500);
    let nothing = json!({ "client_id": URL });
    for failed in 1..=3 {
        match failed {
            1 => world.shelf.fail(URL, FetchError::Status(404)),
            2 => world.shelf.fail(URL, FetchError::Busy),
            _ => world.shelf.put(URL, &nothing, Some(600)),
        }
        let found = futures_util::future::join_all((0..20).map(|_| world.finds())).await;

        assert!(found.into_iter().all(|client| client.unwrap_err() == ErrorCode::InvalidClient));
        assert_eq!(world.shelf.asked(), failed, "all of them wait for one");
    }

    world.shelf.put(URL, &document(), None);
    world.finds().await.unwrap();
    assert_eq!(world.shelf.asked(), 4);
}

#[tokio::test]
async fn a_known_client_outlives_an_outage_of_its_server_for_a_day_but_no_withdrawal() {
    for world in worlds().await {
        world.shelf.put(URL, &document(), None);
        world.finds().await.unwrap();

        world.shelf.fail(URL, FetchError::Unreachable);
        world.clock.advance(Duration::from_hours(23));
        assert!(world.finds().await.is_ok() && world.finds().await.is_ok());
        world.clock.advance(Duration::from_hours(1));
        assert_eq!(world.finds().await.unwrap_err(), ErrorCode::InvalidClient);

        world.clock.advance(Duration::from_hours(1));
        world.shelf.put(URL, &document(), None);
        world.finds().await.unwrap();
        world.clock.advance(Duration::from_hours(2));
        world.shelf.fail(URL, FetchError::Status(404));
        assert_eq!(world.finds().await.unwrap_err(), ErrorCode::InvalidClient, "{}", world.db.name);
    }
}

#[tokio::test]
async fn a_document_that_breaks_a_rule_makes_no_client() {
    let world = worlds().await.remove(0);
    for wrong in [
        json!([]),
        json!("x"),
        with("client_id", json!("https://client.example/oauth/other.json")),
        with("client_id", json!("https://client.example/oauth/client.json/")),
        with("client_id", Value::Null),
        with("client_secret", json!("s")),
        with("client_secret_expires_at", json!(0)),
        with("token_endpoint_auth_method", json!("client_secret_basic")),
        with("token_endpoint_auth_method", json!("client_secret_post")),
        with("token_endpoint_auth_method", json!("private_key_jwt")),
        with("token_endpoint_auth_method", json!("something")),
        with("jwks", json!({ "keys": [{ "kty": "oct", "k": "AA" }] })),
        with("redirect_uris", json!([])),
        with("redirect_uris", json!(["http://evil.example/"])),
        with("redirect_uris", json!(["javascript:alert(1)"])),
        with("grant_types", json!(["client_credentials"])),
        with("client_name", json!("a\u{202e}b")),
        with("filler", json!("x".repeat(40_000))),
    ] {
        world.shelf.put(URL, &wrong, None);
        assert_eq!(world.finds().await.unwrap_err(), ErrorCode::InvalidClient, "{wrong}");
    }
    assert!(world.clients.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn of_the_methods_that_a_document_lists_those_that_both_know_are_taken() {
    let world = worlds().await.remove(0);
    let mut chatgpt = with("token_endpoint_auth_methods_supported", json!(["none", "private_key_jwt"]));
    chatgpt["token_endpoint_auth_method"] = json!("private_key_jwt");
    chatgpt["token_endpoint_auth_signing_alg"] = json!("RS256");
    chatgpt["jwks_uri"] = json!("https://client.example/jwks.json");
    let mut keyless =
        with("token_endpoint_auth_methods_supported", json!(["none", "private_key_jwt", "client_secret_post"]));
    keyless["token_endpoint_auth_method"] = json!("private_key_jwt");
    for (document, methods) in [
        (document(), vec![AuthMethod::None]),
        (with("token_endpoint_auth_method", json!("none")), vec![AuthMethod::None]),
        (chatgpt, vec![AuthMethod::None, AuthMethod::PrivateKeyJwt]),
        (keyless, vec![AuthMethod::None]),
    ] {
        world.shelf.put(URL, &document, None);
        world.clock.advance(Duration::from_hours(2));
        assert_eq!(world.finds().await.unwrap().auth_methods, methods, "{document}");
    }
}

#[tokio::test]
async fn nothing_is_fetched_for_names_that_are_no_documents() {
    let world = worlds().await.remove(0);
    for client_id in [
        "http://client.example/c",
        "https://client.example/",
        "https://client.example:8443/c",
        "https://client.example/c#x",
        "file:///etc/passwd",
        "client.example/c",
        &format!("https://client.example/{}", "x".repeat(1100)),
    ] {
        assert_eq!(world.clients.find(client_id).await.unwrap_err().code, ErrorCode::InvalidClient, "{client_id}");
    }
    let off = worlds_with(ClientSettings { client_documents: false, ..ClientSettings::default() }).await.remove(0);
    assert!(off.finds().await.is_err());

    assert_eq!((world.shelf.asked(), off.shelf.asked()), (0, 0));
}

#[tokio::test]
async fn documents_that_nobody_uses_are_limited_and_forgotten() {
    for world in worlds_with(ClientSettings { most_unused: 1, ..ClientSettings::default() }).await {
        world.shelf.put(URL, &document(), None);
        world.finds().await.unwrap();
        let other = "https://client.example/other.json";
        world.shelf.put(other, &with("client_id", json!(other)), None);

        world.clients.find(other).await.unwrap();
        assert!(world.db.store.find_client(URL).await.unwrap().is_none(), "the oldest makes room: {}", world.db.name);
        assert_eq!(world.db.store.count_unused_clients("document").await.unwrap(), 1);

        world.clock.advance(Duration::from_hours(24));
        world.clients.forget_expired().await.unwrap();
        assert!(world.db.store.find_client(other).await.unwrap().is_none(), "{}", world.db.name);
    }
}
