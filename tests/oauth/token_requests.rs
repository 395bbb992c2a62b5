//! How requests of clients may look: parameters without a value, parameters that come twice, bodies that never end.

use std::time::Duration;

use reqwest::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::connector::{Connector, DEVICE_GRANT, VERIFIER, refusal, send_form, text};
use crate::support::answer::Answer;
use crate::support::app::TestApp;

#[tokio::test]
async fn a_parameter_without_a_value_is_as_if_it_were_not_there() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let code = client.code(&ada, "read").await;
    let empty = [("resource", ""), ("scope", ""), ("redirect_uri", ""), ("client_secret", ""), ("resource", "")];

    let redemption = [("grant_type", "authorization_code"), ("code", &code), ("code_verifier", VERIFIER)];
    let tokens = client.token(&[&redemption[..], &[empty[0], empty[2], empty[3], empty[4]]].concat()).await.good();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token"))];
    let tokens = client.token(&[&refresh[..], &empty[..2]].concat()).await.good();
    client.post("/oauth/device_authorization", &empty[..2]).await.good();

    app.anonymous().holding(text(&tokens, "access_token")).get("/api/tasks").await.is(200);
    let body = format!("grant_type={DEVICE_GRANT}&device_code=x&client_id=notes&resource=%FF");
    assert_eq!(
        refusal(send_form(&app, "/oauth/token", body).await),
        "invalid_target",
        "what cannot be read is not empty"
    );
}

#[tokio::test]
async fn no_parameter_but_the_resource_comes_twice() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let code = client.code(&ada, "read").await;
    let redemption = [("grant_type", "authorization_code"), ("code", &code), ("code_verifier", VERIFIER)];

    for name in ["scope", "client_id", "code", "token_type_hint", "nonsense"] {
        let twice = [&redemption[..], &[(name, "read"), (name, "read")]].concat();
        assert_eq!(refusal(client.token(&twice).await), "invalid_request", "{name}");
    }
    for path in ["/oauth/revoke", "/oauth/introspect", "/oauth/device_authorization"] {
        let twice = [("token", "x"), ("token_type_hint", "access_token"), ("token_type_hint", "refresh_token")];
        assert_eq!(refusal(client.post(path, &twice).await), "invalid_request", "{path}");
    }
    let (api, mcp) = (format!("{}/api", app.url()), format!("{}/mcp", app.url()));
    client.token(&[&redemption[..], &[("resource", &api), ("resource", &mcp)]].concat()).await.good();
}

#[tokio::test]
async fn every_refused_client_is_told_how_clients_authenticate() {
    let app = TestApp::new().await;
    Connector::confidential(&app, "notes").await;

    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/device_authorization"] {
        for proof in ["client_id=notes&client_secret=x", "client_id=notes", "client_id=nobody", ""] {
            let body = format!("grant_type=refresh_token&refresh_token=x&token=x&{proof}");
            let refused = send_form(&app, path, body).await.is(401);
            assert_eq!(refused.header("www-authenticate"), Some("Basic realm=\"mindflow\""), "{path} {proof}");
            assert_eq!(refusal(refused), "invalid_client", "{path} {proof}");
        }
    }
}

#[tokio::test]
async fn what_the_server_refuses_is_told_in_the_words_of_the_protocol() {
    let app = TestApp::with(|config| {
        config.limits.auth_rate_per_minute = 4;
        config.limits.rate_per_minute = 3;
    })
    .await;
    let paths = ["token", "revoke", "introspect", "device_authorization", "register", "userinfo"];
    for path in paths.map(|path| format!("/oauth/{path}")) {
        let method = app.anonymous().send(Method::PATCH, &path, None, &[]).await.is(405);
        assert!(method.header("allow").unwrap().contains("POST"), "{path}");
        let large = app.anonymous().request(Method::POST, &path).body("x".repeat(200_000));
        let large = Answer::of(large).await.is(413);
        let mut often = app.anonymous().send(Method::POST, &path, None, &[]).await;
        while often.status != 429 {
            often = app.anonymous().send(Method::POST, &path, None, &[]).await;
        }
        assert!(often.header("retry-after").is_some(), "{path}");

        for (answer, error) in
            [(method, "invalid_request"), (large, "invalid_request"), (often, "temporarily_unavailable")]
        {
            assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
            assert_eq!(text(&answer.body, "error"), error, "{path}");
            assert!(text(&answer.body, "error_description").len() > 10, "{path}");
            assert_eq!(answer.body["status"], answer.status, "the rest is as everywhere: {}", answer.body);
            assert!(answer.body["request_id"].is_string(), "{path}");
        }
        app.advance(Duration::from_mins(2));
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let app = TestApp::with(|config| config.server.body_timeout = Duration::from_millis(100)).await;
    let host = app.url().strip_prefix("http://").unwrap();

    for (path, kind) in [
        ("/oauth/token", "application/json"),
        ("/oauth/register", "application/json"),
        ("/oauth/authorize", "text/html"),
    ] {
        let mut socket = TcpStream::connect(host).await.unwrap();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: 100\r\n\r\ngrant_type="
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();

        assert!(answer.starts_with("HTTP/1.1 408"), "{path}: {answer}");
        let headers = answer.to_lowercase();
        assert!(
            headers.contains(&format!("content-type: {kind}")) && headers.contains("connection: close"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn names_of_scopes_are_separated_by_spaces_alone() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let tokens = client.tokens(&ada, "read write").await;
    let ask = async |scope: &str| -> Answer {
        let token = text(&tokens, "refresh_token");
        client.token(&[("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)]).await
    };

    for scope in ["read\nwrite", "read\twrite", "read\u{a0}write", "read,write"] {
        assert_eq!(refusal(ask(scope).await), "invalid_scope", "{scope:?}");
    }
    ask(" read  write ").await.good();
}
