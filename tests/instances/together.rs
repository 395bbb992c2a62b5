//! Answers, retries, keys and policies: the same from each instance.

use std::fs;
use std::time::Duration;

use mindflow::config::Config;
use mindflow::oauth::key_ring::Rotate;
use reqwest::Method;
use serde_json::json;

use crate::support::app::{PASSWORD, TestApp, a_task};
use crate::support::databases::Db;

const AS_IT_IS: fn(&mut Config) = |_| {};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_at_both_at_once_makes_one_task() {
    let [one, other] = TestApp::pair(Db::Postgres, AS_IT_IS).await;
    let ada = one.user("ada").await;

    for round in 0..20 {
        let (body, key) = (json!({ "title": round.to_string() }), format!("key-{round}"));
        let headers = [("idempotency-key", key.as_str())];
        let (here, there) = (ada.clone(), ada.at(&other));
        let (first, second) = tokio::join!(
            here.send(Method::POST, "/api/tasks", Some(&body), &headers),
            there.send(Method::POST, "/api/tasks", Some(&body), &headers)
        );

        let replays = [&first, &second].map(|answer| answer.header("idempotent-replayed").is_some());
        assert_ne!(replays[0], replays[1], "one of them is the first");
        assert_eq!(first.header("undo-token"), second.header("undo-token"));
        assert_eq!(first.is(201).body, second.is(201).body);
    }

    assert_eq!(ada.list_tasks("limit=1000").await.titles().len(), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_kept_answer_outlives_a_change_at_the_other() {
    let [one, other] = TestApp::pair(Db::Postgres, AS_IT_IS).await;
    let ada = one.user("ada").await;
    let there = ada.at(&other);
    let task = ada.has(a_task("first").priority(1)).await;

    for round in 0..10 {
        // Both have kept what they answered.
        let kept = [&ada, &there].map(|at| async move {
            (at.list_tasks("").await.good(), at.get_best_task("").await.good(), at.list_ranked_tasks("").await.good())
        });
        let [here, elsewhere] = kept;
        assert_eq!(here.await, elsewhere.await);

        ada.update_task(task, json!({ "title": format!("round {round}") })).await.good();

        assert_eq!(there.list_tasks("").await.titles(), [format!("round {round}")]);
        assert_eq!(there.get_best_task("").await.good()["task"]["title"], format!("round {round}"));
        assert_eq!(there.list_ranked_tasks("").await.titles(), [format!("round {round}")]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_undo_token_of_one_works_at_the_other() {
    let [one, other] = TestApp::pair(Db::Postgres, AS_IT_IS).await;
    let ada = one.user("ada").await;
    let made = ada.create_task(json!({ "title": "Report" })).await;

    ada.at(&other).undo_change(&made.undo_token()).await.good();

    ada.undo_change(&made.undo_token()).await.is(409);
    assert_eq!(ada.list_tasks("").await.titles(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_signed_by_a_key_that_is_new_at_the_other_is_good_at_once() {
    let [one, other] = TestApp::pair(Db::Postgres, AS_IT_IS).await;
    let ada = one.user("ada").await;
    ada.at(&other).get("/api/tasks").await.is(200);

    one.app.tokens.ring().rotate(Rotate::AtOnce).await.unwrap();
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    let signed_in = one.anonymous().post("/api/auth/login", &login).await.good();

    let newly = ada.at(&other).holding(signed_in["access_token"].as_str().unwrap());
    newly.get("/api/tasks").await.is(200);
    ada.at(&other).get("/api/tasks").await.is(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_that_is_saved_is_in_force_at_both() {
    let [one, other] = TestApp::pair(Db::Postgres, AS_IT_IS).await;
    let ada = one.user("ada").await;
    ada.has(a_task("Report").priority(5)).await;
    let folder = one.policies_dir().join("loud");
    let script = fs::read_to_string(one.policies_dir().join("default/policy.rhai")).unwrap();
    fs::create_dir(&folder).unwrap();

    fs::write(folder.join("policy.rhai"), script).unwrap();
    let chosen = json!({ "preferences": { "policy": "loud" } });
    for app in [&one, &other] {
        // Refused as long as this instance does not know it.
        let known = async { while ada.at(app).patch("/api/auth/me", &chosen).await.status != 200 {} };
        tokio::time::timeout(Duration::from_secs(20), known).await.unwrap();
    }

    for app in [&one, &other] {
        assert_eq!(ada.at(app).get_best_task("").await.good()["policy"]["name"], "loud");
    }
}
