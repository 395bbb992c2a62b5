//! The signing keys, from the first start on, over several instances and by hand.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use mindflow::app::{App, Outside};
use mindflow::cli::keys::{self, KeysArgs};
use mindflow::clock::Clock;
use mindflow::config::{Config, Secret};
use mindflow::oauth::key_ring::{PUBLISHED_FOR, Rotate};
use mindflow::oauth::keys::SigningKey;
use serde_json::Value;

use crate::support::app::{MONDAY_NOON, TestApp, moment};
use crate::support::databases::{TestDatabase, both_databases};

const ISSUER: &str = "https://mindflow.example";

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    keys: KeysArgs,
}

/// An installation that may be started several times.
struct Installation {
    database: TestDatabase,
    folder: tempfile::TempDir,
    clock: Clock,
}

impl Installation {
    fn new(database: TestDatabase) -> Self {
        let clock = Clock::fixed(moment(MONDAY_NOON));
        Self { database, folder: tempfile::tempdir().unwrap(), clock }
    }

    fn config(&self) -> Config {
        let mut config = Config::default();
        config.server.public_url = Some(ISSUER.to_owned());
        config.storage.data_dir = self.folder.path().join("data");
        config.storage.database_url = Secret::new(self.database.url());
        config.policies.dir = self.folder.path().join("policies");
        config
    }

    fn outside(&self) -> Outside {
        Outside { clock: self.clock.clone(), ..Outside::of(&self.config()).unwrap() }
    }

    async fn start(&self) -> App {
        App::start(self.config(), self.outside(), 8000).await.unwrap()
    }

    async fn refusal(&self, config: Config) -> String {
        App::start(config, self.outside(), 8000).await.err().unwrap().to_string()
    }

    async fn cli(&self, config: &Config, args: &str) -> anyhow::Result<Value> {
        let program = Program::try_parse_from(["keys"].into_iter().chain(args.split_whitespace()))?;
        let mut out = Vec::new();
        keys::run(program.keys, config, self.clock.clone(), &mut out).await?;
        Ok(serde_json::from_slice(&out).unwrap_or_else(|_| String::from_utf8(out).unwrap().into()))
    }

    fn key_file(&self) -> (PathBuf, String) {
        let keys = self.folder.path().join("data/keys");
        fs::create_dir_all(&keys).unwrap();
        let (key, pem) = SigningKey::generate().unwrap();
        let path = keys.join(format!("{}.pem", key.kid()));
        fs::write(&path, &*pem).unwrap();
        (path, key.kid().to_owned())
    }
}

fn signs(app: &App) -> String {
    app.tokens.ring().keys().active().kid().to_owned()
}

fn token(app: &App) -> String {
    app.tokens.sign("at+jwt", &serde_json::json!({})).unwrap()
}

fn is_known(verified: &Result<mindflow::oauth::Verified, mindflow::oauth::TokenError>) -> bool {
    // The claims are none; the signature is looked at first.
    *verified == Err(mindflow::oauth::TokenError::Malformed)
}

both_databases! {
    async fn a_key_of_the_data_folder_signs_on(db: TestDatabase) {
        let place = Installation::new(db);
        let (path, kid) = place.key_file();

        let app = place.start().await;

        assert_eq!(signs(&app), kid);
        assert!(!path.exists(), "the private key is nowhere unsealed");
        app.stop().await;
        assert_eq!(signs(&place.start().await), kid, "from the database");
    }

    async fn instances_agree_on_the_key_and_look_for_one_that_they_do_not_know(db: TestDatabase) {
        let place = Installation::new(db);
        let (one, two) = tokio::join!(place.start(), place.start());
        assert_eq!(signs(&one), signs(&two));
        assert!(is_known(&two.tokens.check(&token(&one)).await));

        one.tokens.ring().rotate(Rotate::AtOnce).await.unwrap();
        assert_ne!(signs(&one), signs(&two));

        assert!(is_known(&two.tokens.check(&token(&one)).await));
        assert_eq!(signs(&one), signs(&two), "it looked, and found all that is new");
        assert!(is_known(&one.tokens.check(&token(&two)).await));
    }

    async fn another_secret_does_not_open_the_keys_and_says_what_to_do(db: TestDatabase) {
        let place = Installation::new(db);
        let kid = signs(&place.start().await);
        let mut config = place.config();
        config.server.secret_key = Some(Secret::new("another secret of 32 characters or more"));

        let refusal = place.refusal(config.clone()).await;
        assert!(refusal.contains("SECRET_KEY") && refusal.contains("mindflow keys rotate --leaked"), "{refusal}");
        assert!(place.cli(&config, "list").await.is_err());
        assert!(place.cli(&config, "rotate").await.is_err());

        let rotated = place.cli(&config, "rotate --leaked --json").await.unwrap();
        let app = App::start(config, place.outside(), 8000).await.unwrap();
        assert_eq!(rotated["kid"], signs(&app));
        assert_ne!(signs(&app), kid);
    }

    async fn the_shell_announces_a_key_and_the_server_lets_it_sign(db: TestDatabase) {
        let place = Installation::new(db);
        let app = place.start().await;
        let first = signs(&app);
        place.clock.advance(Duration::from_mins(1));

        let rotated = place.cli(&place.config(), "rotate --json").await.unwrap();
        let listed = place.cli(&place.config(), "list --json").await.unwrap();

        let states: Vec<_> = listed.as_array().unwrap().iter().map(|key| (&key["kid"], &key["state"])).collect();
        assert_eq!(states, [(&Value::from(first.as_str()), &"active".into()), (&rotated["kid"], &"next".into())]);
        assert_eq!(rotated["signs_from"], place.clock.now().plus(PUBLISHED_FOR).to_string());
        assert!(!listed.to_string().contains("sealed") && !listed.to_string().contains("PRIVATE"));

        app.tokens.ring().maintain().await.unwrap();
        assert_eq!(signs(&app), first);
        assert_eq!(app.tokens.ring().keys().jwks().keys.len(), 2, "published before it signs");
        place.clock.advance(PUBLISHED_FOR);
        app.tokens.ring().maintain().await.unwrap();
        assert_eq!(signs(&app), rotated["kid"]);

        let text = place.cli(&place.config(), "rotate --now").await.unwrap();
        assert!(text.as_str().unwrap().ends_with("signs now.\n"), "{text}");
        let text = place.cli(&place.config(), "list").await.unwrap();
        assert_eq!(text.as_str().unwrap().lines().count(), 3, "{text}");
        assert!(place.cli(&place.config(), "rotate --now --leaked").await.is_err());
    }
}

#[tokio::test]
async fn a_configured_key_signs_and_the_ring_is_left_alone() {
    let place = Installation::new(TestDatabase::new(crate::support::databases::Db::Sqlite).await);
    let (key, pem) = SigningKey::generate().unwrap();
    let mut config = place.config();
    config.tokens.private_key = Some(Secret::new(&*pem));

    let app = App::start(config.clone(), place.outside(), 8000).await.unwrap();

    assert_eq!((signs(&app).as_str(), app.tokens.ring().keys().jwks().keys.len()), (key.kid(), 1));
    assert!(app.store.list_keys().await.unwrap().is_empty());
    let listed = place.cli(&config, "list --json").await.unwrap();
    assert_eq!((&listed[0]["kid"], &listed[0]["source"]), (&key.kid().into(), &"OAUTH_PRIVATE_KEY".into()));
    for args in ["rotate", "rotate --now", "rotate --leaked"] {
        let refusal = place.cli(&config, args).await.unwrap_err();
        assert!(format!("{refusal:#}").contains("OAUTH_PRIVATE_KEY is set"), "{refusal:#}");
    }
}

#[tokio::test]
async fn a_key_that_was_given_up_verifies_nothing_not_even_what_is_remembered() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.list_tasks("").await.is(200);

    app.app.tokens.ring().rotate(Rotate::AtOnce).await.unwrap();
    ada.list_tasks("").await.is(200);
    let config = app.app.config.clone();
    let program = Program::try_parse_from(["keys", "rotate", "--leaked"]).unwrap();
    keys::run(program.keys, &config, app.clock.clone(), &mut Vec::new()).await.unwrap();
    app.app.tokens.ring().maintain().await.unwrap();

    ada.list_tasks("").await.is(401);
    let keys = app.anonymous().get("/oauth/jwks").await.good();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
}

#[test]
fn one_library_signs_and_verifies_and_none_of_the_known_bad_ones_is_there() {
    let lock = include_str!("../../Cargo.lock");
    let package = |name: &str| lock.split("[[package]]").find(|text| text.contains(&format!("name = \"{name}\"\n")));

    let jwt = package("jsonwebtoken").unwrap();
    assert!(jwt.contains("\"aws-lc-rs\""));
    for other in ["rsa", "p256", "p384", "ed25519-dalek", "hmac"] {
        assert!(!jwt.contains(&format!("\"{other}\"")) && !jwt.contains(&format!("\"{other} ")), "{other}");
    }
    // What proves passkeys of security keys with RSA checks signatures alone; nothing signs or decrypts with it.
    let named = lock.split("[[package]]").filter(|text| text.contains("\n \"rsa\",\n"));
    assert!(named.clone().all(|text| text.contains("name = \"crypto-glue\"\n")), "{:?}", named.collect::<Vec<_>>());
    for bad in ["openssl-sys", "openssl", "native-tls", "josekit"] {
        assert!(package(bad).is_none(), "{bad}");
    }
}
