use super::*;
use crate::oauth::redirect::MOST_REDIRECT_URIS;

fn minimal() -> Value {
    json!({ "redirect_uris": ["https://c.example/cb"] })
}

fn with(field: &str, value: Value) -> Value {
    let mut body = minimal();
    body[field] = value;
    body
}

#[tokio::test]
async fn a_registration_without_anything_but_redirects_gets_the_defaults() {
    for world in worlds().await {
        let made = world.register(minimal()).await.unwrap();

        assert_eq!(made["token_endpoint_auth_method"], "client_secret_basic");
        assert_eq!(made["grant_types"], json!(["authorization_code", "refresh_token"]));
        assert_eq!(made["response_types"], json!(["code"]));
        assert_eq!(made["client_name"], "c.example");
        assert_eq!(
            (&made["client_id_issued_at"], &made["client_secret_expires_at"]),
            (&json!(1_793_610_000), &json!(0))
        );
        assert!(made["client_secret"].as_str().unwrap().len() >= 43);
        assert_eq!(made["scope"], "read write openid email profile offline_access", "it is told what it may ask for");
        let uri = format!("{ISSUER}/oauth/register/{}", made["client_id"].as_str().unwrap());
        assert_eq!(made["registration_client_uri"], json!(uri));
        let client = world.clients.find(made["client_id"].as_str().unwrap()).await.unwrap();
        assert_eq!(client.scopes.to_string(), "read write openid email profile offline_access");
        assert!(client.is_self_registered(), "{}", world.db.name);
    }
}

#[tokio::test]
async fn what_hosts_send_passes() {
    let world = worlds().await.remove(0);
    for body in [
        with("scope", Value::Null),
        with("application_type", json!("native")),
        with("application_type", json!("something")),
        with("unheard_of", json!({ "of": [1, 2] })),
        with("software_statement", json!("eyJhbGciOiJub25lIn0.e30.")),
        with("scope", json!("read write mcp:tools offline_access")),
        with("client_name#de", json!("Ein Programm")),
        with("grant_types", json!(["authorization_code", "refresh_token", "client_credentials"])),
        with("response_types", json!(["code", "code id_token"])),
        with("logo_uri", json!("https://c.example/logo.png")),
        with("id_token_signed_response_alg", json!("RS256")),
    ] {
        let made = world.register(body.clone()).await.unwrap_or_else(|error| panic!("{body} {error}"));
        assert!(made.get("unheard_of").is_none() && made.get("software_statement").is_none());
    }
    assert_eq!(world.shelf.asked(), 0, "nothing that a registration names is fetched");
}

#[tokio::test]
async fn a_registration_cannot_give_itself_more_than_users_have() {
    let world = worlds().await.remove(0);

    let made = world.register(with("scope", json!("read admin"))).await.unwrap();
    let only = world.register(with("scope", json!("admin"))).await.unwrap();

    assert_eq!(made["scope"], "read");
    let client = world.clients.find(only["client_id"].as_str().unwrap()).await.unwrap();
    assert!(!client.scopes.has(OAuthScope::Admin));
    for nothing in ["admin", "mcp:tools", "nonsense  more"] {
        let made = world.register(with("scope", json!(nothing))).await.unwrap();
        assert_eq!(made["scope"], "read", "{nothing}: no more than for those who ask for little");
    }
}

#[tokio::test]
async fn redirect_uris_that_break_a_rule_are_refused_by_their_place() {
    let world = worlds().await.remove(0);
    let many: Vec<String> = (0..=MOST_REDIRECT_URIS).map(|i| format!("https://c.example/{i}")).collect();
    for (body, place) in [
        (json!({}), "`redirect_uris`"),
        (json!({ "redirect_uris": [] }), "`redirect_uris`"),
        (json!({ "redirect_uris": null }), "`redirect_uris`"),
        (json!({ "redirect_uris": "https://c.example/" }), "`redirect_uris`"),
        (json!({ "redirect_uris": [1] }), "`redirect_uris`"),
        (json!({ "redirect_uris": many }), "`redirect_uris`"),
        (json!({ "redirect_uris": ["http://c.example/"] }), "`redirect_uris[0]`"),
        (json!({ "redirect_uris": ["https://c.example/", "javascript:alert(1)"] }), "`redirect_uris[1]`"),
        (json!({ "redirect_uris": ["https://c.example/\r\nX: y"] }), "`redirect_uris[0]`"),
        (json!({ "redirect_uris": ["https://u@c.example/"] }), "`redirect_uris[0]`"),
    ] {
        let error = world.register(body.clone()).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRedirectUri, "{body}");
        assert!(error.description.contains(place), "{}", error.description);
    }
    assert!(world.clients.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn fields_that_break_a_rule_are_refused_by_name() {
    let world = worlds().await.remove(0);
    let key = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "x", "y": "y" }] });
    let mut twice = with("jwks", key);
    twice["jwks_uri"] = json!("https://c.example/jwks");
    for (body, field) in [
        (with("client_name", json!(1)), "client_name"),
        (with("client_name", json!("x".repeat(201))), "client_name"),
        (with("client_name", json!("a\nb")), "client_name"),
        (with("client_name", json!("a\u{202e}b")), "client_name"),
        (with("client_uri", json!("javascript:alert(1)")), "client_uri"),
        (with("logo_uri", json!("data:image/png;base64,AA")), "logo_uri"),
        (with("tos_uri", json!("not a url")), "tos_uri"),
        (with("tos_uri", json!(format!("https://c.example/{}", "x".repeat(3000)))), "tos_uri"),
        (with("policy_uri", json!("https://u:p@c.example/")), "policy_uri"),
        (with("contacts", json!("me")), "contacts"),
        (with("contacts", json!(vec!["me"; 21])), "contacts"),
        (with("software_id", json!("x".repeat(256))), "software_id"),
        (with("scope", json!("x".repeat(1001))), "scope"),
        (with("scope", json!(["read"])), "scope"),
        (with("grant_types", json!(["password"])), "grant_types"),
        (with("grant_types", json!(vec!["x"; 100])), "grant_types"),
        (with("response_types", json!(["token"])), "response_types"),
        (with("token_endpoint_auth_method", json!("tls_client_auth")), "token_endpoint_auth_method"),
        (with("token_endpoint_auth_method", json!("private_key_jwt")), "token_endpoint_auth_method"),
        (with("token_endpoint_auth_signing_alg", json!("HS256")), "token_endpoint_auth_signing_alg"),
        (with("jwks", json!({ "keys": [{ "kty": "oct", "k": "AA" }] })), "jwks"),
        (with("jwks", json!("x")), "jwks"),
        (with("jwks_uri", json!("http://c.example/jwks")), "jwks_uri"),
        (twice, "jwks_uri"),
    ] {
        let error = world.register(body.clone()).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidClientMetadata, "{body}");
        assert!(error.description.contains(&format!("`{field}`")), "{}", error.description);
    }
    assert!(world.clients.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_registration_is_read_replaced_and_removed_with_its_token() {
    for world in worlds().await {
        let made = world.register(minimal()).await.unwrap();
        let text = |field: &str| made[field].as_str().unwrap();
        let (client_id, token, secret) = (text("client_id"), text("registration_access_token"), text("client_secret"));
        let (clients, origin) = (&world.clients, Origin::default());
        let replace = async |wish: &Value| {
            clients.update_registration(client_id, Some(token), &fields(wish.clone()), &origin).await.unwrap().body
        };

        let read = clients.registration(client_id, Some(token)).await.unwrap().body;
        assert_eq!(read["redirect_uris"], made["redirect_uris"]);
        assert!(read.get("client_secret").is_none() && read["registration_access_token"] == token);

        let mut wish =
            json!({ "client_id": client_id, "redirect_uris": ["https://c.example/new"], "client_name": "New" });
        wish["client_secret"] = json!(secret);
        let changed = replace(&wish).await;
        assert_eq!((&changed["client_name"], changed.get("client_secret")), (&json!("New"), None));
        assert!(clients.find(client_id).await.unwrap().allows_redirect("https://c.example/new"));
        assert!(world.proves(basic(client_id, secret)).await.is_ok());

        wish["token_endpoint_auth_method"] = json!("none");
        replace(&wish).await;
        assert!(world.proves(name(client_id)).await.is_ok() && world.proves(basic(client_id, secret)).await.is_err());
        wish["client_secret"] = Value::Null;
        wish["token_endpoint_auth_method"] = json!("client_secret_post");
        let again = replace(&wish).await;
        assert!(world.proves(post(client_id, again["client_secret"].as_str().unwrap())).await.is_ok());

        clients.unregister(client_id, Some(token), &origin).await.unwrap();
        assert_eq!(clients.registration(client_id, Some(token)).await.unwrap_err().code, ErrorCode::InvalidToken);
        assert!(clients.find(client_id).await.is_err(), "{}", world.db.name);
    }
}

#[tokio::test]
async fn nobody_manages_a_registration_without_its_own_token() {
    let world = worlds().await.remove(0);
    world.clients.add_built_in().await.unwrap();
    let (one, other) = (world.register(minimal()).await.unwrap(), world.register(minimal()).await.unwrap());
    let client_id = one["client_id"].as_str().unwrap();
    let (own, strange) = (one["registration_access_token"].as_str(), other["registration_access_token"].as_str());

    let mut told = Vec::new();
    for (client_id, token) in [
        (client_id, strange),
        (client_id, None),
        (client_id, Some("")),
        (client_id, one["client_secret"].as_str()),
        ("nobody", own),
        (CHATGPT, own),
        (CHATGPT, Some("")),
        (CHATGPT, None),
    ] {
        let error = world.clients.registration(client_id, token).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidToken, "{client_id} {token:?}");
        told.push(error.description);
        let wish = fields(with("client_id", json!(client_id)));
        assert!(world.clients.update_registration(client_id, token, &wish, &Origin::default()).await.is_err());
        assert!(world.clients.unregister(client_id, token, &Origin::default()).await.is_err());
    }

    assert!(told.iter().all(|text| *text == told[0]), "{told:?}");
}

#[tokio::test]
async fn an_update_names_its_client_and_chooses_nothing_that_the_server_decides() {
    let world = worlds().await.remove(0);
    let made = world.register(minimal()).await.unwrap();
    let (client_id, token) = (made["client_id"].as_str().unwrap(), made["registration_access_token"].as_str());
    let and = |field: &str, value: Value| {
        let mut body = with("client_id", json!(client_id));
        body[field] = value;
        body
    };

    for wrong in [
        minimal(),
        and("client_id", json!("other")),
        and("client_secret", json!("chosen")),
        and("client_secret", json!(1)),
        and("registration_access_token", json!(token)),
        and("registration_client_uri", json!("https://evil.example")),
        and("client_secret_expires_at", json!(0)),
        and("client_id_issued_at", json!(0)),
        and("redirect_uris", json!(["http://evil.example/"])),
        json!({ "client_id": client_id }),
    ] {
        let refused =
            world.clients.update_registration(client_id, token, &fields(wrong.clone()), &Origin::default()).await;
        assert!(refused.is_err(), "{wrong}");
    }
    assert!(world.clients.find(client_id).await.unwrap().allows_redirect("https://c.example/cb"));
}

#[tokio::test]
async fn unused_registrations_expire_and_used_ones_never() {
    for world in worlds().await {
        let (idle, used) = (world.register(minimal()).await.unwrap(), world.register(minimal()).await.unwrap());
        let (idle, used) = (idle["client_id"].as_str().unwrap(), used["client_id"].as_str().unwrap());
        let client = world.clients.find(used).await.unwrap();
        world.clients.touch(&client).await.unwrap();

        world.clock.advance(Duration::from_hours(8 * 24));

        assert_eq!(world.clients.find(idle).await.unwrap_err().code, ErrorCode::InvalidClient);
        world.clients.forget_expired().await.unwrap();
        world.clock.advance(Duration::from_hours(3650 * 24));
        world.clients.forget_expired().await.unwrap();
        let left = world.clients.list().await.unwrap();
        assert_eq!(
            left.iter().map(|client| client.client_id.as_str()).collect::<Vec<_>>(),
            [used],
            "{}",
            world.db.name
        );
    }
}

#[tokio::test]
async fn registrations_that_nobody_uses_are_limited_by_address_and_in_total() {
    let settings = ClientSettings { most_unused_per_address: 2, most_unused: 3, ..ClientSettings::default() };
    for world in worlds_with(settings).await {
        let from = async |address: &str| {
            let origin = Origin { address: Some(address.to_owned()), ..Origin::default() };
            world.clock.advance(Duration::from_millis(1));
            world.clients.register(&fields(minimal()), &origin).await.map_err(|error| error.code)
        };
        let used = from("2001:db8::1").await.unwrap();
        let client = world.clients.find(&used.client_id).await.unwrap();
        world.clients.touch(&client).await.unwrap();
        let oldest = from("2001:db8::2").await.unwrap();
        from("2001:db8::3").await.unwrap();
        assert_eq!(from("2001:db8::ffff:4").await.unwrap_err(), ErrorCode::TemporarilyUnavailable, "one network");
        from("192.0.2.1").await.unwrap();

        let newcomer = from("192.0.2.2").await.unwrap();

        assert!(world.clients.find(&oldest.client_id).await.is_err(), "{}: it made room", world.db.name);
        for stays in [used, newcomer] {
            world.clients.find(&stays.client_id).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_operator_turns_registration_off_or_takes_certain_hosts_only() {
    let off = ClientSettings { dynamic_registration: false, ..ClientSettings::default() };
    let world = worlds_with(off).await.remove(0);
    assert_eq!(world.register(minimal()).await.unwrap_err().code, ErrorCode::AccessDenied);

    let hosts = ["claude.ai", "localhost", "cursor:"].map(str::to_owned).to_vec();
    let world = worlds_with(ClientSettings { hosts, ..ClientSettings::default() }).await.remove(0);
    let with = |uris: &[&str]| json!({ "redirect_uris": uris });
    assert!(world.register(with(&["https://claude.ai/api/mcp/auth_callback"])).await.is_ok());
    assert!(world.register(with(&["http://localhost:1/cb", "cursor://anysphere.cursor-mcp/cb"])).await.is_ok());
    for refused in ["https://evil.example/", "http://127.0.0.1/", "vscode://x/y", "https://claude.ai.evil.example/"] {
        let error = world.register(with(&["https://claude.ai/", refused])).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRedirectUri, "{refused}");
    }
}
