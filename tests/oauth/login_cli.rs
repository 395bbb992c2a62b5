//! `mindflow login` and what follows it, against a server.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mindflow::accounts::Origin;
use mindflow::cli::remote::{AskArgs, NextArgs, RemoteCommand, ServerArgs, Surroundings, run};
use mindflow::ids::UserId;
use mindflow::oauth::devices::{Decision, Verdict};
use mindflow::oauth::{OAuthScope, OAuthScopes};

use crate::support::app::{TestApp, a_task};

/// What a command says, readable while it runs.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Output {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// What somebody does on another device meanwhile.
#[derive(Clone, Copy)]
enum Meanwhile {
    Allow(UserId),
    Deny(UserId),
    Nothing,
}

async fn decide(app: &TestApp, code: &str, meanwhile: Meanwhile) {
    let (user_id, verdict) = match meanwhile {
        Meanwhile::Allow(user) => (user, Verdict::Allow(OAuthScopes::from_iter([OAuthScope::Read, OAuthScope::Write]))),
        Meanwhile::Deny(user) => (user, Verdict::Deny),
        Meanwhile::Nothing => return,
    };
    let pending = app.app.grants.find_device(code, "test").await.unwrap();
    let client = app.app.clients.find(&pending.client_id).await.unwrap();
    let decision = Decision {
        client: &client,
        verdict,
        user_id,
        session_id: None,
        authenticated_at: app.clock.now(),
        methods: "pwd".to_owned(),
    };
    app.app.grants.decide_device(code, decision, &Origin::default()).await.unwrap();
}

fn args(app: &TestApp) -> ServerArgs {
    ServerArgs { server: Some(app.url().to_owned()) }
}

fn asking(json: bool) -> AskArgs {
    AskArgs { server: ServerArgs { server: None }, json }
}

fn next(json: bool) -> NextArgs {
    NextArgs { ask: asking(json), at: None, minutes: None, policy: None }
}

/// Runs a command as somebody with this folder; whoever is asked meanwhile decides before the second question.
async fn shell(
    app: &Arc<TestApp>,
    folder: &Path,
    command: RemoteCommand,
    meanwhile: Meanwhile,
) -> Result<String, String> {
    let out = Output::default();
    let (waiting, seen) = (Arc::clone(app), out.clone());
    let wait = move |time: Duration| -> futures_util::future::BoxFuture<'static, ()> {
        let (app, text) = (Arc::clone(&waiting), seen.text());
        Box::pin(async move {
            let code = text.split("the code ").nth(1).unwrap().split(':').next().unwrap().to_owned();
            if app.app.grants.find_device(&code, "test").await.is_ok() {
                decide(&app, &code, meanwhile).await;
            }
            app.advance(time.max(Duration::from_secs(6)));
        })
    };
    let around = Surroundings { folder: Some(folder.to_owned()), clock: app.clock.clone(), wait: Box::new(wait) };
    let mut writer = out.clone();
    match run(command, &around, &mut writer).await {
        Ok(()) => Ok(out.text()),
        Err(error) => Err(format!("{error:#}")),
    }
}

#[tokio::test]
async fn a_shell_signs_in_asks_and_signs_out() {
    let app = Arc::new(TestApp::new().await);
    let ada = app.user("ada").await;
    ada.has(a_task("Write the report").priority(5)).await;
    let (home, me) = (tempfile::tempdir().unwrap(), ada.id());

    let said = shell(&app, home.path(), RemoteCommand::Login(args(&app)), Meanwhile::Allow(me)).await.unwrap();
    assert!(said.contains("/device?user_code=") && said.ends_with("as ada@example.com.\n"), "{said}");

    let file = home.path().join("credentials.json");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let whoami = shell(&app, home.path(), RemoteCommand::Whoami(asking(false)), Meanwhile::Nothing).await.unwrap();
    assert_eq!(whoami, "ada@example.com\n");
    let best = shell(&app, home.path(), RemoteCommand::Next(next(false)), Meanwhile::Nothing).await.unwrap();
    assert!(best.starts_with("Write the report\n  ") && best.lines().last().unwrap().len() > 5, "{best}");
    let json = shell(&app, home.path(), RemoteCommand::Next(next(true)), Meanwhile::Nothing).await.unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["task"]["title"], "Write the report");

    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let token = kept["servers"][app.url()]["access_token"].as_str().unwrap().to_owned();
    shell(&app, home.path(), RemoteCommand::Logout(args(&app)), Meanwhile::Nothing).await.unwrap();
    assert_eq!(app.anonymous().holding(&token).get("/api/auth/me").await.status, 401, "the server knows");
    let gone = shell(&app, home.path(), RemoteCommand::Whoami(asking(false)), Meanwhile::Nothing).await.unwrap_err();
    assert!(gone.contains("mindflow login"), "{gone}");
}

#[tokio::test]
async fn a_shell_asks_for_another_moment_a_span_and_another_policy() {
    let app = Arc::new(TestApp::new().await);
    let ada = app.user("ada").await;
    ada.has(a_task("Write the report").priority(5).minutes(90)).await;
    ada.has(a_task("Call the plumber").priority(1).minutes(10).due("2031-05-06")).await;
    let home = tempfile::tempdir().unwrap();
    shell(&app, home.path(), RemoteCommand::Login(args(&app)), Meanwhile::Allow(ada.id())).await.unwrap();
    let ask = async |args: NextArgs| shell(&app, home.path(), RemoteCommand::Next(args), Meanwhile::Nothing).await;

    let short = ask(NextArgs { minutes: Some(20), ..next(false) }).await.unwrap();
    let later = ask(NextArgs { at: Some("2031-05-06T07:00:00+02:00".to_owned()), ..next(true) }).await.unwrap();
    let wrong = ask(NextArgs { at: Some("soon".to_owned()), policy: Some("a b&c".to_owned()), ..next(false) }).await;

    assert!(short.starts_with("Call the plumber\n"), "{short}");
    let later: serde_json::Value = serde_json::from_str(&later).unwrap();
    assert_eq!(later["task"]["title"], "Call the plumber");
    assert!(ask(next(false)).await.unwrap().starts_with("Write the report\n"));
    let wrong = wrong.unwrap_err();
    assert!(wrong.contains("?at") && wrong.contains("?policy"), "{wrong}");
}

#[tokio::test]
async fn a_token_that_ended_is_refreshed() {
    let app = Arc::new(TestApp::with(|config| config.tokens.access_token_life = Duration::from_hours(1)).await);
    let ada = app.user("ada").await;
    let home = tempfile::tempdir().unwrap();
    shell(&app, home.path(), RemoteCommand::Login(args(&app)), Meanwhile::Allow(ada.id())).await.unwrap();

    for _ in 0..3 {
        app.advance(Duration::from_mins(61));
        let whoami = shell(&app, home.path(), RemoteCommand::Whoami(asking(false)), Meanwhile::Nothing).await;
        assert_eq!(whoami.unwrap(), "ada@example.com\n");
    }
}

#[tokio::test]
async fn who_is_refused_or_names_no_server_is_told() {
    let app = Arc::new(TestApp::new().await);
    let ada = app.user("ada").await;
    let home = tempfile::tempdir().unwrap();

    let denied = shell(&app, home.path(), RemoteCommand::Login(args(&app)), Meanwhile::Deny(ada.id())).await;
    assert_eq!(denied.unwrap_err(), "the request was denied");
    let late = shell(&app, home.path(), RemoteCommand::Login(args(&app)), Meanwhile::Nothing).await;
    assert_eq!(late.unwrap_err(), "nobody allowed it in time; try again");
    for (url, told) in
        [("http://mindflow.example", "https://"), ("nonsense", "no URL"), ("http://127.0.0.1:9", "answer")]
    {
        let login = RemoteCommand::Login(ServerArgs { server: Some(url.to_owned()) });
        let error = shell(&app, home.path(), login, Meanwhile::Nothing).await.unwrap_err();
        assert!(error.contains(told), "{error}");
    }
    assert!(!home.path().join("credentials.json").exists());
}
