//! The policies that come with the program, as people choose them.

use serde_json::json;

use mindflow::policies::shipped::SHELF;

use crate::policies::BOTH;
use crate::support::app::{TestApp, a_task};
use crate::support::databases::Db;

/// A server with all of them in its folder.
async fn with_shelf(db: Db) -> TestApp {
    let write = |config: &mut mindflow::config::Config| {
        for shelved in SHELF {
            shelved.write_to(&config.policies.dir).unwrap();
        }
    };
    TestApp::start(db, write).await
}

#[tokio::test]
async fn every_policy_of_the_shelf_can_be_asked_for_and_explains_itself() {
    let app = with_shelf(Db::Sqlite).await;
    let ada = app.user("ada").await;
    ada.has(a_task("Report").priority(5).minutes(240)).await;
    ada.has(a_task("Call").priority(1).minutes(5)).await;
    ada.has(a_task("Rent").priority(2).minutes(30).due("2026-03-23T17:00:00Z")).await;

    let mut first = Vec::new();
    for policy in ["default", "deadline-first", "eisenhower", "quick-wins", "taskwarrior"] {
        let best = ada.get_best_task(&format!("policy={policy}")).await.good();

        assert_eq!(best["policy"]["name"], policy);
        let points = best["reasoning"]["parts"].as_array().unwrap().iter().map(|part| part["points"].as_f64().unwrap());
        assert!((points.sum::<f64>() - best["score"].as_f64().unwrap()).abs() < 1e-4, "{best}");
        first.push(best["task"]["title"].as_str().unwrap().to_owned());
    }

    assert_eq!(first, ["Rent", "Rent", "Report", "Call", "Rent"]);
}

#[tokio::test]
async fn a_policy_of_the_shelf_can_be_preferred() {
    let app = with_shelf(Db::Sqlite).await;
    let ada = app.user("ada").await;
    ada.has(a_task("Report").priority(5).minutes(240)).await;
    ada.has(a_task("Call").priority(1).minutes(5)).await;
    assert_eq!(ada.get_best_task("").await.good()["task"]["title"], "Report");

    ada.patch("/api/auth/me", &json!({ "preferences": { "policy": "quick-wins" } })).await.good();

    let best = ada.get_best_task("").await.good();
    assert_eq!((&best["task"]["title"], &best["policy"]["name"]), (&json!("Call"), &json!("quick-wins")));
}

#[tokio::test]
async fn a_task_waits_for_its_open_parts() {
    let app = with_shelf(Db::Sqlite).await;
    let ada = app.user("ada").await;
    let whole = ada.has(a_task("Book")).await;
    let part = ada.has(a_task("Chapter").part_of(whole)).await;
    ada.has(a_task("Other chapter").part_of(whole)).await;
    let points = async |task, name: &str| {
        let explained = ada.explain_task(task, "policy=taskwarrior").await.good();
        let parts = explained["reasoning"]["parts"].as_array().unwrap().clone();
        parts.iter().find(|part| part["name"] == name).unwrap()["points"].as_f64().unwrap()
    };
    assert_eq!((points(whole, "blocked").await, points(whole, "blocking").await), (-5.0, 0.0));
    assert_eq!((points(part, "blocked").await, points(part, "blocking").await), (0.0, 8.0));
    assert_eq!(ada.get_best_task("policy=taskwarrior").await.good()["task"]["title"], "Chapter");

    ada.post(&format!("/api/tasks/{part}/complete"), &json!({})).await.good();

    assert_eq!((points(whole, "blocked").await, points(part, "blocking").await), (-5.0, 0.0));
    let other = ada.get_best_task("policy=taskwarrior").await.good();
    assert_eq!(other["task"]["title"], "Other chapter");
    ada.post(&format!("/api/tasks/{}/complete", other["task"]["id"].as_str().unwrap()), &json!({})).await.good();
    assert_eq!((points(whole, "blocked").await, points(whole, "blocking").await), (0.0, 0.0));
}

#[tokio::test]
async fn everybody_sets_the_parameters_of_their_policy_within_their_ranges() {
    for db in BOTH {
        sets_parameters(&with_shelf(db).await).await;
    }
}

async fn sets_parameters(app: &TestApp) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    for person in [&ada, &eve] {
        person.has(a_task("Friday").priority(3).due("2026-03-27")).await;
        person.has(a_task("Some day").priority(5)).await;
        let preferences = json!({ "preferences": { "policy": "eisenhower" } });
        let me = person.patch("/api/auth/me", &preferences).await.good();
        assert_eq!(me["preferences"]["policy_params"], json!({ "important_from": 4, "urgent_days": 1 }));
    }
    let first = async |person: &crate::support::app::Actor<'_>| {
        person.get_best_task("").await.good()["task"]["title"].as_str().unwrap().to_owned()
    };
    assert_eq!((first(&ada).await, first(&eve).await), ("Some day".to_owned(), "Some day".to_owned()));

    let own = json!({ "preferences": { "policy_params": { "urgent_days": 5, "important_from": 3 } } });
    let me = ada.patch("/api/auth/me", &own).await.good();

    assert_eq!(me["preferences"]["policy_params"], json!({ "important_from": 3, "urgent_days": 5 }));
    assert_eq!((first(&ada).await, first(&eve).await), ("Friday".to_owned(), "Some day".to_owned()));
    // The answer says by which values.
    let best = ada.get_best_task("").await.good();
    assert_eq!(best["policy"]["params"], json!({ "important_from": 3, "urgent_days": 5 }));
    let explained = ada.get(&format!("/api/tasks/{}/explain", best["task"]["id"].as_str().unwrap())).await.good();
    assert_eq!(explained["policy"], best["policy"]);
    assert_eq!(eve.get_best_task("").await.good()["policy"]["params"], json!({}));
    // One is given back, then all; another policy has none.
    let one = json!({ "preferences": { "policy_params": { "urgent_days": null } } });
    let me = ada.patch("/api/auth/me", &one).await.good();
    assert_eq!(me["preferences"]["policy_params"], json!({ "important_from": 3, "urgent_days": 1 }));
    assert_eq!(first(&ada).await, "Some day");
    let all = json!({ "preferences": { "policy_params": null } });
    let me = ada.patch("/api/auth/me", &all).await.good();
    assert_eq!(me["preferences"]["policy_params"], json!({ "important_from": 4, "urgent_days": 1 }));
    let other = json!({ "preferences": { "policy": null } });
    assert_eq!(ada.patch("/api/auth/me", &other).await.good()["preferences"]["policy_params"], json!({}));
}

#[tokio::test]
async fn every_parameter_that_does_not_fit_is_named() {
    let app = with_shelf(Db::Sqlite).await;
    let ada = app.user("ada").await;
    let params = json!({ "urgent_days": 31, "important_from": 2.5, "a/b": 1, "colour": "red" });
    let change =
        json!({ "time_zone": "Nowhere/City", "preferences": { "policy": "eisenhower", "policy_params": params } });

    let mut faults = ada.patch("/api/auth/me", &change).await.faults();

    faults.sort_unstable();
    let under = |name: &str| format!("/preferences/policy_params/{name}");
    let expected = [under("a~1b"), under("colour"), under("important_from"), under("urgent_days"), "/time_zone".into()];
    assert_eq!(faults, expected);
    let none = json!({ "preferences": { "policy_params": { "urgent_days": 2 } } });
    assert_eq!(ada.patch("/api/auth/me", &none).await.faults(), [under("urgent_days")]);
}

#[tokio::test]
async fn a_simulation_ranks_with_the_values_that_somebody_set() {
    let app = with_shelf(Db::Sqlite).await;
    let eve = app.admin("eve").await;
    eve.has(a_task("Friday").priority(3).due("2026-03-27")).await;
    eve.has(a_task("Tomorrow").priority(1).due("2026-03-24")).await;
    let draft = SHELF.iter().find(|shelved| shelved.name == "eisenhower").unwrap().script;
    let draft = draft.replace("\"default\": 1,", "\"default\": 7,");
    let moved = async || {
        let done = eve.post("/api/policies/eisenhower/simulate", &json!({ "source": draft })).await.good();
        done["moves"].as_array().unwrap().iter().flat_map(|moved| moved["terms"].as_array().unwrap().clone()).count()
    };
    assert_ne!(moved().await, 0);

    let own = json!({ "preferences": { "policy": "eisenhower", "policy_params": { "urgent_days": 7 } } });
    eve.patch("/api/auth/me", &own).await.good();

    // Both have her value now, so nothing differs.
    assert_eq!(moved().await, 0);
}
