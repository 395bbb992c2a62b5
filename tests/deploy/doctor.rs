//! `mindflow doctor` over deployments that are in order and over broken ones, on both databases; `mindflow health`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::server::{Deployment, SECRET, free_port};
use crate::support::databases::{Db, TestDatabase, both_databases};
use crate::tools::{outcome, repository};

/// What doctor found: each check with its level and what was said.
struct Report {
    good: bool,
    findings: Vec<(String, String, String)>,
}

impl Report {
    fn of(deployment: &Deployment, arguments: &[&str]) -> Self {
        let output = deployment.mindflow(&[&["doctor", "--json"], arguments].concat()).output().unwrap();
        let (said, log) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned());
        let told: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}\n{log}"));
        let good = output.status.success();
        let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
        let findings = told["findings"].as_array().unwrap().iter();
        let findings =
            findings.map(|found| (text(found, "check"), text(found, "level"), text(found, "message"))).collect();
        Self { good, findings }
    }

    /// The worst of a check.
    #[track_caller]
    fn level(&self, check: &str) -> &str {
        let of = |level: &str| self.findings.iter().any(|(name, found, _)| name == check && found == level);
        ["problem", "warning", "ok"]
            .into_iter()
            .find(|level| of(level))
            .unwrap_or_else(|| panic!("no {check}: {:?}", self.findings))
    }

    fn problems(&self) -> Vec<&str> {
        let problems = self.findings.iter().filter(|(_, level, _)| level == "problem");
        problems.map(|(check, _, _)| check.as_str()).collect()
    }
}

fn on(database: &TestDatabase) -> Deployment {
    let mut deployment = Deployment::new().with("SECRET_KEY", SECRET);
    let url = deployment.url();
    deployment.set("PUBLIC_URL", &url);
    deployment.set("DATABASE_URL", database.url());
    deployment
}

both_databases! {
    async fn a_deployment_that_runs_is_in_order(database: TestDatabase) {
        let deployment = on(&database);
        let _server = deployment.start();

        let report = Report::of(&deployment, &[]);

        // The test run's own PostgreSQL need not survive a power cut, and doctor says so.
        let expected = if database.kind == Db::Postgres { &["database.settings"][..] } else { &[] };
        assert_eq!(report.problems(), expected, "{:?}", report.findings);
        assert_eq!(report.good, expected.is_empty());
        for check in ["secret_key", "keys", "database.reachable", "database.version", "database.schema", "policies",
            "outside.reachable", "outside.discovery", "outside.mcp", "outside.cors", "outside.headers", "clock.server", "disk.data"] {
            assert_eq!(report.level(check), "ok", "{check}: {:?}", report.findings);
        }
    }

    async fn a_schema_that_lacks_migrations_is_a_problem_and_nothing_is_changed(database: TestDatabase) {
        let deployment = on(&database);
        assert!(outcome(&mut deployment.mindflow(&["migrate", "up"])).0);
        assert!(outcome(&mut deployment.mindflow(&["migrate", "down"])).0);
        let before = outcome(&mut deployment.mindflow(&["migrate", "status"]));

        let report = Report::of(&deployment, &[]);

        assert!(!report.good);
        assert_eq!(report.level("database.schema"), "problem");
        assert_eq!(before, outcome(&mut deployment.mindflow(&["migrate", "status"])));
    }

    async fn keys_that_another_secret_sealed_are_a_problem(database: TestDatabase) {
        let mut deployment = on(&database);
        drop(deployment.start());
        deployment.set("SECRET_KEY", &SECRET.chars().rev().collect::<String>());

        let report = Report::of(&deployment, &[]);

        assert_eq!(report.level("keys"), "problem");
        assert!(report.problems().contains(&"outside.reachable"), "nobody serves: {:?}", report.findings);
    }

    async fn a_start_that_may_not_migrate_needs_the_schema_and_bears_a_newer_one(database: TestDatabase) {
        let deployment = on(&database).with("MINDFLOW__STORAGE__MIGRATE_ON_START", "false");

        let (started, said) = outcome(&mut deployment.mindflow(&["serve"]));
        assert!(!started && said.contains("mindflow migrate up"), "{said}");
        assert!(outcome(&mut deployment.mindflow(&["migrate", "up"])).0);
        let ahead = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9001, 'ahead', TRUE, ";
        let ahead = format!("{ahead}{}, 1)", if database.kind == Db::Sqlite { "x'00'" } else { "'\\x00'::bytea" });
        run_sql(database.url(), &ahead).await;
        let server = deployment.start();
        let report = Report::of(&deployment, &[]);
        drop(server);

        assert_eq!(report.level("database.schema"), "warning", "{:?}", report.findings);
        let (started, said) = outcome(&mut on(&database).mindflow(&["serve"]));
        assert!(!started && said.contains("newer than this program"), "{said}");
    }
}

/// Runs statements beside the server.
async fn run_sql(url: &str, text: &str) {
    if url.starts_with("postgres") {
        let mut connection = PgConnection::connect(url).await.unwrap();
        connection.execute(AssertSqlSafe(text.to_owned())).await.unwrap();
    } else {
        let mut connection = sqlx::SqliteConnection::connect(url).await.unwrap();
        connection.execute(AssertSqlSafe(text.to_owned())).await.unwrap();
    }
}

#[tokio::test]
async fn a_role_that_may_only_change_rows_serves_and_the_owner_migrates() {
    let database = TestDatabase::new(Db::Postgres).await;
    let roles = fs::read_to_string(repository().join("deploy/postgres/roles.sql")).unwrap();
    run_sql(database.url(), &roles).await;
    run_sql(database.url(), &roles).await;
    let role = |name: &str| database.url().replacen("://mindflow@", &format!("://{name}@"), 1);
    let owner = on(&database).with("DATABASE_URL", &role("mindflow_owner"));
    let app =
        on(&database).with("DATABASE_URL", &role("mindflow_app")).with("MINDFLOW__STORAGE__MIGRATE_ON_START", "false");

    assert!(outcome(&mut owner.mindflow(&["migrate", "up"])).0);
    let _server = app.start();
    let report = Report::of(&app, &[]);
    let (made, _) = outcome(&mut app.mindflow(&["migrate", "down"]));

    assert_eq!(report.level("database.rights"), "ok", "{:?}", report.findings);
    assert!(!made, "the server's role could take a migration back");
    let eager = Report::of(&on(&database).with("DATABASE_URL", &role("mindflow_app")), &["--url", &app.url()]);
    assert_eq!(eager.level("database.rights"), "problem");
}

#[test]
fn settings_that_are_not_safe_in_production_are_problems() {
    let deployment = Deployment::new()
        .with("ENVIRONMENT", "production")
        .with("PUBLIC_URL", "http://mindflow.example.invalid")
        .with("SECRET_KEY", &"change-me-".repeat(5))
        .with("AUTH_RATE_LIMIT_PER_MINUTE", "0")
        .with("CORS_ORIGINS", "*");

    let report = Report::of(&deployment, &[]);

    assert!(!report.good);
    for check in ["configuration.public_url", "secret_key", "outside.reachable"] {
        assert_eq!(report.level(check), "problem", "{check}: {:?}", report.findings);
    }
    for check in ["configuration.limits", "configuration.cors", "database.reachable"] {
        assert_eq!(report.level(check), "warning", "{check}: {:?}", report.findings);
    }
    assert!(!deployment.data().exists(), "something was made");
}

#[test]
fn files_that_others_may_read_are_told_of() {
    let deployment = Deployment::new();
    drop(deployment.start());
    fs::set_permissions(deployment.data().join("secret.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let toml = deployment.folder.path().join("mindflow.toml");
    fs::write(&toml, format!("[server]\nsecret_key = \"{SECRET}\"\n")).unwrap();
    fs::set_permissions(&toml, fs::Permissions::from_mode(0o644)).unwrap();

    let with_file = Report::of(&deployment, &[]);
    fs::remove_file(&toml).unwrap();
    let without = Report::of(&deployment, &[]);

    assert_eq!(with_file.level("files.configuration"), "problem");
    assert_eq!(without.level("files.secret_key"), "problem");
    assert_eq!(without.level("files.data_folder"), "ok");
}

#[test]
fn a_policy_with_a_fault_and_a_configuration_with_one_are_problems() {
    let mut deployment = Deployment::new();
    let policies = deployment.folder.path().join("policies");
    fs::create_dir_all(policies.join("default")).unwrap();
    fs::write(policies.join("default/policy.rhai"), "fn score(task, ctx) { task.prioritty }").unwrap();
    deployment.set("POLICIES_DIR", policies.to_str().unwrap());

    let faulty = Report::of(&deployment, &[]);
    deployment.set("PORT", "99999");
    let unreadable = Report::of(&deployment, &[]);

    assert_eq!(faulty.level("policies"), "problem");
    assert_eq!((unreadable.good, unreadable.level("configuration")), (false, "problem"));
}

#[test]
fn a_server_elsewhere_is_looked_at_without_any_configuration_here() {
    let deployment = Deployment::new();
    let _server = deployment.start();
    let elsewhere = Deployment::new().with("PORT", "nonsense");

    let report = Report::of(&elsewhere, &["--remote", "--url", &deployment.url()]);

    assert!(report.good, "{:?}", report.findings);
    assert_eq!(report.level("outside.discovery"), "ok");
}

#[test]
fn health_says_by_its_exit_code_whether_a_server_is_ready() {
    let deployment = Deployment::new();

    let (before, said) = outcome(&mut deployment.mindflow(&["health"]));
    let server = deployment.start();
    let (ready, _) = outcome(&mut deployment.mindflow(&["health"]));
    let (alive, _) = outcome(&mut deployment.mindflow(&["health", "--live"]));
    let (elsewhere, _) =
        outcome(&mut deployment.mindflow(&["health", "--url", &format!("http://127.0.0.1:{}", free_port())]));
    drop(server);
    let (after, _) = outcome(&mut deployment.mindflow(&["health"]));

    assert!(!before && said.contains("refused"), "{said}");
    assert_eq!((ready, alive, elsewhere, after), (true, true, false, false));
}

/// A server that says the first text to who connects, and each further one to what it is told.
fn speaking(texts: &'static [&'static str]) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for (number, text) in texts.iter().enumerate() {
            if number > 0 && stream.read(&mut [0; 512]).is_err() {
                return;
            }
            // Who asked may have heard enough.
            let _ = stream.write_all(text.as_bytes());
        }
    });
    port
}

#[test]
fn servers_that_a_deployment_leans_on_are_greeted() {
    let with = |smtp: u16, redis: u16| {
        let mut deployment = Deployment::new().with("SMTP_HOST", "127.0.0.1").with("MINDFLOW__SMTP__TLS", "starttls");
        deployment.set("SMTP_PORT", &smtp.to_string());
        deployment.set("REDIS_URL", &format!("redis://127.0.0.1:{redis}"));
        Report::of(&deployment, &[])
    };

    let good = with(speaking(&["220 mail\r\n", "250-mail\r\n250 STARTTLS\r\n"]), speaking(&["", "+PONG\r\n"]));
    let bare =
        with(speaking(&["220 mail\r\n", "250 mail\r\n"]), speaking(&["", "-NOAUTH Authentication required.\r\n"]));
    let away = with(free_port(), free_port());

    assert_eq!((good.level("mail"), good.level("redis")), ("ok", "ok"), "{:?}", good.findings);
    assert_eq!((bare.level("mail"), bare.level("redis")), ("problem", "warning"), "{:?}", bare.findings);
    assert_eq!((away.level("mail"), away.level("redis")), ("problem", "warning"), "{:?}", away.findings);
}

#[test]
fn a_deployment_without_a_backup_is_told_of() {
    let deployment = Deployment::new();
    assert!(outcome(&mut deployment.mindflow(&["migrate", "up"])).0);

    let before = Report::of(&deployment, &[]);
    let (made, said) = outcome(&mut deployment.mindflow(&["backup"]));
    let after = Report::of(&deployment, &[]);

    assert!(made, "{said}");
    assert_eq!((before.level("backups"), after.level("backups")), ("warning", "ok"), "{:?}", after.findings);
}
