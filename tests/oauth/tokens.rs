//! Codes become tokens (RFC 6749, sections 4.1.3 and 5; RFC 7636; RFC 8707; OpenID Connect Core).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mindflow::oauth::{Resource, Resources};
use serde_json::{Value, json};

use crate::connector::{CHALLENGE, Connector, REDIRECT, SIGNED_IN_AGO, VERIFIER, actions, refusal, send_form, text};
use crate::support::app::TestApp;

fn claims(jwt: &str) -> (Value, Value) {
    let part = |index| {
        let part = jwt.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    (part(0), part(1))
}

#[tokio::test]
async fn a_code_becomes_tokens_that_open_what_was_allowed() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);

    let code = client.code(&ada, "read").await;
    let answer = client.redeem(&code).await.is(200);

    assert_eq!((answer.header("cache-control"), answer.header("pragma")), (Some("no-store"), Some("no-cache")));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let tokens = answer.good();
    assert_eq!((&tokens["token_type"], &tokens["scope"]), (&json!("Bearer"), &json!("read")));
    assert!(tokens["expires_in"].is_u64() && tokens["id_token"].is_null());
    let holder = app.anonymous().holding(text(&tokens, "access_token"));
    holder.get("/api/tasks").await.is(200);
    holder.create_task(json!({ "title": "no" })).await.is(403);
    assert_eq!(actions(&ada).await, ["grant.created"]);
}

#[tokio::test]
async fn an_access_token_says_what_rfc_9068_asks_for() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);

    let tokens = client.tokens(&ada, "read write").await;
    let (header, claims) = claims(text(&tokens, "access_token"));

    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("RS256")));
    assert!(header["kid"].is_string());
    let issuer = app.url();
    assert_eq!(claims["iss"], issuer);
    assert_eq!(claims["sub"], ada.id().to_string());
    assert_eq!(claims["aud"], json!([format!("{issuer}/api"), format!("{issuer}/mcp"), issuer]));
    assert_eq!((&claims["client_id"], &claims["scope"]), (&json!("notes"), &json!("read write")));
    assert!(claims["jti"].is_string() && claims["exp"].as_i64() > claims["iat"].as_i64());
}

#[tokio::test]
async fn a_code_is_good_for_a_minute_and_its_own_client_alone() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let other = Connector::public(&app, "other").await;

    let (late, in_time) = (client.code(&ada, "read").await, client.code(&ada, "read").await);
    assert_eq!(refusal(other.redeem(&in_time).await), "invalid_grant");
    app.advance(Duration::from_secs(59));
    client.redeem(&in_time).await.good();
    app.advance(Duration::from_secs(1));

    assert_eq!(refusal(client.redeem(&late).await), "invalid_grant");
    assert_eq!(refusal(client.redeem("made-up").await), "invalid_grant");
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_what_it_gave() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let other = client.tokens(&ada, "read").await;
    let code = client.code(&ada, "read").await;
    let tokens = client.redeem(&code).await.good();
    let holder = app.anonymous().holding(text(&tokens, "access_token"));
    holder.get("/api/tasks").await.is(200);

    // Who cannot prove to be the one who asked ends nothing.
    let thief = [("grant_type", "authorization_code"), ("code", &code), ("code_verifier", CHALLENGE)];
    assert_eq!(refusal(client.token(&thief).await), "invalid_grant");
    holder.get("/api/tasks").await.is(200);
    app.advance(Duration::from_hours(1));
    assert_eq!(refusal(client.redeem(&code).await), "invalid_grant");

    holder.get("/api/tasks").await.is(401);
    assert_eq!(refusal(client.refresh(text(&tokens, "refresh_token")).await), "invalid_grant");
    app.anonymous().holding(text(&other, "access_token")).get("/api/tasks").await.is(200);
    assert!(actions(&ada).await.contains(&"code.replayed".to_owned()));
}

#[tokio::test]
async fn the_verifier_must_fit_the_challenge() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let code = client.code(&ada, "read").await;
    let usual = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", REDIRECT)];

    assert_eq!(refusal(client.token(&usual).await), "invalid_grant");
    let longer = format!("{VERIFIER}=");
    for verifier in ["", CHALLENGE, "short", &VERIFIER[..42], &longer, &"a".repeat(43), &"a".repeat(200)] {
        let form = [&usual[..], &[("code_verifier", verifier)]].concat();
        assert_eq!(refusal(client.token(&form).await), "invalid_grant", "{verifier}");
    }

    client.redeem(&code).await.good();
}

#[tokio::test]
async fn the_redirect_uri_may_be_missing_but_not_differ() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let code = client.code(&ada, "read").await;
    let usual = [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", VERIFIER)];

    for uri in ["https://client.example/callback/", "https://client.example/Callback", "https://evil.example/", "x"] {
        let form = [&usual[..], &[("redirect_uri", uri)]].concat();
        assert_eq!(refusal(client.token(&form).await), "invalid_grant", "{uri}");
    }

    client.token(&usual).await.good();
}

#[tokio::test]
async fn who_has_several_redirect_uris_says_which_one() {
    let app = TestApp::new().await;
    let fields = json!({
        "token_endpoint_auth_method": "none", "redirect_uris": [REDIRECT, "https://client.example/other"],
    });
    let (ada, client) = (app.user("ada").await, Connector::with(&app, "notes", fields).await);
    let code = client.code(&ada, "read").await;

    let without = [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", VERIFIER)];
    assert_eq!(refusal(client.token(&without).await), "invalid_grant");

    client.redeem(&code).await.good();
}

#[tokio::test]
async fn a_token_is_asked_for_at_granted_resources_alone() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let approved = client.approved(&ada, "read");
    let approved = mindflow::oauth::codes::Approved { resources: Resources::only(Resource::Mcp), ..approved };
    let code = app.app.grants.issue_code(approved).await.unwrap();
    let usual = [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", VERIFIER)];
    let (api, mcp) = (format!("{}/api", app.url()), format!("{}/mcp", app.url()));

    for resources in [vec![api.as_str()], vec![&mcp, &api], vec![app.url()], vec!["https://evil.example/mcp"]] {
        let asked: Vec<_> = resources.iter().map(|url| ("resource", *url)).collect();
        assert_eq!(refusal(client.token(&[&usual[..], &asked].concat()).await), "invalid_target", "{resources:?}");
    }
    let tokens = client.token(&[&usual[..], &[("resource", &mcp)]].concat()).await.good();

    assert_eq!(claims(text(&tokens, "access_token")).1["aud"], mcp);
    app.anonymous().holding(text(&tokens, "access_token")).get("/api/tasks").await.is(401);
}

#[tokio::test]
async fn fewer_resources_can_be_asked_for_than_were_granted() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let code = client.code(&ada, "read").await;
    let mcp = format!("{}/mcp", app.url());

    let tokens = client
        .token(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("code_verifier", VERIFIER),
            ("resource", &mcp),
        ])
        .await
        .good();
    let later = client.refresh(text(&tokens, "refresh_token")).await.good();

    assert_eq!(claims(text(&tokens, "access_token")).1["aud"], mcp);
    app.anonymous().holding(text(&later, "access_token")).get("/api/tasks").await.is(200);
}

#[tokio::test]
async fn a_token_names_the_resources_that_were_asked_for_and_no_more() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let (api, mcp) = (format!("{}/api", app.url()), format!("{}/mcp", app.url()));
    let named = [("resource", mcp.as_str()), ("resource", api.as_str())];
    let usual = |code| [("grant_type", "authorization_code"), ("code", code), ("code_verifier", VERIFIER)];
    let both = json!([api, mcp]);

    let code = client.code(&ada, "read").await;
    let narrowed = client.token(&[&usual(&code)[..], &named].concat()).await.good();
    assert_eq!(claims(text(&narrowed, "access_token")).1["aud"], both);

    let approved = client.approved(&ada, "read");
    let resources = Resources::only(Resource::Mcp).union(Resources::only(Resource::Api));
    let approved = mindflow::oauth::codes::Approved { resources, ..approved };
    let code = app.app.grants.issue_code(approved).await.unwrap();
    let tokens = client.token(&usual(&code)).await.good();
    let later = client.refresh(text(&tokens, "refresh_token")).await.good();

    for tokens in [&tokens, &later] {
        assert_eq!(claims(text(tokens, "access_token")).1["aud"], both);
        app.anonymous().holding(text(tokens, "access_token")).get("/api/tasks").await.is(200);
    }
}

#[tokio::test]
async fn other_ways_to_tokens_do_not_exist() {
    let app = TestApp::new().await;
    let client = Connector::public(&app, "notes").await;

    for grant_type in ["password", "client_credentials", "implicit", "none", "Authorization_Code"] {
        let form = [("grant_type", grant_type), ("username", "ada@example.com"), ("password", "x"), ("scope", "read")];
        assert_eq!(refusal(client.token(&form).await), "unsupported_grant_type", "{grant_type}");
    }
    assert_eq!(refusal(client.token(&[]).await), "invalid_request");
    assert_eq!(refusal(client.token(&[("grant_type", "authorization_code")]).await), "invalid_request");
    assert_eq!(refusal(client.token(&[("grant_type", "refresh_token")]).await), "invalid_request");
    let twice = [("grant_type", "refresh_token"), ("refresh_token", "a"), ("refresh_token", "b")];
    assert_eq!(refusal(client.token(&twice).await), "invalid_request");
}

#[tokio::test]
async fn a_client_that_may_not_use_codes_is_told_so() {
    let app = TestApp::new().await;
    let fields = json!({ "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"], "redirect_uris": [],
                         "token_endpoint_auth_method": "none" });
    let client = Connector::with(&app, "tv", fields).await;

    assert_eq!(refusal(client.redeem("x").await), "unauthorized_client");
}

#[tokio::test]
async fn the_token_endpoint_knows_no_strangers() {
    let app = TestApp::new().await;
    let form = |client: &str| format!("grant_type=authorization_code&code=x&code_verifier={VERIFIER}{client}");

    for stranger in ["", "&client_id=nobody", "&client_id=chatgpt_mindflow&client_secret=x"] {
        let answer = send_form(&app, "/oauth/token", form(stranger)).await.is(401);
        assert_eq!(refusal(answer), "invalid_client", "{stranger}");
    }
    let get = app.anonymous().get(&format!("/oauth/token?{}", form("&client_id=chatgpt_mindflow"))).await.is(405);
    assert_eq!(get.header("allow"), Some("POST, OPTIONS"));
    let json = app.anonymous().post("/oauth/token", &json!({ "grant_type": "authorization_code" })).await;
    assert_eq!(refusal(json), "invalid_request");
}

#[tokio::test]
async fn who_asks_with_openid_learns_who_signed_in() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let approved = client.approved(&ada, "openid read");
    let approved = mindflow::oauth::codes::Approved { nonce: Some("n-0S6_WzA2Mj".to_owned()), ..approved };
    let signed_in = app.clock.now().minus(SIGNED_IN_AGO).as_seconds();
    let code = app.app.grants.issue_code(approved).await.unwrap();

    let tokens = client.redeem(&code).await.good();
    let (header, claims) = claims(text(&tokens, "id_token"));

    assert_eq!((&header["typ"], &header["alg"]), (&json!("JWT"), &json!("RS256")));
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(app.url()), &json!("notes")));
    assert_eq!((&claims["sub"], &claims["nonce"]), (&json!(ada.id().to_string()), &json!("n-0S6_WzA2Mj")));
    assert_eq!((claims["auth_time"].as_i64(), &claims["amr"]), (Some(signed_in), &json!(["pwd"])));
    assert!(claims["at_hash"].is_string() && claims["email"].is_null() && claims["name"].is_null());
    let id_token = app.anonymous().holding(text(&tokens, "id_token"));
    id_token.get("/api/tasks").await.is(401);
    id_token.get("/oauth/userinfo").await.is(401);
}

#[tokio::test]
async fn admin_is_for_operators_and_clients_that_they_made() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.admin("eve").await);
    let all = json!({ "scope": "read write admin", "token_endpoint_auth_method": "none" });
    let (tool, stranger) = (Connector::with(&app, "tool", all).await, Connector::registered(&app).await);

    assert_eq!(tool.tokens(&eve, "read admin").await["scope"], "read admin");
    assert_eq!(tool.tokens(&ada, "read admin").await["scope"], "read");
    assert_eq!(stranger.tokens(&eve, "read admin").await["scope"], "read");
}

#[tokio::test]
async fn nobody_shut_out_gets_tokens() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let code = client.code(&ada, "read").await;
    let tokens = client.tokens(&ada, "read").await;

    app.app.accounts.set_status("ada@example.com", mindflow::accounts::Status::Disabled).await.unwrap();

    assert_eq!(refusal(client.redeem(&code).await), "invalid_grant");
    assert_eq!(refusal(client.refresh(text(&tokens, "refresh_token")).await), "invalid_grant");
    app.anonymous().holding(text(&tokens, "access_token")).get("/api/tasks").await.is(401);
    assert!(app.app.grants.issue_code(client.approved(&ada, "read")).await.is_err());
}

#[tokio::test]
async fn a_client_that_is_removed_takes_everything_with_it() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let code = client.code(&ada, "read").await;
    let tokens = client.tokens(&ada, "read").await;

    app.app.clients.delete("notes").await.unwrap();

    assert_eq!(refusal(client.redeem(&code).await), "invalid_client");
    assert_eq!(refusal(client.refresh(text(&tokens, "refresh_token")).await), "invalid_client");
    app.anonymous().holding(text(&tokens, "access_token")).get("/api/tasks").await.is(401);
}

#[tokio::test]
async fn any_page_may_ask_but_none_with_cookies() {
    let app = TestApp::new().await;
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/userinfo", "/oauth/device_authorization"]
    {
        let origin = [("origin", "https://page.example")];
        let answer = app.anonymous().send(reqwest::Method::POST, path, None, &origin).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), None, "{path}");
    }
}

#[tokio::test]
async fn of_a_hundred_and_one_connections_to_a_program_the_one_left_longest_ends() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let (left, kept) = (client.tokens(&ada, "read").await, client.tokens(&ada, "read").await);
    app.advance(Duration::from_secs(1));
    let kept = client.refresh(text(&kept, "refresh_token")).await.good();

    for _ in 0..99 {
        client.tokens(&ada, "read").await;
    }

    app.anonymous().holding(text(&left, "access_token")).get("/api/tasks").await.is(401);
    app.anonymous().holding(text(&kept, "access_token")).get("/api/tasks").await.is(200);
}

#[tokio::test]
async fn housekeeping_forgets_what_is_over_and_a_code_only_after_a_day() {
    let app = TestApp::with(|config| config.tokens.refresh_token_life = Duration::from_hours(30)).await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let code = client.code(&ada, "read").await;
    let tokens = client.redeem(&code).await.good();
    let holder = app.anonymous().holding(text(&tokens, "access_token"));

    app.advance(Duration::from_hours(24));
    app.app.grants.forget_expired().await.unwrap();
    holder.get("/api/tasks").await.is(200);
    assert_eq!(refusal(client.redeem(&code).await), "invalid_grant");
    holder.get("/api/tasks").await.is(401);
    app.advance(Duration::from_hours(24));
    app.app.grants.forget_expired().await.unwrap();

    assert!(app.app.store.find_code(mindflow::accounts::secrets::hash_secret(&code)).await.unwrap().is_none());
}

#[tokio::test]
async fn who_leaves_takes_everything_along() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let (code, tokens) = (client.code(&ada, "read").await, client.tokens(&ada, "read").await);

    let confirmed = json!({ "password": crate::support::app::PASSWORD });
    ada.send(reqwest::Method::DELETE, "/api/auth/me", Some(&confirmed), &[]).await.is(204);

    assert_eq!(refusal(client.redeem(&code).await), "invalid_grant");
    assert_eq!(refusal(client.refresh(text(&tokens, "refresh_token")).await), "invalid_grant");
    app.anonymous().holding(text(&tokens, "access_token")).get("/api/tasks").await.is(401);
}

#[tokio::test]
async fn the_token_endpoint_is_limited_by_address() {
    let app = TestApp::with(|config| config.limits.auth_rate_per_minute = 3).await;
    let client = Connector::public(&app, "notes").await;

    for _ in 0..3 {
        assert_eq!(refusal(client.refresh("x").await), "invalid_grant");
    }

    let refused = client.refresh("x").await.is(429);
    assert!(refused.header("retry-after").is_some());
}
