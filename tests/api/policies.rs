//! Policies over the API: proposed, compared, tested, put in force, taken back.

mod decisions;
mod instances;
mod learning;
mod rights;
mod shell;
mod trials;

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{Actor, TestApp, a_task};
use crate::support::databases::Db;

pub(crate) const BOTH: [Db; 2] = [Db::Sqlite, Db::Postgres];

/// A policy that asks for nothing but the priority, times a weight.
pub(crate) fn by_priority(weight: &str) -> String {
    format!(
        "const WEIGHT = {weight};\n\
         fn score(task, ctx) {{ task.priority * WEIGHT }}\n\
         fn explain(task, ctx) {{\n\
             let points = task.priority * WEIGHT;\n\
             #{{ total: points, parts: [#{{ name: \"priority\", points: points }}], recommendation: \"By priority\" }}\n\
         }}\n"
    )
}

/// Proposes a text; says which version it is.
pub(crate) async fn proposes(eve: &Actor<'_>, policy: &str, source: &str) -> String {
    let body = json!({ "source": source, "message": "Try it" });
    let version = eve.post(&format!("/api/policies/{policy}/versions"), &body).await.good();
    version["version"].as_str().unwrap().to_owned()
}

pub(crate) async fn activates(eve: &Actor<'_>, policy: &str, version: &str) -> Value {
    eve.post(&format!("/api/policies/{policy}/activate"), &json!({ "version": version })).await.good()
}

async fn rolls_back(eve: &Actor<'_>, policy: &str) -> crate::support::answer::Answer {
    eve.send(Method::POST, &format!("/api/policies/{policy}/rollback"), None, &[]).await
}

async fn live_version(eve: &Actor<'_>, policy: &str) -> String {
    let policy = eve.get(&format!("/api/policies/{policy}")).await.good();
    policy["live_version"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_is_proposed_compared_activated_and_taken_back() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let eve = app.admin("eve").await;
        let task = eve.has(a_task("Write the report").priority(4)).await;
        let score = async || eve.explain_task(task, "policy=plain").await.good()["score"].as_f64();

        let first = proposes(&eve, "plain", &by_priority("1.0")).await;
        assert_eq!(eve.get("/api/policies/plain").await.good()["status"], "draft");
        eve.explain_task(task, "policy=plain").await.is(422);
        let policy = activates(&eve, "plain", &first).await;
        assert_eq!((&policy["status"], &policy["origin"]), (&json!("live"), &json!("activated")));
        assert_eq!(score().await, Some(4.0));

        let second = proposes(&eve, "plain", &by_priority("2.0")).await;
        let diff = eve.get("/api/policies/plain/diff").await.good();
        assert_eq!((&diff["from"], &diff["to"]), (&json!(first), &json!(second)));
        assert!(diff["diff"].as_str().unwrap().contains("-const WEIGHT = 1.0;\n+const WEIGHT = 2.0;"), "{diff}");
        activates(&eve, "plain", &second).await;
        assert_eq!(score().await, Some(8.0));
        let third = proposes(&eve, "plain", &by_priority("3.0")).await;
        activates(&eve, "plain", &third).await;

        rolls_back(&eve, "plain").await.good();
        assert_eq!((score().await, live_version(&eve, "plain").await), (Some(8.0), second.clone()));
        rolls_back(&eve, "plain").await.good();
        assert_eq!((score().await, live_version(&eve, "plain").await), (Some(4.0), first.clone()));
        rolls_back(&eve, "plain").await.assert_problem("nothing-before");

        let list = eve.get("/api/policies/plain/versions?limit=2").await;
        assert_eq!(list.header("x-total-count"), Some("3"));
        let list = list.good();
        let next = list["next_cursor"].as_str().unwrap();
        let rest = eve.get(&format!("/api/policies/plain/versions?limit=2&cursor={next}")).await.good();
        let statuses: Vec<_> = [&list, &rest].iter().flat_map(|page| page["items"].as_array().unwrap()).collect();
        let of = |index: usize| (statuses[index]["version"].as_str(), statuses[index]["status"].as_str());
        assert_eq!(of(0), (Some(third.as_str()), Some("used")));
        assert_eq!(of(2), (Some(first.as_str()), Some("live")));
        assert_eq!(statuses[1]["parent"], json!(first));
        assert_eq!((&statuses[1]["author"], &statuses[1]["message"]), (&json!("eve@example.com"), &json!("Try it")));

        let steps = eve.get("/api/policies/plain/activations").await.good();
        let actions: Vec<_> = steps["items"].as_array().unwrap().iter().map(|step| step["action"].clone()).collect();
        assert_eq!(actions, ["rolled_back", "rolled_back", "activated", "activated", "activated"]);
        let audit = eve.get("/api/auth/activity").await.good();
        let actions: Vec<_> =
            audit["items"].as_array().unwrap().iter().filter_map(|row| row["action"].as_str()).collect();
        assert_eq!(actions[..3], ["policy.rolled_back", "policy.rolled_back", "policy.activated"]);
        assert_eq!(audit["items"][0]["details"]["version"], json!(first));
    }
}

#[tokio::test]
async fn a_script_that_is_not_in_order_is_told_by_line_and_column_and_not_kept() {
    let app = TestApp::new().await;
    let eve = app.admin("eve").await;
    let broken = by_priority("1.0").replace("task.priority * WEIGHT }", "task.prioritty * WEIGHT }");

    let body = json!({ "source": broken });
    let refused = eve.post("/api/policies/plain/versions", &body).await.is(422).assert_problem("invalid-input");
    let fault = &refused["errors"][0];
    assert_eq!((&fault["field"], &fault["line"]), (&json!("/source"), &json!(2)), "{refused}");
    assert!(fault["column"].as_u64().is_some_and(|column| column > 1), "{refused}");
    assert!(fault["message"].as_str().unwrap().contains("did you mean `priority`?"), "{refused}");
    eve.get("/api/policies/plain").await.is(404);

    let check = eve.post("/api/policies/validate", &body).await.good();
    assert_eq!((&check["valid"], &check["faults"][0]["line"]), (&json!(false), &json!(2)), "{check}");
    let check = eve.post("/api/policies/validate", &json!({ "source": by_priority("1.0") })).await.good();
    assert_eq!((&check["valid"], check["faults"].as_array().map(Vec::len)), (&json!(true), Some(0)));
    eve.get(&format!("/api/policies/default/versions/{}", check["version"].as_str().unwrap())).await.is(404);
}

#[tokio::test]
async fn a_version_whose_examples_fail_is_not_activated() {
    let app = TestApp::new().await;
    let eve = app.admin("eve").await;
    let live = live_version(&eve, "default").await;
    let shown = eve.get(&format!("/api/policies/default/versions/{live}")).await.good();
    let source = shown["source"].as_str().unwrap();
    let other = source.replace("priority: 10.0", "priority: 20.0");
    assert_ne!(source, other);

    let version = proposes(&eve, "default", &other).await;
    let report = eve.post("/api/policies/default/test", &json!({ "version": version })).await.good();
    let refused = eve.post("/api/policies/default/activate", &json!({ "version": version })).await.is(409);

    assert_eq!(report["passed"], false);
    let problem = refused.assert_problem("policy-tests-fail");
    assert_eq!(problem["errors"].as_array().map(Vec::len), report["failures"].as_array().map(Vec::len));
    assert!(problem["errors"][0]["field"].as_str().unwrap().starts_with("tests/"), "{problem}");
    // An example can fail in several ways.
    let example = |failure: &Value| (failure["file"].to_string(), failure["case"].to_string());
    let examples: BTreeSet<_> = report["failures"].as_array().unwrap().iter().map(example).collect();
    assert!(examples.len() < problem["errors"].as_array().unwrap().len(), "{report}");
    assert!(problem["detail"].as_str().unwrap().starts_with(&format!("{} of ", examples.len())), "{problem}");
    assert_eq!(live_version(&eve, "default").await, live);
    let live = eve.post("/api/policies/default/test", &json!({})).await.good();
    assert_eq!((&live["passed"], live["total"].as_u64() > Some(10)), (&json!(true), true));
}

#[tokio::test]
async fn examples_that_are_sent_are_run_too() {
    let app = TestApp::new().await;
    let eve = app.admin("eve").await;
    let case = |score: f64| {
        format!(
            "cases:\n  - name: the highest priority\n    now: 2026-03-23T12:00:00Z\n    tasks: [{{ id: a, priority: 5 }}]\n    \
             expect: {{ scores: {{ a: {score} }} }}\n"
        )
    };
    let test = async |score: f64| {
        let tests = json!([{ "name": "mine.yaml", "content": case(score) }]);
        eve.post("/api/policies/plain/test", &json!({ "source": by_priority("2.0"), "tests": tests })).await.good()
    };

    assert_eq!(test(10.0).await["passed"], true);
    let failed = test(11.0).await;

    assert_eq!((&failed["passed"], &failed["total"]), (&json!(false), &json!(1)));
    assert_eq!(failed["failures"][0]["file"], "mine.yaml");
    assert_eq!(failed["failures"][0]["case"], "the highest priority");
    let both = json!({ "source": by_priority("2.0"), "version": "0123456789ab" });
    eve.post("/api/policies/plain/test", &both).await.is(422);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_overwrites_what_they_do_not_know() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let eve = app.admin("eve").await;
        let first = proposes(&eve, "plain", &by_priority("1.0")).await;
        activates(&eve, "plain", &first).await;
        let second = proposes(&eve, "plain", &by_priority("2.0")).await;
        let tag = eve.get("/api/policies/plain").await.header("etag").unwrap().to_owned();
        assert_eq!(tag, format!("\"{first}\""));

        let activate = async |known: &str| {
            let body = json!({ "version": second });
            eve.send(Method::POST, "/api/policies/plain/activate", Some(&body), &[("if-match", known)]).await
        };
        activate("\"0123456789ab\"").await.is(412).assert_problem("precondition-failed");
        assert_eq!(activate(&tag).await.is(200).header("etag"), Some(format!("\"{second}\"").as_str()));
        activate(&tag).await.is(412);
        activate("*").await.is(200);
        let stale = [("if-match", tag.as_str())];
        eve.send(Method::POST, "/api/policies/plain/rollback", None, &stale).await.is(412);
        let body = json!({ "source": by_priority("3.0") });
        eve.send(Method::POST, "/api/policies/plain/versions", Some(&body), &stale).await.is(412);
        assert_eq!(live_version(&eve, "plain").await, second);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposal_may_be_sent_again() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let eve = app.admin("eve").await;
        let propose = async |key: &str, weight: &str| {
            let body = json!({ "source": by_priority(weight) });
            eve.send(Method::POST, "/api/policies/plain/versions", Some(&body), &[("idempotency-key", key)]).await
        };

        let first = propose("one", "1.0").await.is(201);
        let again = propose("one", "1.0").await.is(201);
        propose("one", "2.0").await.is(422).assert_problem("idempotency-key-reused");
        let same_text = propose("two", "1.0").await.is(200);

        let version = first.body["version"].as_str().unwrap();
        assert_eq!(first.header("location"), Some(format!("/api/policies/plain/versions/{version}").as_str()));
        assert_eq!((again.header("idempotent-replayed"), &again.body), (Some("true"), &first.body));
        assert_eq!(same_text.body["version"], first.body["version"]);
        assert_eq!(eve.get("/api/policies/plain/versions").await.header("x-total-count"), Some("1"));
    }
}

#[tokio::test]
async fn a_draft_can_be_deleted_and_what_was_in_force_cannot() {
    let app = TestApp::new().await;
    let eve = app.admin("eve").await;
    let used = proposes(&eve, "plain", &by_priority("1.0")).await;
    activates(&eve, "plain", &used).await;
    let draft = proposes(&eve, "plain", &by_priority("2.0")).await;

    let delete = async |version: &str| eve.delete(&format!("/api/policies/plain/versions/{version}")).await;
    delete(&used).await.is(409).assert_problem("version-used");
    delete(&draft).await.is(204);

    delete(&draft).await.is(404);
    eve.post("/api/policies/plain/activate", &json!({ "version": draft })).await.is(404);
}

#[tokio::test]
async fn what_is_asked_wrongly_is_told() {
    let app = TestApp::new().await;
    let eve = app.admin("eve").await;

    assert_eq!(eve.get("/api/policies/Upper").await.faults(), ["{name}"]);
    assert_eq!(eve.get("/api/policies/default/versions/xyz").await.faults(), ["{version}"]);
    eve.get("/api/policies/nobody").await.is(404);
    eve.get("/api/policies/nobody/versions").await.is(404);
    eve.get("/api/policies/nobody/activations").await.is(404);
    eve.get("/api/policies/default/versions/0123456789ab").await.is(404);
    eve.get("/api/policies/default/diff?from=0123456789ab").await.is(404);
    rolls_back(&eve, "nobody").await.is(404);
    rolls_back(&eve, "default").await.assert_problem("nothing-before");
    assert_eq!(eve.get("/api/policies?cursor=nonsense").await.faults(), ["?cursor"]);
    assert_eq!(eve.post("/api/policies/plain/versions", &json!({ "source": "" })).await.faults(), ["/source"]);
    let long = json!({ "source": "x".repeat(131_073) });
    assert_eq!(eve.post("/api/policies/validate", &long).await.faults(), ["/source"]);
    let unknown = json!({ "source": "x", "author": "somebody" });
    assert_eq!(eve.post("/api/policies/validate", &unknown).await.faults(), ["/author"]);
}

#[tokio::test]
async fn every_policy_is_listed_with_how_it_is_doing() {
    let app = TestApp::new().await;
    let eve = app.admin("eve").await;
    proposes(&eve, "plain", &by_priority("1.0")).await;

    let all = eve.get("/api/policies").await.good();
    let page = eve.get("/api/policies?limit=1").await.good();

    let named: Vec<_> = all["items"].as_array().unwrap().iter().map(|one| (&one["name"], &one["status"])).collect();
    assert!(named.contains(&(&json!("default"), &json!("live"))), "{all}");
    assert!(named.contains(&(&json!("plain"), &json!("draft"))), "{all}");
    let next = page["next_cursor"].as_str().unwrap();
    let rest = eve.get(&format!("/api/policies?cursor={next}")).await.good();
    assert_eq!(rest["items"].as_array().map(Vec::len), Some(named.len() - 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulation_says_who_moves_where_and_by_which_terms_and_changes_nothing() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let eve = app.admin("eve").await;
        let ada = app.user("ada").await;
        let urgent = eve.has(a_task("Pay rent").priority(1).due("2026-03-23").minutes(10)).await;
        let important = eve.has(a_task("Plan the year").priority(5)).await;
        ada.has(a_task("Her secret").priority(2).due("2026-03-23")).await;
        let another = ada.has(a_task("Another secret").priority(4)).await;
        let first = by_priority("1.0");
        let before = eve.get_best_task("").await.good();
        assert_eq!(before["task"]["id"], json!(urgent));

        let body = json!({ "source": first, "sample": 10 });
        let done = eve.post("/api/policies/default/simulate", &body).await.good();

        assert_eq!((&done["own"]["tasks"], &done["own"]["moved"]), (&json!(2), &json!(2)), "{done}");
        assert_eq!((&done["own"]["first_changes"], &done["own"]["kendall"]), (&json!(true), &json!(-1.0)));
        let moved = &done["moves"][0];
        assert_eq!((&moved["task_id"], &moved["title"]), (&json!(important), &json!("Plan the year")));
        assert_eq!((&moved["place_before"], &moved["place_after"]), (&json!(2), &json!(1)));
        let terms: Vec<_> = moved["terms"].as_array().unwrap().iter().map(|term| term["name"].clone()).collect();
        assert!(terms.contains(&json!("priority")), "{moved}");
        assert_eq!(done["looked_at_hours"], 24);
        assert!(done["first_changes_hours"].as_u64() > Some(0));
        assert_eq!((&done["sample"]["users"], &done["sample"]["first_changes"]), (&json!(2), &json!(2)), "{done}");
        let sampled = done["sample"]["moves"].as_array().unwrap();
        assert!(sampled.iter().all(|one| one["title"].is_null()), "{done}");
        assert!(!done.to_string().contains("secret"), "{done}");
        // Of each person the one that rises.
        let mut rising: Vec<_> = sampled.iter().map(|one| one["task_id"].clone()).collect();
        rising.sort_by_key(ToString::to_string);
        let mut expected = [json!(important), json!(another)];
        expected.sort_by_key(ToString::to_string);
        assert_eq!(rising, expected);
        assert_eq!(eve.get_best_task("").await.good()["task"]["id"], json!(urgent));
        assert_eq!(app.app.policies.score_faults(), 0);
        eve.get("/api/policies/default/versions").await.good();
        let nothing = eve.post("/api/policies/default/simulate", &json!({ "limit": 0 })).await;
        assert_eq!(nothing.faults(), ["/limit", "/version"]);
    }
}

#[tokio::test]
async fn a_simulation_at_another_moment_sees_the_tasks_of_then() {
    let app = TestApp::new().await;
    let eve = app.admin("eve").await;
    eve.has(a_task("Pay rent").priority(1).due("2026-04-23")).await;
    eve.has(a_task("Plan the year").priority(3)).await;
    let simulate = async |at: &str| {
        let body = json!({ "source": by_priority("1.0"), "at": at });
        eve.post("/api/policies/default/simulate", &body).await.good()
    };

    let early = simulate("2026-03-23T12:00:00Z").await;
    let late = simulate("2026-04-24T12:00:00Z").await;

    assert_eq!((&early["own"]["first_changes"], &late["own"]["first_changes"]), (&json!(false), &json!(true)));
    let wrong = json!({ "source": by_priority("1.0"), "at": "never" });
    assert_eq!(eve.post("/api/policies/default/simulate", &wrong).await.faults(), ["/at"]);
}

#[tokio::test]
async fn a_slip_is_told_when_a_script_is_checked_or_proposed_and_while_it_is_in_force() {
    let app = TestApp::new().await;
    let eve = app.admin("eve").await;
    let source = "const PARAMS = #{ weight: #{ type: \"number\", min: 0.0, max: 9.0, default: 2, user: true, label: \"How much\" } };\n\
                  fn score(task, ctx) { let sum = 0; for label in task.labels { sum += 1; } sum + 9 - task.priority * 1 }\n\
                  fn explain(task, ctx) { #{ total: score(task, ctx), parts: #{ all: score(task, ctx) }, recommendation: \"\" } }\n";
    let slips = |answer: &Value| -> Vec<(String, Value)> {
        let warnings = answer["warnings"].as_array().unwrap();
        warnings.iter().map(|one| (one["lint"].as_str().unwrap().to_owned(), one["line"].clone())).collect()
    };
    let expected = [("unused_parameter".to_owned(), json!(1)), ("not_monotone".to_owned(), json!(2))];

    let check = eve.post("/api/policies/validate", &json!({ "source": source })).await.good();
    let proposed = eve.post("/api/policies/plain/versions", &json!({ "source": source })).await.good();
    let again = eve.post("/api/policies/plain/versions", &json!({ "source": source })).await.good();

    assert_eq!(slips(&check), expected, "{check}");
    assert_eq!((&check["valid"], &check["interpreted"]["line"]), (&json!(true), &json!(2)));
    assert_eq!((slips(&proposed), slips(&again)), (expected.to_vec(), expected.to_vec()));
    let live = activates(&eve, "plain", proposed["version"].as_str().unwrap()).await;
    assert_eq!((&live["execution"], &live["interpreted"]["message"]), (&json!("interpreted"), &json!("a loop")));
    let live = eve.get("/api/policies/plain").await.good();
    assert_eq!(slips(&live), expected);
    let weight = json!({
        "name": "weight", "type": "number", "min": 0.0, "max": 9.0, "words": [], "default": 2.0, "value": 2.0,
        "label": "How much", "user": true
    });
    assert_eq!(live["params"], json!([weight]));
    let plain = eve.get("/api/policies/default").await.good();
    assert_eq!((&plain["execution"], &plain["interpreted"]), (&json!("class_table"), &Value::Null));
    assert_eq!((slips(&plain), &plain["params"]), (Vec::new(), &json!([])));
}

#[tokio::test]
async fn the_sample_of_a_simulation_knows_what_waits_for_what() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let (eve, ada) = (app.admin("eve").await, app.user("ada").await);
        let whole = ada.has(a_task("Book").priority(5)).await;
        let part = ada.has(a_task("Chapter").part_of(whole)).await;
        let source = by_priority("1.0").replace("task.priority", "(task.blocks * 10 - task.blocked_by * 10)");

        let body = json!({ "source": source, "sample": 10 });
        let done = eve.post("/api/policies/plain/simulate", &body).await.good();

        let moved = done["sample"]["moves"].as_array().unwrap();
        assert_eq!(moved.len(), 1, "{done}");
        assert_eq!((&moved[0]["task_id"], &moved[0]["score_after"]), (&json!(part), &json!(10.0)), "{done}");
        assert_eq!(moved[0]["place_before"], 2);
    }
}
