//! What is activated, at every instance and over restarts; and files beside it.

use std::time::Duration;

use mindflow::config::{Config, Secret};
use mindflow::policies::live::Origin;
use mindflow::store::StoreError;
use serde_json::json;
use tokio::sync::oneshot;

use super::{BOTH, activates, by_priority, live_version, proposes};
use crate::support::app::TestApp;
use crate::support::databases::Db;

/// Waits until the policies of a server have changed and are as `is` says.
async fn until(app: &TestApp, is: impl Fn(Option<String>) -> bool, policy: &str) {
    let mut changes = app.app.policies.changes();
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !is(app.app.versions.live_version(policy)) {
            changes.changed().await.unwrap();
        }
    });
    waited.await.unwrap_or_else(|_| panic!("{policy} stays at {:?}", app.app.versions.live_version(policy)));
}

/// A server that another process can go on with.
fn lasting(config: &mut Config) {
    config.server.public_url = Some("http://mindflow.test".to_owned());
    config.server.secret_key = Some(Secret::new("the one secret of all instances of this server"));
}

fn save(app: &TestApp, policy: &str, text: &str) {
    let folder = app.app.config.policies.dir.join(policy);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("policy.rhai"), text).unwrap();
    app.app.policies.reload();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_activation_reaches_every_instance() {
    for db in BOTH {
        let [one, other] = TestApp::pair(db, |_| {}).await;
        let eve = one.admin("eve").await;
        let version = proposes(&eve, "plain", &by_priority("1.0")).await;

        activates(&eve, "plain", &version).await;

        until(&other, |live| live.as_ref() == Some(&version), "plain").await;
        let there = eve.at(&other).get("/api/policies/plain").await.good();
        assert_eq!((&there["live_version"], &there["origin"]), (&json!(version), &json!("activated")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_activation_holds_over_a_restart_until_the_file_changes() {
    for db in BOTH {
        let app = TestApp::start(db, lasting).await;
        let eve = app.admin("eve").await;
        save(&app, "plain", &by_priority("1.0"));
        let from_file = live_version(&eve, "plain").await;
        let version = proposes(&eve, "plain", &by_priority("2.0")).await;
        activates(&eve, "plain", &version).await;

        let restarted = app.beside(|_| {}).await;
        assert_eq!(restarted.app.versions.live_version("plain"), Some(version.clone()));

        save(&app, "plain", &by_priority("3.0"));
        let saved = live_version(&eve, "plain").await;
        assert!(saved != version && saved != from_file);
        assert_eq!(eve.get("/api/policies/plain").await.good()["origin"], "file");
        until(&restarted, |live| live.as_ref() == Some(&saved), "plain").await;
        save(&app, "plain", &by_priority("1.0"));
        app.app.versions.catch_up().await.unwrap();
        assert_eq!(live_version(&eve, "plain").await, from_file, "a file that is changed back is newer, too");

        let again = app.beside(|_| {}).await;
        assert_eq!(again.app.versions.live_version("plain"), Some(from_file));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_in_force_for_a_moment_alone_becomes_a_version_too() {
    for db in BOTH {
        let app = TestApp::start(db, lasting).await;
        let eve = app.admin("eve").await;
        let weights = ["1.0", "2.0", "3.0", "1.0"];
        let seen = weights.map(|weight| {
            save(&app, "plain", &by_priority(weight));
            app.app.versions.live_version("plain").unwrap()
        });

        app.app.versions.catch_up().await.unwrap();

        let known = eve.get("/api/policies/plain/versions").await.good();
        let known: Vec<&str> =
            known["items"].as_array().unwrap().iter().map(|item| item["version"].as_str().unwrap()).collect();
        assert!(seen.iter().all(|version| known.contains(&version.as_str())), "{seen:?} {known:?}");
        assert_eq!(live_version(&eve, "plain").await, seen[0]);
        assert_eq!(app.app.policies.first_saved(), None);

        for weight in ["4.0", "1.0"] {
            save(&app, "plain", &by_priority(weight));
        }
        app.app.versions.catch_up().await.unwrap();
        let steps = eve.get("/api/policies/plain/activations").await.good();
        assert_eq!(steps["items"][0]["version"], seen[0], "{steps}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_gave_up_to_note_is_noted_by_the_next() {
    let app = TestApp::start(Db::Sqlite, lasting).await;
    let eve = app.admin("eve").await;
    let ((open, opened), (enter, entered)) = (oneshot::channel::<()>(), oneshot::channel());
    let store = app.app.store.clone();
    let held_up = tokio::spawn(async move {
        let wait = async move |()| {
            enter.send(()).unwrap();
            opened.await.unwrap();
            Ok::<_, StoreError>(())
        };
        store.write(move |_| Box::pin(wait(()))).await
    });
    entered.await.unwrap();
    let passing = ["1.0", "2.0", "3.0", "4.0"].map(|weight| {
        save(&app, "plain", &by_priority(weight));
        app.app.versions.live_version("plain").unwrap()
    });

    // The server notes the first by itself, and waits for the database.
    let mut given_up = Box::pin(app.app.versions.catch_up());
    for _ in 0..5_000 {
        assert!(futures_util::poll!(&mut given_up).is_pending());
        tokio::task::yield_now().await;
    }
    drop(given_up);
    open.send(()).unwrap();
    held_up.await.unwrap().unwrap();
    app.app.versions.catch_up().await.unwrap();

    for version in passing {
        eve.get(&format!("/api/policies/plain/versions/{version}")).await.is(200);
    }
    let steps = eve.get("/api/policies/plain/activations").await.good();
    assert_eq!(steps["items"][0]["version"], json!(live_version(&eve, "plain").await), "{steps}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saved_file_becomes_a_version_to_which_one_can_go_back() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let eve = app.admin("eve").await;
        save(&app, "plain", &by_priority("1.0"));
        app.app.versions.catch_up().await.unwrap();
        let first = live_version(&eve, "plain").await;
        save(&app, "plain", &by_priority("2.0"));
        app.app.versions.catch_up().await.unwrap();

        let versions = eve.get("/api/policies/plain/versions").await.good();
        assert_eq!(versions["items"].as_array().map(Vec::len), Some(2), "{versions}");
        assert_eq!(
            (&versions["items"][0]["origin"], &versions["items"][0]["status"]),
            (&json!("file"), &json!("live"))
        );
        super::rolls_back(&eve, "plain").await.good();

        assert_eq!(live_version(&eve, "plain").await, first);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_breaks_leaves_what_is_in_force_also_for_the_next_start() {
    let app = TestApp::with(lasting).await;
    let eve = app.admin("eve").await;
    save(&app, "plain", &by_priority("1.0"));
    let good = live_version(&eve, "plain").await;

    save(&app, "plain", "fn score(task, ctx) { task.");
    let policy = eve.get("/api/policies/plain").await.good();
    assert_eq!((&policy["status"], &policy["live_version"]), (&json!("refused"), &json!(good)));
    assert_eq!(policy["refused"]["line"], 1);

    let data_dir = app.app.config.storage.data_dir.clone();
    let restarted = app.beside(|config| config.storage.data_dir = data_dir).await;
    let status = restarted.app.policies.status().into_iter().find(|status| status.name == "plain").unwrap();
    assert_eq!(status.live_version, Some(good));
    assert_eq!(status.origin.map(Origin::as_str), Some("last_good"));
    assert!(status.refused.is_some());
}
