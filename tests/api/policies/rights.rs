//! Who may do what with policies.

use reqwest::Method;
use serde_json::json;

use super::{by_priority, proposes};
use crate::support::app::TestApp;

#[tokio::test]
async fn policies_are_for_operators() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let proposal = json!({ "source": by_priority("1.0") });

    app.anonymous().get("/api/policies").await.is(401);
    ada.get("/api/policies").await.is(403);
    ada.get("/api/policies/default").await.is(403);
    ada.post("/api/policies/plain/versions", &proposal).await.is(403);
    ada.post("/api/policies/default/activate", &json!({ "version": "0123456789ab" })).await.is(403);
    ada.send(Method::POST, "/api/policies/default/rollback", None, &[]).await.is(403);
}

#[tokio::test]
async fn reading_proposing_and_activating_are_separate_rights() {
    let app = TestApp::with(|config| {
        config.policies.rules.readers = vec!["eve@example.com".to_owned(), "max@example.com".to_owned()];
        config.policies.rules.proposers = vec!["EVE@example.com".to_owned()];
        config.policies.rules.activators = vec!["max@example.com".to_owned()];
    });
    let app = app.await;
    let (eve, max, zoe) = (app.admin("eve").await, app.admin("max").await, app.admin("zoe").await);

    let version = proposes(&eve, "plain", &by_priority("1.0")).await;
    let choice = json!({ "version": version });
    let proposal = json!({ "source": by_priority("2.0") });

    max.post("/api/policies/plain/versions", &proposal).await.is(403).assert_problem("right-needed");
    eve.post("/api/policies/plain/activate", &choice).await.is(403).assert_problem("right-needed");
    zoe.get("/api/policies").await.is(403).assert_problem("right-needed");
    max.post("/api/policies/plain/activate", &choice).await.is(200);
}

#[tokio::test]
async fn what_was_done_is_not_refused_afterwards() {
    let app = TestApp::with(|config| {
        config.policies.rules.readers = vec!["eve@example.com".to_owned()];
        config.policies.rules.activators = vec!["max@example.com".to_owned()];
    });
    let app = app.await;
    let (eve, max) = (app.admin("eve").await, app.admin("max").await);
    let first = proposes(&eve, "plain", &by_priority("1.0")).await;
    let second = proposes(&eve, "plain", &by_priority("2.0")).await;

    for version in [&first, &second] {
        max.post("/api/policies/plain/activate", &json!({ "version": version })).await.is(200);
    }
    let trial = json!({ "version": first, "percent": 10 });
    max.send(Method::PUT, "/api/policies/plain/rollout", Some(&trial), &[]).await.is(200);
    let back = max.send(Method::POST, "/api/policies/plain/rollback", None, &[]).await.good();

    assert_eq!(back["live_version"], json!(first));
    max.get("/api/policies/plain").await.is(403).assert_problem("right-needed");
}

#[tokio::test]
async fn where_two_people_are_asked_for_nobody_activates_what_nobody_else_approved() {
    let app = TestApp::with(|config| config.policies.rules.two_person = true).await;
    let (eve, max) = (app.admin("eve").await, app.admin("max").await);
    let version = proposes(&eve, "plain", &by_priority("1.0")).await;
    let choice = json!({ "version": version });
    let approve = format!("/api/policies/plain/versions/{version}/approve");

    eve.post("/api/policies/plain/activate", &choice).await.is(409).assert_problem("approval-needed");
    max.post("/api/policies/plain/activate", &choice).await.is(409).assert_problem("approval-needed");
    eve.send(Method::POST, &approve, None, &[]).await.is(403).assert_problem("own-version");
    let approved = max.send(Method::POST, &approve, None, &[]).await.good();
    assert_eq!(approved["approvals"], 1);
    eve.post("/api/policies/plain/activate", &choice).await.is(200);

    let shown = eve.get(&format!("/api/policies/plain/versions/{version}")).await.good();
    assert_eq!(shown["approved_by"], json!(["max@example.com"]));
    let activity = max.get("/api/auth/activity").await.good();
    assert_eq!(activity["items"][0]["action"], "policy.approved");
}
