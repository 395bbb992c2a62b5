//! `mindflow policy learn`: from what people did to a draft.

use serde_json::{Value, json};

use super::shell::{json as shell_json, policy as shell};
use super::{BOTH, activates, live_version, proposes};
use crate::support::app::{Actor, TestApp, a_task, minutes};
use crate::support::databases::Db;

/// A policy with two weights.
const WEIGHED: &str = r#"// What it is worth.
const PARAMS = #{
    priority: #{ type: "number", min: 0.0, max: 10.0, "default": 5.0, label: "Worth of a priority" },
    quick: #{ type: "number", min: 0.0, max: 50.0, "default": 1.0, label: "Worth of being done quickly" }
};
fn quick(task, ctx) { if task.effort_minutes != () && task.effort_minutes <= 15 { ctx.params.quick } else { 0.0 } }
fn score(task, ctx) { task.priority * ctx.params.priority + quick(task, ctx) }
fn explain(task, ctx) {
    let parts = [
        #{ name: "priority", points: task.priority * ctx.params.priority },
        #{ name: "quick", points: quick(task, ctx) }
    ];
    #{ total: score(task, ctx), parts: parts, recommendation: "Do it" }
}
"#;

/// A server that keeps every recommendation, with the policy in force.
async fn serving(db: Db) -> TestApp {
    let app = TestApp::start(db, |config| config.policies.decisions_sample = 1.0).await;
    let eve = app.admin("eve").await;
    let version = proposes(&eve, "weighed", WEIGHED).await;
    activates(&eve, "weighed", &version).await;
    app
}

/// Somebody who is recommended what is important, and does what is quick, so many times.
async fn prefers_quick(app: &TestApp, who: &Actor<'_>, times: usize) {
    who.patch("/api/auth/me", &json!({ "preferences": { "policy": "weighed" } })).await.good();
    for _ in 0..times {
        let great = who.has(a_task("Great").priority(5).minutes(120)).await;
        let quick = who.has(a_task("Quick").priority(2).minutes(10)).await;
        let best = who.get_best_task("").await.good();
        assert_eq!(best["task"]["title"], "Great");
        app.advance(minutes(5));
        who.complete_task(quick).await.good();
        app.advance(minutes(1));
        who.complete_task(great).await.good();
        app.advance(minutes(5));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_proposed_from_what_people_did_and_nothing_comes_into_force() {
    for db in BOTH {
        let app = serving(db).await;
        let (max, ada) = (app.admin("max").await, app.user("ada").await);
        let live = live_version(&max, "weighed").await;
        prefers_quick(&app, &ada, 12).await;

        let (done, said) = shell(&app, &["learn", "weighed"]).await;
        assert!(!done && said.contains("of 12 kept recommendations") && said.contains("at least 40"), "{said}");
        prefers_quick(&app, &ada, 36).await;
        let dry = shell_json(&app, &["learn", "weighed", "--dry-run"]).await;
        let learned = shell_json(&app, &["learn", "weighed"]).await;

        assert_eq!(
            (&dry["draft"], &dry["learned"]),
            (&Value::Null, &learned["learned"]),
            "the same seed, the same answer"
        );
        let draft = learned["draft"].as_str().unwrap();
        let value = |name: &str, or: f64| {
            let changes = learned["learned"]["changes"].as_array().unwrap();
            changes.iter().find(|change| change["name"] == name).map_or(or, |change| change["to"].as_f64().unwrap())
        };
        assert!(value("quick", 1.0) > 3.0 * value("priority", 5.0), "{learned}");
        let held = &learned["learned"]["held_back"];
        assert_eq!((&held["before"]["first"], &held["after"]["first"]), (&json!(0), &held["after"]["examples"]));
        assert_eq!((&learned["replay"]["first_changes"], &learned["replay"]["decisions"]), (&json!(48), &json!(48)));

        let shown = max.get(&format!("/api/policies/weighed/versions/{draft}")).await.good();
        let version = &shown["version"];
        assert_eq!((&version["status"], &version["parent"]), (&json!("draft"), &json!(live)));
        assert!(version["message"].as_str().unwrap().starts_with("Learned from "), "{shown}");
        assert!(shown["source"].as_str().unwrap().starts_with("// What it is worth.\nconst PARAMS"), "{shown}");
        assert_eq!(live_version(&max, "weighed").await, live, "never more than a draft");

        activates(&max, "weighed", draft).await;
        ada.has(a_task("Great").priority(5).minutes(120)).await;
        ada.has(a_task("Quick").priority(2).minutes(10)).await;
        assert_eq!(ada.get_best_task("").await.good()["task"]["title"], "Quick");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_proposed_without_parameters_or_without_anything_better() {
    let app = serving(Db::Sqlite).await;
    let ada = app.user("ada").await;

    let (done, said) = shell(&app, &["learn", "default"]).await;
    assert!(!done && (said.contains("declares no PARAMS") || said.contains("too little is known")), "{said}");
    assert!(!shell(&app, &["learn", "nothing"]).await.0);
    ada.patch("/api/auth/me", &json!({ "preferences": { "policy": "weighed" } })).await.good();
    for _ in 0..44 {
        let great = ada.has(a_task("Great").priority(5).minutes(10)).await;
        let small = ada.has(a_task("Small").priority(1)).await;
        ada.get_best_task("").await.good();
        app.advance(minutes(5));
        ada.complete_task(great).await.good();
        ada.complete_task(small).await.good();
        app.advance(minutes(5));
    }

    let (done, said) = shell(&app, &["learn", "weighed"]).await;

    assert!(!done && (said.contains("no other values agree better") || said.contains("not borne out")), "{said}");
}
