//! Limits that several servers share through Redis: counted together to the request, and alone while it is away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mindflow::config::Secret;
use mindflow::secret_key::SecretKey;
use mindflow::shared::{Quota, Shared, Taken};
use reqwest::Method;
use serde_json::json;

use crate::support::app::{Actor, TestApp};
use crate::support::redis::{OwnRedis, count_through, eventually, own_secret, shared_redis};

const PATIENCE: Duration = Duration::from_secs(10);

async fn reach(url: &Secret, secret: &str) -> Arc<Shared> {
    Arc::new(Shared::start(url, PATIENCE, &SecretKey::new(secret)).await.unwrap())
}

fn is_yes(taken: Option<Taken>) -> bool {
    matches!(taken.unwrap(), Taken::Yes { .. })
}

/// A request that costs the server little and is counted strictly.
async fn ask_for_token(actor: &Actor<'_>) -> u16 {
    actor.request(Method::POST, "/oauth/token").header("content-length", "0").send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_requests_at_once_exactly_the_quota_passes() {
    let (url, secret) = (shared_redis(), own_secret());
    let both = [reach(&url, &secret).await, reach(&url, &secret).await];
    let (quota, start) = (Quota::new(20).unwrap(), Instant::now());

    let asked = (0..500).map(|number| {
        let shared = Arc::clone(&both[number % 2]);
        tokio::spawn(async move { is_yes(shared.take("test", b"somebody", quota).await) })
    });
    let passed = join_all(asked).await.into_iter().filter(|passed| *passed.as_ref().unwrap()).count();

    // On a machine so slow that part of the quota was given back meanwhile, that part may pass too.
    let given_back = usize::try_from(start.elapsed().as_secs() / 3).unwrap();
    assert!((20..=20 + given_back).contains(&passed), "{passed}");
    assert!(is_yes(both[0].take("test", b"somebody else", quota).await));
    assert!(is_yes(both[1].take("another", b"somebody", quota).await));
    assert!(is_yes(reach(&url, "another secret, of another server").await.take("test", b"somebody", quota).await));
}

#[tokio::test]
async fn what_is_told_of_a_quota_is_what_memory_would_tell() {
    let shared = reach(&shared_redis(), &own_secret()).await;
    let quota = Quota::new(2).unwrap();

    let Some(Taken::Yes { used: first }) = shared.take("test", b"a", quota).await else { panic!() };
    let Some(Taken::Yes { used: second }) = shared.take("test", b"a", quota).await else { panic!() };
    let Some(Taken::No { wait }) = shared.take("test", b"a", quota).await else { panic!() };

    assert_eq!((first, quota.left(first)), (Duration::from_secs(30), 1));
    assert!(second > Duration::from_secs(30) && second <= Duration::from_mins(1) && quota.left(second) == 0);
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(30));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_count_an_address_together() {
    let secret = own_secret();
    let server = async || {
        TestApp::with(|config| {
            count_through(config, shared_redis(), &secret);
            config.limits.auth_rate_per_minute = 6;
        })
        .await
    };
    let (one, other) = (server().await, server().await);
    let start = Instant::now();

    let asked = (0..20).flat_map(|_| [&one, &other]).map(|app| async move { ask_for_token(&app.anonymous()).await });
    let statuses = join_all(asked).await;

    let passed = statuses.iter().filter(|status| **status == 400).count();
    let given_back = usize::try_from(start.elapsed().as_secs() / 10).unwrap();
    assert!((6..=6 + given_back).contains(&passed), "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 40 - passed);
    let health = one.anonymous().get("/health").await.good();
    assert_eq!((&health["status"], &health["checks"]["redis"]), (&json!("healthy"), &json!("healthy")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_a_server_counts_alone_and_says_so_and_comes_back() {
    let mut redis = OwnRedis::start().await;
    let url = redis.url();
    let app = TestApp::with(|config| {
        count_through(config, url, &own_secret());
        config.limits.auth_rate_per_minute = 2;
        config.limits.rate_per_minute = 1000;
    })
    .await;
    let (ada, anonymous) = (app.user("ada").await, app.anonymous());
    ask_for_token(&anonymous).await;

    redis.kill();

    // What was used is used: the server has counted along.
    assert_eq!(ask_for_token(&anonymous).await, 429);
    let listed = ada.get("/api/tasks").await.is(200);
    assert!(listed.header("ratelimit").is_some());
    let health = anonymous.get("/health").await.is(200).good();
    assert_eq!((&health["status"], &health["checks"]["redis"]), (&json!("degraded"), &json!("degraded")));
    assert!(health["details"]["redis"].as_str().unwrap().contains("alone"));
    anonymous.get("/health/ready").await.is(200);

    redis.restart().await;

    eventually(async || anonymous.get("/health").await.good()["checks"]["redis"] == "healthy").await;
    // Redis begins empty, and its word is the one that counts.
    assert_eq!(ask_for_token(&anonymous).await, 400);
}

#[tokio::test]
async fn a_server_starts_without_its_redis_and_finds_it_later() {
    let mut redis = OwnRedis::start().await;
    redis.kill();
    let url = redis.url();
    let app = TestApp::with(|config| count_through(config, url, &own_secret())).await;

    assert_eq!(app.anonymous().get("/health").await.is(200).good()["checks"]["redis"], "degraded");
    redis.restart().await;

    eventually(async || app.anonymous().get("/health").await.good()["checks"]["redis"] == "healthy").await;
}

#[tokio::test]
async fn every_class_tells_its_own_limit() {
    let app = TestApp::with(|config| {
        count_through(config, shared_redis(), &own_secret());
        config.limits.rate_per_minute = 101;
        config.limits.auth_rate_per_minute = 11;
        config.limits.token_rate_per_minute = Some(12);
        config.limits.registration_rate_per_minute = Some(13);
        config.limits.page_rate_per_minute = Some(14);
        config.limits.mcp_rate_per_minute = Some(15);
        config.limits.transfer_rate_per_minute = Some(16);
    })
    .await;
    let ada = app.user("ada").await;
    let token = ada.post("/api/auth/tokens", &json!({ "name": "chat", "scopes": ["read", "write"] })).await.good();
    let chat = ada.holding(token["token"].as_str().unwrap());
    let anonymous = app.anonymous();

    let told = [
        (ada.get("/api/tasks").await, "\"default\";q=101;w=60"),
        (
            anonymous.post("/api/auth/login", &json!({ "email": "x@example.com", "password": "no" })).await,
            "\"sign-in\";q=11;w=60",
        ),
        (anonymous.post("/oauth/token", &json!({})).await, "\"token\";q=12;w=60"),
        (anonymous.post("/oauth/register", &json!({})).await, "\"registration\";q=13;w=60"),
        (anonymous.get("/oauth/authorize").await, "\"page\";q=14;w=60"),
        (chat.get("/mcp/tools").await, "\"mcp\";q=15;w=60"),
        (chat.post("/mcp", &json!({})).await, "\"mcp\";q=15;w=60"),
        (ada.get("/api/export").await, "\"transfer\";q=16;w=60"),
    ];

    for (answer, policy) in told {
        assert_eq!(answer.header("ratelimit-policy"), Some(policy), "{} {}", answer.status, answer.body);
        assert!(answer.header("ratelimit").is_some_and(|state| state.contains(";r=") && state.contains(";t=")));
    }
    for path in ["/health", "/health/live", "/health/ready", "/openapi.json", "/.well-known/oauth-authorization-server"]
    {
        assert_eq!(anonymous.get(path).await.header("ratelimit"), None, "{path}");
    }
}
