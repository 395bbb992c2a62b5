//! Versions on trial: rolled out to some people, or scoring in the shadow; and what fails is taken back by itself.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{BOTH, activates, by_priority, live_version, proposes};
use crate::support::answer::Answer;
use crate::support::app::{Actor, TestApp, a_task};

async fn puts(eve: &Actor<'_>, what: &str, body: Value) -> Answer {
    eve.send(Method::PUT, &format!("/api/policies/plain/{what}"), Some(&body), &[]).await
}

async fn version_for(somebody: &Actor<'_>) -> String {
    let best = somebody.get_best_task("policy=plain").await.good();
    best["policy"]["version"].as_str().unwrap().to_owned()
}

/// A policy that passes the check and fails on tasks with a label that no check knows.
fn fails_on_label(weight: &str) -> String {
    let fails = "fn score(task, ctx) { if \"boom\" in task.labels { throw \"boom\"; } ";
    by_priority(weight).replace("fn score(task, ctx) { ", fails)
}

/// Asks until the answer is as it should be.
async fn until<T>(what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
        }
    });
    waited.await.unwrap_or_else(|_| panic!("{what}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_is_rolled_out_to_some_and_then_to_all_and_taken_back() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let (eve, ada, bob) = (app.admin("eve").await, app.user("ada").await, app.user("bob").await);
        for somebody in [&eve, &ada, &bob] {
            somebody.has(a_task("Something")).await;
        }
        let live = proposes(&eve, "plain", &by_priority("1.0")).await;
        activates(&eve, "plain", &live).await;
        let candidate = proposes(&eve, "plain", &by_priority("2.0")).await;
        eve.get("/api/policies/plain/rollout").await.is(404);

        let named = puts(&eve, "rollout", json!({ "version": candidate, "users": [ada.id()] })).await.good();
        assert_eq!((&named["state"], &named["percent"]), (&json!("running"), &json!(0)));
        assert_eq!(version_for(&ada).await, candidate);
        assert_eq!((version_for(&bob).await, version_for(&eve).await), (live.clone(), live.clone()));

        puts(&eve, "rollout", json!({ "version": candidate, "roles": ["admin"] })).await.good();
        assert_eq!((version_for(&eve).await, version_for(&ada).await), (candidate.clone(), live.clone()));
        puts(&eve, "rollout", json!({ "version": candidate, "percent": 100 })).await.good();
        for somebody in [&eve, &ada, &bob] {
            assert_eq!(version_for(somebody).await, candidate);
        }
        assert_eq!(live_version(&eve, "plain").await, live);

        eve.delete("/api/policies/plain/rollout").await.is(204);
        assert_eq!(version_for(&bob).await, live);
        assert_eq!(eve.get("/api/policies/plain/rollout").await.good()["state"], "ended");
        eve.delete("/api/policies/plain/rollout").await.is(404);

        puts(&eve, "rollout", json!({ "version": candidate, "percent": 100 })).await.good();
        activates(&eve, "plain", &candidate).await;
        assert_eq!(eve.get("/api/policies/plain/rollout").await.good()["state"], "ended");
        let activity = eve.get("/api/auth/activity").await.good();
        assert_eq!(activity["items"][1]["action"], "policy.rolled_out", "{activity}");
    }
}

#[tokio::test]
async fn a_roll_out_that_makes_no_sense_is_refused() {
    let app = TestApp::new().await;
    let eve = app.admin("eve").await;
    let version = proposes(&eve, "plain", &by_priority("1.0")).await;

    puts(&eve, "rollout", json!({ "version": "0123456789ab", "percent": 5 })).await.is(404);
    let nobody = json!({ "version": version, "users": ["01932c07-3c5e-7d3a-9f0e-0a5a7c6f1b2d"] });
    assert_eq!(puts(&eve, "rollout", nobody).await.faults(), ["/users"]);
    assert_eq!(puts(&eve, "rollout", json!({ "version": version, "percent": 101 })).await.faults(), ["/percent"]);
    assert_eq!(puts(&eve, "shadow", json!({ "version": version, "percent": 0 })).await.faults(), ["/percent"]);
    let ada = app.user("ada").await;
    puts(&ada, "rollout", json!({ "version": version, "percent": 5 })).await.is(403);
    puts(&ada, "shadow", json!({ "version": version })).await.is(403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_too_often_is_taken_back_by_itself() {
    for db in BOTH {
        let app = TestApp::start(db, |config| config.policies.rules.most_failures = Some(2)).await;
        let (eve, ada) = (app.admin("eve").await, app.user("ada").await);
        let good = proposes(&eve, "plain", &by_priority("1.0")).await;
        activates(&eve, "plain", &good).await;
        for number in 0..3 {
            ada.has(a_task(&format!("Task {number}")).label("boom")).await;
        }
        ada.patch("/api/auth/me", &json!({ "preferences": { "policy": "plain" } })).await.good();
        let failing = proposes(&eve, "plain", &fails_on_label("2.0")).await;

        puts(&eve, "rollout", json!({ "version": failing, "users": [ada.id()] })).await.good();
        ada.list_ranked_tasks("").await.good();
        let ended = until("the roll-out goes on", async || {
            let rollout = eve.get("/api/policies/plain/rollout").await.good();
            (rollout["state"] != "running").then_some(rollout)
        });
        assert_eq!(ended.await["state"], "rolled_back");
        // Instances hear of it a moment later.
        until("the trial goes on", async || (version_for(&ada).await == good).then_some(())).await;

        activates(&eve, "plain", &failing).await;
        ada.list_ranked_tasks("").await.good();
        until("the version stays", async || (live_version(&eve, "plain").await == good).then_some(())).await;
        let step = &eve.get("/api/policies/plain/activations").await.good()["items"][0];
        assert_eq!((&step["action"], &step["actor"]), (&json!("rolled_back"), &json!("automatic")));
        let metrics = app.anonymous().get("/metrics").await.good();
        let counted = "mindflow_policy_rollbacks_total{policy=\"plain\"} 2";
        assert!(metrics.as_str().unwrap().contains(counted), "{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_takes_a_version_back_by_asking_often_or_for_other_times() {
    let app = TestApp::with(|config| config.policies.rules.most_failures = Some(2)).await;
    let (eve, ada) = (app.admin("eve").await, app.user("ada").await);
    let failing = fails_on_label("2.0");
    for source in [by_priority("1.0"), failing.clone()] {
        let version = proposes(&eve, "plain", &source).await;
        activates(&eve, "plain", &version).await;
    }
    ada.patch("/api/auth/me", &json!({ "preferences": { "policy": "plain" } })).await.good();
    for number in 0..2 {
        ada.has(a_task(&format!("Task {number}")).label("boom")).await;
    }
    let in_force = live_version(&eve, "plain").await;

    for day in 1..9 {
        ada.list_ranked_tasks("").await.good();
        ada.list_ranked_tasks(&format!("at=2030-01-0{day}")).await.good();
        ada.list_ranked_tasks("policy=plain").await.good();
        ada.patch("/api/auth/me", &json!({ "time_zone": format!("Etc/GMT-{day}") })).await.good();
    }
    app.app.versions.guard().await.unwrap();

    assert_eq!(live_version(&eve, "plain").await, in_force);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_in_the_shadow_is_compared_and_seen_by_nobody() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let (eve, ada) = (app.admin("eve").await, app.user("ada").await);
        let live = proposes(&eve, "plain", &by_priority("1.0")).await;
        activates(&eve, "plain", &live).await;
        let reverse = proposes(&eve, "plain", &fails_on_label("-1.0")).await;
        let preferences = json!({ "preferences": { "policy": "plain" } });
        ada.patch("/api/auth/me", &preferences).await.good();
        ada.has(a_task("Small").priority(1)).await;
        ada.has(a_task("Great").priority(5)).await;
        ada.has(a_task("Bad").priority(3).label("boom")).await;

        let begun = puts(&eve, "shadow", json!({ "version": reverse, "percent": 100 })).await.good();
        assert_eq!((&begun["rankings"], &begun["live_nanos_per_task"]), (&json!(0), &Value::Null));
        let best = ada.get_best_task("").await.good();
        assert_eq!((&best["task"]["title"], &best["policy"]["version"]), (&json!("Great"), &json!(live)));

        let seen = until("nothing is compared", async || {
            let seen = eve.get("/api/policies/plain/shadow").await.good();
            (seen["rankings"].as_i64() > Some(0)).then_some(seen)
        });
        let seen = seen.await;
        assert_eq!(
            (&seen["tasks"], &seen["first_changes"], &seen["faults"]),
            (&json!(3), &json!(1), &json!(1)),
            "{seen}"
        );
        assert!(seen["moved"].as_i64() >= Some(2) && seen["last_fault"].as_str().unwrap().contains("boom"), "{seen}");
        assert!(seen["candidate_nanos_per_task"].as_i64() > Some(0), "{seen}");
        assert!(!seen.to_string().contains("Great"), "{seen}");
        assert_eq!(app.app.policies.score_faults(), 0);
        eve.delete("/api/policies/plain/shadow").await.is(204);
        assert_eq!(eve.get("/api/policies/plain/shadow").await.good()["state"], "ended");
    }
}
