use std::collections::HashSet;

use super::*;

fn from_environment(pairs: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    Config::load(None, pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))))
}

fn from_file(text: &str, pairs: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mindflow.toml");
    std::fs::write(&path, text).unwrap();
    Config::load(Some(&path), pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)))).map_err(
        |error| ConfigError {
            faults: error.faults.iter().map(|fault| fault.replace(&path.display().to_string(), "FILE")).collect(),
        },
    )
}

#[test]
fn without_a_choice_the_defaults_hold() {
    let config = from_environment(&[]).unwrap().config;

    assert_eq!(config.server.public_url(config.server.port), "http://127.0.0.1:8000");
    assert_eq!(config.storage.database_url.expose(), "sqlite://./data/mindflow.db");
    assert_eq!(config.server.max_body_bytes, 5 * 1024 * 1024);
    assert_eq!(config.limits.rate_per_minute, 100);
    assert_eq!(config.limits.auth_rate_per_minute, 10);
    assert_eq!(config.tokens.access_token_life, Duration::from_hours(1));
    assert_eq!(config.tokens.refresh_token_life, Duration::from_hours(30 * 24));
    assert!(config.server.enable_swagger && config.tokens.refresh_token_rotation);
    assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
}

#[test]
fn the_environment_wins_over_the_file_and_the_long_name_over_the_short_one() {
    let file = "[server]\nport = 1\nhost = \"a.example\"\nenvironment = \"test\"\n";

    let config =
        from_file(file, &[("PORT", "2"), ("HOST", "b.example"), ("MINDFLOW__SERVER__PORT", "3")]).unwrap().config;

    assert_eq!((config.server.port, config.server.host.as_str()), (3, "b.example"));
    assert_eq!(config.server.environment, Environment::Test);
}

#[test]
fn every_fault_is_told_with_its_source_and_what_is_allowed() {
    let file = "[server]\nport = \"x\"\nprot = 1\n[polices]\ndir = \"a\"\n[limits]\nrate_limit_per_minute = -1\n";

    let error = from_file(file, &[("LOG_LEVEL", "chatty"), ("MINDFLOW__NO__SUCH", "1"), ("REGISTRATION", "maybe")]);

    insta::assert_snapshot!(error.unwrap_err(), @"
    the environment variable `MINDFLOW__NO__SUCH` names no key of the configuration
    `polices` in the file `FILE` is not known; the sections are server, connections, storage, objects, attachments, backup, policies, background, smtp, accounts, tokens, oauth, upstream, mcp, events, limits, log, health, metrics, sentry, telemetry
    `server.prot` in the file `FILE` is not known; [server] has host, port, public_url, environment, secret_key, cors_origins, trusted_proxies, proxy_header, widget_frame_ancestors, enable_swagger, max_content_size_mb, body_timeout_seconds, drain_seconds, idle_timeout_seconds
    `server.port`: the value `x` from the file `FILE` is wrong; allowed: 0 to 65535
    `accounts.registration`: the value `maybe` from the environment variable `REGISTRATION` is wrong; allowed: open, invite or closed
    `limits.rate_limit_per_minute`: the value `-1` from the file `FILE` is wrong; allowed: 0 to 1000000
    `log.level`: the value `chatty` from the environment variable `LOG_LEVEL` is wrong; allowed: error, warn, info, debug, trace or off; or a list such as info,mindflow::policies=debug
    ");
}

#[test]
fn a_fault_that_several_settings_see_is_told_once() {
    let error = from_environment(&[("ENVIRONMENT", "prod")]).unwrap_err();

    assert_eq!(error.faults.len(), 1, "{error}");
}

#[test]
fn secrets_are_never_shown() {
    let faults = from_environment(&[("DATABASE_URL", "mysql://u:hunter2@h/d"), ("OAUTH_PRIVATE_KEY", "hunter2")]);
    let config = from_environment(&[("DATABASE_URL", "postgres://u:hunter2@h/d")]).unwrap().config;
    let broken = from_file("[storage]\ndatabase_url = \"hunter2\n", &[]);

    let told = [faults.unwrap_err().to_string(), format!("{config:?}"), broken.unwrap_err().to_string()];

    assert!(told.iter().all(|text| !text.contains("hunter2")), "{told:?}");
    assert_eq!(told[0].lines().count(), 2);
    insta::assert_snapshot!(told[2], @r#"`FILE`: TOML parse error at line 2, column 24: invalid basic string, expected `"`"#);
}

#[test]
fn keys_may_have_their_line_breaks_escaped() {
    let pem = "-----BEGIN PRIVATE KEY-----\\nabc\\n-----END PRIVATE KEY-----";

    let config = from_environment(&[("OAUTH_PRIVATE_KEY", pem)]).unwrap().config;

    let expected = "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----";
    assert_eq!(config.tokens.private_key.unwrap().expose(), expected);
}

#[test]
fn what_is_for_tests_does_not_start_in_production() {
    for (name, value) in
        [("MINDFLOW__OAUTH__ALLOW_PRIVATE_ADDRESSES", "true"), ("MINDFLOW__OAUTH__EXTRA_ROOT_CERTIFICATE", "ca.pem")]
    {
        assert!(from_environment(&[(name, value), ("ENVIRONMENT", "test")]).is_ok());
        let refused = from_environment(&[(name, value), ("ENVIRONMENT", "production")]).unwrap_err().to_string();
        assert!(refused.contains("is for tests"), "{refused}");
    }
}

#[test]
fn registration_may_be_limited_to_hosts_and_schemes() {
    let hosts = |text: &str| {
        from_environment(&[("MINDFLOW__OAUTH__REGISTRATION_HOSTS", text)])
            .map(|loaded| loaded.config.oauth.registration_hosts)
    };

    assert_eq!(hosts("Claude.ai, localhost,cursor:,[::1]").unwrap(), ["claude.ai", "localhost", "cursor:", "[::1]"]);
    assert!(hosts("https://claude.ai").is_err() && hosts("claude.ai/x").is_err() && hosts(":").is_err());
}

#[test]
fn a_public_key_alone_is_refused() {
    let pem = "-----BEGIN PUBLIC KEY-----\\nabc\\n-----END PUBLIC KEY-----";

    assert!(from_environment(&[("OAUTH_PUBLIC_KEY", pem)]).unwrap_err().to_string().contains("OAUTH_PRIVATE_KEY"));
}

#[test]
fn origins_come_as_a_list_or_as_json() {
    for text in ["https://a.example, http://localhost:3000/", r#"["https://a.example", "http://localhost:3000"]"#] {
        let config = from_environment(&[("CORS_ORIGINS", text)]).unwrap().config;
        assert_eq!(config.server.cors_origins, ["https://a.example", "http://localhost:3000"]);
    }
    assert!(from_environment(&[("CORS_ORIGINS", "https://a.example/path")]).is_err());
    assert!(from_environment(&[("CORS_ORIGINS", "a.example")]).is_err());
}

#[test]
fn the_public_url_loses_its_last_slash_and_follows_the_host() {
    let given = from_environment(&[("PUBLIC_URL", "https://m.example/base/")]).unwrap().config.server;
    let everywhere = from_environment(&[("HOST", "0.0.0.0")]).unwrap().config.server;
    let six = from_environment(&[("HOST", "[::1]")]).unwrap().config.server;

    assert_eq!(given.public_url(1), "https://m.example/base");
    assert_eq!(everywhere.public_url(80), "http://localhost:80");
    assert_eq!(six.public_url(80), "http://[::1]:80");
    assert!(from_environment(&[("PUBLIC_URL", "ftp://m.example")]).is_err());
    assert!(from_environment(&[("PUBLIC_URL", "https://m.example/?a=1")]).is_err());
}

#[test]
fn variables_of_later_features_are_named_and_ignored_and_empty_ones_are_unset() {
    let loaded = from_environment(&[("PLUGINS_DIR", "x"), ("SENTRY_DSN", ""), ("PORT", "")]);

    assert_eq!(loaded.unwrap().ignored, ["PLUGINS_DIR"]);
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let error = from_environment(&[("MINDFLOW_CONFIG", "no/such.toml")]).unwrap_err();

    assert!(error.to_string().starts_with("the configuration file `no/such.toml` cannot be read: "), "{error}");
}

#[test]
fn log_levels_may_be_written_as_elsewhere() {
    let filter =
        |text| from_environment(&[("LOG_LEVEL", text)]).map(|loaded| loaded.config.log.filter.as_str().to_owned());

    assert_eq!(filter("WARNING").unwrap(), "warn");
    assert_eq!(filter("info, mindflow::http=DEBUG").unwrap(), "info,mindflow::http=debug");
    assert!(filter("info,=debug").is_err());
}

/// `BLESS=1 cargo test` writes the file anew.
#[test]
fn the_example_file_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/mindflow.example.toml");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, example::example()).unwrap();
    }

    assert_eq!(std::fs::read_to_string(path).unwrap(), example::example());
}

#[test]
fn the_example_file_holds_exactly_the_keys_and_each_value_in_it_works() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/mindflow.example.toml")).unwrap();
    let is_setting = |line: &str| line.starts_with("# ") && line[2..].split(" = ").next().is_some_and(is_name);
    let active = text.lines().map(|line| if is_setting(line) { &line[2..] } else { line });
    // Either this or keys, not both.
    let active: Vec<_> = active.filter(|line| !line.starts_with("passphrase_file")).collect();

    let loaded = from_file(&active.join("\n"), &[]);

    assert!(loaded.is_ok(), "{}", loaded.unwrap_err());
    let settings = text.lines().filter(|line| is_setting(line)).count();
    let paths: HashSet<_> = keys::KEYS.iter().map(|key| key.path).collect();
    assert_eq!((settings, paths.len()), (keys::KEYS.len(), keys::KEYS.len()));
}

fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

#[test]
fn secrets_may_stand_in_files_that_the_environment_names() {
    let folder = tempfile::tempdir().unwrap();
    let (key, url) = (folder.path().join("key"), folder.path().join("url"));
    std::fs::write(&key, format!("{}\n", "k".repeat(40))).unwrap();
    std::fs::write(&url, "postgres://u:hunter2@h/d").unwrap();
    let (key, url) = (key.to_str().unwrap(), url.to_str().unwrap());

    let names = [("SECRET_KEY_FILE", key), ("MINDFLOW__STORAGE__DATABASE_URL_FILE", url)];
    let config = from_environment(&names).unwrap().config;

    assert_eq!(config.server.secret_key.unwrap().expose(), "k".repeat(40));
    assert_eq!(config.storage.database_url.expose(), "postgres://u:hunter2@h/d");
}

#[test]
fn a_secret_file_that_cannot_be_read_or_is_named_beside_its_value_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "\n").unwrap();
    let empty = empty.to_str().unwrap();

    let gone = from_environment(&[("SECRET_KEY_FILE", "/no/such/file")]).unwrap_err();
    let both = from_environment(&[("SECRET_KEY", &"hunter2".repeat(9)), ("SECRET_KEY_FILE", empty)]).unwrap_err();
    let empty = from_environment(&[("DATABASE_URL_FILE", empty)]).unwrap_err();
    let no_secret = from_environment(&[("MINDFLOW__SERVER__PORT_FILE", "/etc/hostname")]).unwrap_err();

    assert!(gone.faults[0].contains("`/no/such/file`") && gone.faults[0].contains("`SECRET_KEY_FILE`"), "{gone}");
    assert!(both.faults[0].contains("both set") && !both.to_string().contains("hunter2"), "{both}");
    assert!(empty.faults[0].contains("it is empty"), "{empty}");
    assert!(no_secret.faults[0].contains("names no key"), "{no_secret}");
}

#[test]
fn a_mail_server_is_reached_as_its_port_and_place_ask_for() {
    use crate::config::SmtpTls::{None, Opportunistic, StartTls, Tls};
    let cases = [
        (vec![("SMTP_HOST", "smtp.example.org")], (587, StartTls)),
        (vec![("SMTP_HOST", "smtp.example.org"), ("SMTP_PORT", "465")], (465, Tls)),
        (vec![("SMTP_HOST", "localhost"), ("SMTP_PORT", "1025")], (1025, Opportunistic)),
        (vec![("SMTP_HOST", "::1"), ("MINDFLOW__SMTP__TLS", "starttls")], (587, StartTls)),
        (vec![("SMTP_HOST", "mailpit"), ("MINDFLOW__SMTP__TLS", "NONE")], (25, None)),
    ];

    for (environment, expected) in cases {
        let smtp = from_environment(&environment).unwrap().config.smtp.unwrap();
        assert_eq!((smtp.port, smtp.tls), expected, "{environment:?}");
    }
    assert!(from_environment(&[]).unwrap().config.smtp.is_none());
}

#[test]
fn a_password_is_not_sent_unprotected_and_not_without_a_user() {
    let secret = ("SMTP_PASSWORD", "hush-hush");
    let user = ("SMTP_USER", "mindflow");
    let none = ("MINDFLOW__SMTP__TLS", "none");
    let fault = |environment: &[(&str, &str)]| from_environment(environment).unwrap_err().faults.join("\n");

    let open = fault(&[("SMTP_HOST", "smtp.example.org"), user, secret, none]);
    assert!(open.contains("`smtp.tls`") && open.contains("unprotected") && !open.contains("hush-hush"), "{open}");
    assert!(from_environment(&[("SMTP_HOST", "127.0.0.1"), user, secret, none]).is_ok());
    assert!(fault(&[("SMTP_HOST", "smtp.example.org"), user]).contains("`smtp.password`"));
    assert!(fault(&[("SMTP_HOST", "smtp.example.org"), secret]).contains("`smtp.user`"));
    assert!(fault(&[user, secret]).contains("`smtp.host`"));
    assert!(fault(&[("SMTP_HOST", "smtp.example.org"), ("SMTP_PORT", "0")]).contains("1 to 65535"));
    assert!(fault(&[("SMTP_HOST", "a b")]).contains("a host name or an IP address"));
}

#[test]
fn proxies_are_networks_or_addresses() {
    let proxies = |text: &str| {
        from_environment(&[("MINDFLOW__SERVER__TRUSTED_PROXIES", text)])
            .map(|loaded| loaded.config.server.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>())
    };

    assert_eq!(proxies("10.0.0.0/8, ::1,127.0.0.1").unwrap(), ["10.0.0.0/8", "::1/128", "127.0.0.1/32"]);
    assert_eq!(proxies("").unwrap(), [""; 0]);
    for wrong in ["10.0.0.0/33", "proxy.example", "*", "10.0.0.1:80", "10.0.0"] {
        assert!(proxies(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn frames_are_origins_and_cannot_add_rules() {
    let frames = |text: &str| {
        from_environment(&[("MINDFLOW__SERVER__WIDGET_FRAME_ANCESTORS", text)])
            .map(|loaded| loaded.config.server.widget_frame_ancestors)
    };

    assert_eq!(
        frames("https://a.example, https://*.b.example:8443").unwrap(),
        ["https://a.example", "https://*.b.example:8443"]
    );
    for wrong in ["*", "a.example", "https://a.example; script-src *", "https://a.example/x", "data:", "https://*"] {
        assert!(frames(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_class_without_a_quota_of_its_own_has_none() {
    let limits = |pairs: &[(&str, &str)]| from_environment(pairs).unwrap().config.limits;

    assert_eq!(limits(&[]).mcp_rate_per_minute, None);
    assert_eq!(limits(&[("MINDFLOW__LIMITS__MCP_RATE_LIMIT_PER_MINUTE", "0")]).mcp_rate_per_minute, Some(0));
    let file = from_file("[limits]\ntoken_rate_limit_per_minute = 7\n", &[]).unwrap().config.limits;
    assert_eq!(file.token_rate_per_minute, Some(7));
    assert!(from_environment(&[("MINDFLOW__LIMITS__MCP_RATE_LIMIT_PER_MINUTE", "-1")]).is_err());
}

#[test]
fn without_a_limit_of_sign_ins_wrong_passwords_are_not_counted_unless_that_is_chosen() {
    let failed = |pairs: &[(&str, &str)]| from_environment(pairs).unwrap().config.limits.failed_sign_ins;
    let off = ("AUTH_RATE_LIMIT_PER_MINUTE", "0");

    assert_eq!(failed(&[]), 10);
    assert_eq!(failed(&[off]), 0);
    assert_eq!(failed(&[off, ("MINDFLOW__LIMITS__FAILED_SIGN_INS", "5")]), 5);
}

#[test]
fn redis_is_named_by_a_url_that_is_never_shown() {
    let told = from_environment(&[("REDIS_URL", "http://:hunter2@cache")]).unwrap_err().to_string();
    let config = from_environment(&[("REDIS_URL", "rediss://:hunter2@cache:6380/1")]).unwrap().config;

    assert!(told.contains("REDIS_URL") && !told.contains("hunter2"), "{told}");
    assert!(!format!("{config:?}").contains("hunter2") && config.storage.redis_url.is_some());
}
