//! The whole server in this process, on a socket of its own, with a clock that tests move.

use std::sync::Arc;
use std::time::Duration;

use mindflow::accounts::registration::NewAccount;
use mindflow::accounts::{Caller, Credential, Role, Scope, Scopes};
use mindflow::app::{App, Outside};
use mindflow::calendar::{Due, parse_due, parse_moment};
use mindflow::clock::{Clock, Timestamp};
use mindflow::config::{Config, Secret};
use mindflow::http::serve::bind;
use mindflow::ids::{TaskId, UserId};
use mindflow::policies::shipped::SHELF;
use mindflow::tasks::edit::{Patch, TaskPatch};
use mindflow::tasks::{Ask, Task};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::answer::Answer;
use super::databases::{Db, TestDatabase};
use super::letterbox::Letterbox;
use super::stream::Stream;

/// Long enough to be taken, and the same for everybody.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// When the clock of every test stands at first: a Monday.
pub(crate) const MONDAY_NOON: &str = "2026-03-23T12:00:00Z";

/// The server under test.
pub(crate) struct TestApp {
    /// The time, as the server sees it.
    pub(crate) clock: Clock,
    /// The components behind the socket.
    pub(crate) app: Arc<App>,
    /// The mail that it sent.
    pub(crate) letterbox: Arc<Letterbox>,
    base: String,
    http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    database: Arc<TestDatabase>,
    folder: tempfile::TempDir,
}

impl TestApp {
    /// A server on SQLite without limits.
    pub(crate) async fn new() -> Self {
        Self::start(Db::Sqlite, |_| {}).await
    }

    /// The same on either database.
    pub(crate) async fn on(db: Db) -> Self {
        Self::start(db, |_| {}).await
    }

    /// A server on SQLite with other settings.
    pub(crate) async fn with(choose: impl FnOnce(&mut Config)) -> Self {
        Self::start(Db::Sqlite, choose).await
    }

    /// The same on either database, with other settings.
    pub(crate) async fn start(db: Db, choose: impl FnOnce(&mut Config)) -> Self {
        let database = Arc::new(TestDatabase::new(db).await);
        Self::over(database, Clock::fixed(moment(MONDAY_NOON)), choose).await
    }

    /// Two instances of one server: over one database, with one secret, one public URL and one folder of policies.
    pub(crate) async fn pair(db: Db, choose: impl Fn(&mut Config)) -> [Self; 2] {
        let one = Self::start(db, |config| {
            config.server.public_url = Some("http://mindflow.test".to_owned());
            config.server.secret_key = Some(Secret::new("the one secret of all instances of this server"));
            choose(config);
        });
        let one = one.await;
        let other = one.beside(choose).await;
        [one, other]
    }

    /// Another instance of the same server.
    pub(crate) async fn beside(&self, choose: impl FnOnce(&mut Config)) -> Self {
        let shared = self.app.config.clone();
        let other = Self::over(Arc::clone(&self.database), self.clock.clone(), |config| {
            config.server.public_url = shared.server.public_url;
            config.server.secret_key = shared.server.secret_key;
            config.policies.dir = shared.policies.dir;
            choose(config);
        });
        other.await
    }

    async fn over(database: Arc<TestDatabase>, clock: Clock, choose: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        "127.0.0.1".clone_into(&mut config.server.host);
        config.server.port = 0;
        config.storage.data_dir = folder.path().join("data");
        config.storage.database_url = Secret::new(database.url());
        config.policies.dir = folder.path().join("policies");
        config.limits.rate_per_minute = 0;
        config.limits.auth_rate_per_minute = 0;
        config.limits.failed_sign_ins = 0;
        // Which recommendations are kept follows from ids, which differ from run to run.
        config.policies.decisions_sample = 0.0;
        // Tests move the clock by years; who is signed in stays so.
        config.tokens.access_token_life = Duration::from_hours(20 * 365 * 24);
        config.tokens.refresh_token_life = config.tokens.access_token_life;
        choose(&mut config);
        // A new folder gets all that are shipped, which take their time to be compiled; hardly a test needs them.
        if !config.policies.dir.exists() {
            SHELF[0].write_to(&config.policies.dir).unwrap();
        }
        let bound = bind(&config.server).await.unwrap();
        let base = format!("http://{}", bound.address());
        let letterbox = Arc::new(Letterbox::default());
        let outside = Outside { clock: clock.clone(), mailer: letterbox.clone() };
        let app = Arc::new(App::start(config, outside, bound.address().port()).await.unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let (endpoint, served) = (app.endpoint().unwrap(), Arc::clone(&app));
        tokio::spawn(async move {
            let stop = async {
                let _ = stopped.await;
            };
            bound.serve(endpoint, &served.config, Arc::clone(&served.health), stop).await;
        });
        Self { clock, app, letterbox, base, http: reqwest::Client::new(), stop: Some(stop), database, folder }
    }

    /// The folder of the policies.
    pub(crate) fn policies_dir(&self) -> std::path::PathBuf {
        self.folder.path().join("policies")
    }

    /// Takes the database away from the running server, for good.
    pub(crate) async fn break_database(&self) {
        self.app.store.close().await;
        let _ = &self.database;
    }

    /// Moves the database's file to another name, while the server has it open.
    pub(crate) fn move_database(&self) {
        let file = self.database.file();
        std::fs::rename(&file, file.with_extension("moved")).unwrap();
    }

    /// Moves the clock.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Sets the clock to a moment in UTC.
    pub(crate) fn set_clock(&self, text: &str) {
        self.clock.set(moment(text));
    }

    /// The same server, reached at another address.
    pub(crate) fn behind(mut self, base: &str) -> Self {
        base.clone_into(&mut self.base);
        self
    }

    /// Its database.
    pub(crate) fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// The address of the server, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.base
    }

    /// Somebody without an account.
    pub(crate) fn anonymous(&self) -> Actor<'_> {
        Actor { app: self, token: None, caller: None }
    }

    /// Somebody with an account, signed in.
    pub(crate) async fn user(&self, name: &str) -> Actor<'_> {
        self.user_in(name, "UTC").await
    }

    /// The same, living in a zone.
    pub(crate) async fn user_in(&self, name: &str, zone: &str) -> Actor<'_> {
        self.actor(name, zone, Role::User).await
    }

    /// An operator, signed in.
    pub(crate) async fn admin(&self, name: &str) -> Actor<'_> {
        self.actor(name, "UTC", Role::Admin).await
    }

    async fn actor(&self, name: &str, zone: &str, role: Role) -> Actor<'_> {
        let email = format!("{name}@example.com");
        let account = NewAccount {
            email: email.clone(),
            password: PASSWORD.to_owned(),
            full_name: Some(name.to_owned()),
            time_zone: Some(zone.to_owned()),
        };
        let user = self.app.accounts.create_user(account, role).await.unwrap();
        let login = json!({ "email": email, "password": PASSWORD });
        let signed_in = self.anonymous().post("/api/auth/login", &login).await.good();
        let caller = Caller {
            role,
            user_id: user.id,
            scopes: Scopes::from_iter([Scope::Read, Scope::Write]),
            credential: Credential::Shell,
            client: None,
            zone: user.zone,
            windows: None,
            policy: None,
            policy_params: std::sync::Arc::default(),
            data_version: 0,
            request_id: Arc::from("test"),
        };
        Actor { app: self, token: signed_in["access_token"].as_str().map(str::to_owned), caller: Some(caller) }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

/// Who asks.
#[derive(Clone)]
pub(crate) struct Actor<'a> {
    app: &'a TestApp,
    /// What they show; `None` for who has nothing to show.
    pub(crate) token: Option<String>,
    caller: Option<Caller>,
}

impl Actor<'_> {
    /// The same person, at another instance.
    pub(crate) fn at<'b>(&self, app: &'b TestApp) -> Actor<'b> {
        Actor { app, token: self.token.clone(), caller: self.caller.clone() }
    }

    /// The same person with another token.
    pub(crate) fn holding(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// Their id.
    pub(crate) fn id(&self) -> UserId {
        self.caller.as_ref().unwrap().user_id
    }

    /// Gives them a task without asking the server over HTTP.
    pub(crate) async fn has(&self, task: ATask) -> TaskId {
        self.has_task(task).await.id
    }

    /// The same, and shows it.
    pub(crate) async fn has_task(&self, task: ATask) -> Task {
        let caller = self.caller.clone().unwrap();
        let patch = task.patch(&caller);
        self.app.app.tasks.create(Ask::new(caller), patch).await.unwrap().value
    }

    /// Sends a request with a JSON body and headers.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request).await
    }

    /// A request that a test completes itself.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.app.http.request(method, format!("{}{path}", self.app.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Listens to what happens to them; `last` is the last event that they had.
    pub(crate) async fn listen(&self, last: Option<&str>) -> Stream {
        let request = self.request(Method::GET, "/api/events");
        let request = match last {
            Some(last) => request.header("last-event-id", last),
            None => request,
        };
        let mut stream = Stream::open(request).await;
        let ready = stream.hears("ready").await;
        assert!(last.is_none_or(|last| last == ready.id), "{ready:?}");
        stream
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body), &[]).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body), &[]).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, Some(body), &[]).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, &[]).await
    }

    // One method for each operation that tests use often; named by its operation id.

    pub(crate) async fn create_task(&self, body: Value) -> Answer {
        self.post("/api/tasks", &body).await
    }

    pub(crate) async fn get_task(&self, id: TaskId) -> Answer {
        self.get(&format!("/api/tasks/{id}")).await
    }

    pub(crate) async fn update_task(&self, id: TaskId, body: Value) -> Answer {
        self.patch(&format!("/api/tasks/{id}"), &body).await
    }

    pub(crate) async fn complete_task(&self, id: TaskId) -> Answer {
        self.send(Method::POST, &format!("/api/tasks/{id}/complete"), None, &[]).await
    }

    pub(crate) async fn snooze_task(&self, id: TaskId, body: Value) -> Answer {
        self.post(&format!("/api/tasks/{id}/snooze"), &body).await
    }

    pub(crate) async fn list_tasks(&self, query: &str) -> Answer {
        self.get(&format!("/api/tasks?{query}")).await
    }

    pub(crate) async fn get_best_task(&self, query: &str) -> Answer {
        self.get(&format!("/api/tasks/best?{query}")).await
    }

    pub(crate) async fn list_ranked_tasks(&self, query: &str) -> Answer {
        self.get(&format!("/api/tasks/ranked?{query}")).await
    }

    pub(crate) async fn explain_task(&self, id: TaskId, query: &str) -> Answer {
        self.get(&format!("/api/tasks/{id}/explain?{query}")).await
    }

    pub(crate) async fn undo_change(&self, token: &str) -> Answer {
        self.post("/api/undo", &json!({ "token": token })).await
    }
}

/// A task that somebody has.
#[derive(Clone, Debug, Default)]
pub(crate) struct ATask {
    title: String,
    description: Option<String>,
    priority: Option<u8>,
    due: Option<String>,
    minutes: Option<u32>,
    prefers: Option<mindflow::calendar::TimeOfDay>,
    labels: Vec<String>,
    parent: Option<TaskId>,
}

/// A pending task of priority 3.
pub(crate) fn a_task(title: &str) -> ATask {
    ATask { title: title.to_owned(), ..ATask::default() }
}

impl ATask {
    pub(crate) fn description(mut self, text: &str) -> Self {
        self.description = Some(text.to_owned());
        self
    }

    pub(crate) fn priority(mut self, priority: u8) -> Self {
        self.priority = Some(priority);
        self
    }

    /// A date alone, or a date-time.
    pub(crate) fn due(mut self, due: &str) -> Self {
        self.due = Some(due.to_owned());
        self
    }

    pub(crate) fn minutes(mut self, minutes: u32) -> Self {
        self.minutes = Some(minutes);
        self
    }

    pub(crate) fn prefers(mut self, time: &str) -> Self {
        self.prefers = mindflow::calendar::TimeOfDay::parse(time);
        self
    }

    pub(crate) fn label(mut self, label: &str) -> Self {
        self.labels.push(label.to_owned());
        self
    }

    pub(crate) fn part_of(mut self, parent: TaskId) -> Self {
        self.parent = Some(parent);
        self
    }

    fn patch(self, caller: &Caller) -> TaskPatch {
        let due = |text: String| -> Due { parse_due(&text, caller.zone).unwrap() };
        TaskPatch {
            title: Some(self.title),
            description: Patch::replace(self.description),
            priority: self.priority,
            due: Patch::replace(self.due.map(due)),
            effort_minutes: Patch::replace(self.minutes),
            preferred_time: Patch::replace(self.prefers),
            labels: Some(self.labels),
            parent_id: Patch::replace(self.parent),
            ..TaskPatch::default()
        }
    }
}

/// A moment in UTC.
pub(crate) fn moment(text: &str) -> Timestamp {
    parse_moment(text, chrono_tz::UTC).unwrap()
}

pub(crate) const fn minutes(count: u64) -> Duration {
    Duration::from_mins(count)
}

pub(crate) const fn hours(count: u64) -> Duration {
    minutes(count * 60)
}
