//! `mindflow policy …` on the database of a server that runs.

use std::process::ExitCode;

use clap::Parser;
use mindflow::cli::policy::managed::{self, ManagedCommand};
use serde_json::{Value, json};

use super::{BOTH, by_priority, live_version};
use crate::support::app::{TestApp, a_task};

#[derive(Parser)]
struct Shell {
    #[command(subcommand)]
    command: ManagedCommand,
}

/// Runs `mindflow policy` with these words; what it said, and whether it was done.
pub(super) async fn policy(app: &TestApp, words: &[&str]) -> (bool, String) {
    let shell = Shell::try_parse_from(["policy"].iter().chain(words)).unwrap();
    let mut out = Vec::new();
    let code = managed::run(shell.command, &app.app, &mut out).await;
    let said = String::from_utf8(out).unwrap();
    match code {
        Ok(code) => (format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS), said),
        Err(error) => (false, format!("{error:#}")),
    }
}

pub(super) async fn json(app: &TestApp, words: &[&str]) -> Value {
    let (done, said) = policy(app, &[words, &["--json"]].concat()).await;
    assert!(done, "{said}");
    serde_json::from_str(&said).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_is_managed_from_the_shell() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let eve = app.admin("eve").await;
        eve.has(a_task("Something")).await;
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one.rhai"), folder.path().join("two.rhai"));
        std::fs::write(&one, by_priority("1.0")).unwrap();
        std::fs::write(&two, by_priority("2.0")).unwrap();
        let (one, two) = (one.to_str().unwrap(), two.to_str().unwrap());

        let first = json(&app, &["propose", "plain", one, "--message", "The first"]).await;
        let first = first["version"].as_str().unwrap();
        let (done, said) = policy(&app, &["activate", "plain", first]).await;
        assert!(done && said == format!("plain: version {first} is in force\n"), "{said}");
        let second = json(&app, &["propose", "plain", two]).await;
        let second = second["version"].as_str().unwrap();

        let (_, diff) = policy(&app, &["diff", "plain"]).await;
        assert!(diff.starts_with(&format!("--- plain@{first}\n+++ plain@{second}\n")), "{diff}");
        assert_eq!(policy(&app, &["show", "plain"]).await.1, by_priority("1.0"));
        let done = json(&app, &["simulate", "plain", second, "--user", "eve@example.com", "--sample", "5"]).await;
        assert_eq!((&done["own"]["tasks"], &done["draft_version"]), (&json!(1), &json!(second)));
        let (done, said) = policy(&app, &["simulate", "plain", second, "--sample", "5"]).await;
        assert!(done && said.contains("sample: 1 people"), "{said}");
        json(&app, &["activate", "plain", second]).await;
        assert_eq!(live_version(&eve, "plain").await, second);
        let back = json(&app, &["rollback", "plain"]).await;
        assert_eq!(back["live_version"], json!(first));

        let versions = json(&app, &["versions", "plain"]).await;
        assert_eq!((&versions[1]["message"], &versions[1]["status"]), (&json!("The first"), &json!("live")));
        let third = folder.path().join("three.rhai");
        std::fs::write(&third, by_priority("3.0")).unwrap();
        let third = json(&app, &["propose", "plain", third.to_str().unwrap()]).await;
        let third = third["version"].as_str().unwrap();
        let (done, said) = policy(&app, &["delete", "plain", third]).await;
        assert!(done && said == format!("plain: version {third} is deleted\n"), "{said}");
        assert!(!policy(&app, &["show", "plain", third]).await.0, "it is gone");
        assert!(!policy(&app, &["delete", "plain", second]).await.0, "it was in force");

        let (_, listed) = policy(&app, &["list"]).await;
        assert!(listed.contains("plain") && listed.contains("activated"), "{listed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_is_tried_from_the_shell() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let eve = app.admin("eve").await;
        eve.has(a_task("Something")).await;
        let folder = tempfile::tempdir().unwrap();
        let mut versions = Vec::new();
        for weight in ["1.0", "2.0"] {
            let file = folder.path().join("draft.rhai");
            std::fs::write(&file, by_priority(weight)).unwrap();
            let proposed = json(&app, &["propose", "plain", file.to_str().unwrap()]).await;
            versions.push(proposed["version"].as_str().unwrap().to_owned());
        }
        json(&app, &["activate", "plain", &versions[0]]).await;

        let tried =
            json(&app, &["rollout", "plain", &versions[1], "--user", "EVE@example.com", "--percent", "0"]).await;
        assert_eq!((&tried["state"], &tried["users"]), (&json!("running"), &json!([eve.id().0.to_string()])));
        let best = eve.get_best_task("policy=plain").await.good();
        assert_eq!(best["policy"]["version"], json!(versions[1]));
        let (done, said) = policy(&app, &["rollout", "plain", "--end"]).await;
        assert!(done && said.contains("ended") && said.contains(&versions[1]), "{said}");
        let best = eve.get_best_task("policy=plain").await.good();
        assert_eq!(best["policy"]["version"], json!(versions[0]));

        let tried = json(&app, &["shadow", "plain", &versions[1], "--percent", "100"]).await;
        assert_eq!((&tried["state"], &tried["rankings"]), (&json!("running"), &json!(0)));
        let (done, said) = policy(&app, &["shadow", "plain"]).await;
        assert!(done && said.contains("in the shadow, running: 100 % of rankings"), "{said}");
        assert_eq!(json(&app, &["shadow", "plain", "--end"]).await["state"], "ended");

        let (done, said) = policy(&app, &["rollout", "plain", &versions[1], "--user", "nobody@example.com"]).await;
        assert!(!done && said.contains("no account with the e-mail address `nobody@example.com`"), "{said}");
        assert!(!policy(&app, &["rollout", "plain", "--end"]).await.0, "it is over");
        let came = json(&app, &["activations", "plain"]).await;
        assert_eq!((&came[0]["version"], &came[0]["actor"]), (&json!(versions[0]), &json!("shell")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_and_the_exit_code_says_so() {
    let app = TestApp::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broken.rhai");
    std::fs::write(&file, "fn score(task, ctx) { task.").unwrap();

    let (done, said) = policy(&app, &["propose", "plain", file.to_str().unwrap()]).await;
    assert!(!done && said.starts_with("plain:1:"), "{said}");
    let (done, said) = policy(&app, &["propose", "plain", file.to_str().unwrap(), "--json"]).await;
    let said: Value = serde_json::from_str(&said).unwrap();
    assert!(!done && said["ok"] == false && said["faults"][0]["line"] == 1, "{said}");
    let (done, said) = policy(&app, &["activate", "default", "0123456789ab"]).await;
    assert!(!done && said.contains("no such version"), "{said}");
    let (done, said) = policy(&app, &["rollback", "default"]).await;
    assert!(!done && said.contains("no version before"), "{said}");
    assert!(!policy(&app, &["propose", "plain", "/nowhere.rhai"]).await.0);
    assert!(!policy(&app, &["simulate", "default", "0123456789ab"]).await.0, "nobody's tasks were named");
}
