//! Configuration: defaults, then `mindflow.toml`, then the environment.
//!
//! - [`keys`]: every key there is, with its names, default and meaning; the one list.
//! - `source`: where a value comes from; `value`: what it may be.
//! - [`example`]: the commented file that shows them all.

mod background;
mod backup;
mod connections;
mod events;
pub mod example;
pub mod keys;
mod limits;
mod mcp;
mod oauth;
mod objects;
mod observe;
mod proxies;
mod smtp;
mod source;
mod upstream;
mod value;

use std::ffi::OsString;
use std::fmt;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;

use crate::policies::versions::Rules;

pub use self::background::Background;
pub use self::backup::Backup;
pub use self::connections::Connections;
pub use self::events::Events;
pub use self::limits::Limits;
pub use self::mcp::Mcp;
pub use self::oauth::OAuth;
pub use self::objects::{Attachments, Objects};
pub use self::observe::{Health, Metrics, MetricsAccess, Sentry, Telemetry};
pub use self::proxies::ProxyHeader;
pub use self::smtp::{Smtp, SmtpTls};
use self::source::Values;
pub use self::upstream::{OidcProvider, Upstream, UpstreamClient};
pub use self::value::{Environment, LogFilter, PolicyTests, Registration, Secret};
use crate::scoring::params::ParamSetting;

/// Everything an operator can choose.
#[derive(Clone, Debug)]
pub struct Config {
    /// How the server is reached and what it answers.
    pub server: Server,
    /// How many connections there may be, and how long each part of a request may take.
    pub connections: Connections,
    /// Where data lives.
    pub storage: Storage,
    /// Where files are kept.
    pub objects: Objects,
    /// What may be attached to tasks.
    pub attachments: Attachments,
    /// What becomes of backups.
    pub backup: Backup,
    /// Where policies live.
    pub policies: Policies,
    /// What is done by itself.
    pub background: Background,
    /// The mail server, if there is one.
    pub smtp: Option<Smtp>,
    /// Who may have an account.
    pub accounts: Accounts,
    /// How credentials are signed and how long they live.
    pub tokens: Tokens,
    /// Which programs may be connected.
    pub oauth: OAuth,
    /// Accounts elsewhere through which people may sign in.
    pub upstream: Upstream,
    /// What chats and agents see.
    pub mcp: Mcp,
    /// Who may listen to what happens, and how far back.
    pub events: Events,
    /// How much one caller may ask, and how much all of them at once.
    pub limits: Limits,
    /// What is logged.
    pub log: Log,
    /// When the server calls itself degraded.
    pub health: Health,
    /// What Prometheus reads.
    pub metrics: Metrics,
    /// Where faults are reported.
    pub sentry: Sentry,
    /// Where traces go.
    pub telemetry: Telemetry,
}

/// How the server is reached and what it answers.
#[derive(Clone, Debug)]
pub struct Server {
    /// The address or host name to listen on.
    pub host: String,
    /// The port to listen on; 0 takes any free one.
    pub port: u16,
    /// How clients reach the server, without a slash at the end; `None` means where it listens.
    pub public_url: Option<String>,
    /// What kind of installation this is.
    pub environment: Environment,
    /// What the server's own secrets are sealed with; `None` means the one generated in the data folder.
    pub secret_key: Option<Secret>,
    /// Web origins whose pages may call the API; `*` stands for all, without credentials.
    pub cors_origins: Vec<String>,
    /// Proxies whose word about the client's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they give it.
    pub proxy_header: ProxyHeader,
    /// Which sites may show the pages under `/widgets` in a frame.
    pub widget_frame_ancestors: Vec<String>,
    /// Whether `/docs` shows the Swagger UI.
    pub enable_swagger: bool,
    /// The largest request body, in bytes.
    pub max_body_bytes: usize,
    /// How long a client may take to send a body.
    pub body_timeout: Duration,
    /// How long running requests may take after a signal to stop.
    pub drain: Duration,
    /// How long a connection may stay without a request.
    pub idle_timeout: Duration,
}

/// Where data lives.
#[derive(Clone, Debug)]
pub struct Storage {
    /// The folder of everything the server writes.
    pub data_dir: PathBuf,
    /// `sqlite://…` or `postgres://…`; never shown, it may hold a password.
    pub database_url: Secret,
    /// The most connections at a time: readers of SQLite, or all of PostgreSQL.
    pub max_connections: u32,
    /// How long a request waits for a free connection or a lock.
    pub wait: Duration,
    /// How long PostgreSQL may work on one statement; zero is no limit.
    pub statement_timeout: Duration,
    /// Whether a start changes the schema or only looks at it.
    pub migrate_on_start: bool,
    /// Redis or Valkey, through which instances share their limits; never shown, it may hold a password.
    pub redis_url: Option<Secret>,
    /// How long a request waits for it before it is counted without it.
    pub redis_timeout: Duration,
}

/// Where policies live.
#[derive(Clone, Debug)]
pub struct Policies {
    /// The folder with one sub-folder per policy.
    pub dir: PathBuf,
    /// What failing test cases do to a live edit.
    pub tests: PolicyTests,
    /// Who may do what with policies.
    pub rules: Rules,
    /// The part of the recommendations that is kept, from 0 to 1.
    pub decisions_sample: f32,
    /// After how many days kept recommendations are deleted.
    pub decisions_days: u32,
    /// What is set of their parameters.
    pub params: Vec<ParamSetting>,
}

/// Who may have an account.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// How accounts come to be.
    pub registration: Registration,
    /// How long a browser stays signed in, counted from the sign-in.
    pub browser_life: Duration,
    /// How long a browser stays signed in without being used.
    pub browser_idle: Duration,
}

/// How credentials are signed and how long they live.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The RSA key that signs, as PEM; `None` means the one generated in the data folder.
    pub private_key: Option<Secret>,
    /// Its public half, as PEM; `None` means derived from the private one.
    pub public_key: Option<String>,
    /// The life of an access token.
    pub access_token_life: Duration,
    /// The life of a refresh token.
    pub refresh_token_life: Duration,
    /// How long a connected program may stay away.
    pub refresh_token_idle: Duration,
    /// Whether a refresh token is replaced at each use.
    pub refresh_token_rotation: bool,
}

/// What is logged.
#[derive(Clone, Debug)]
pub struct Log {
    /// Which levels of which parts.
    pub filter: LogFilter,
}

/// A configuration and what there is to say about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file it was read from, if any.
    pub file: Option<PathBuf>,
    /// Environment variables that are set but belong to features this version does not have.
    pub ignored: Vec<&'static str>,
}

/// What is wrong with the configuration: one line per fault, with the key, the value's source and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The faults; never empty.
    pub faults: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.faults.join("\n"))
    }
}

impl Config {
    /// Reads the configuration.
    ///
    /// - `file`: the file asked for on the command line; without one, `MINDFLOW_CONFIG`, then `mindflow.toml` in the
    ///   working directory if it is there.
    /// - `environment`: usually `std::env::vars_os()`.
    ///
    /// # Errors
    ///
    /// All faults at once.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Loaded, ConfigError> {
        let (mut values, file) = Values::read(file, environment)?;
        let config = Self::from_values(&mut values);
        let ignored = values.ignored();
        match values.into_faults() {
            faults if faults.is_empty() => Ok(Loaded { config, file, ignored }),
            faults => Err(ConfigError { faults }),
        }
    }

    fn from_values(values: &mut Values) -> Self {
        let data_dir: PathBuf = values.get("storage.data_dir", value::path);
        Self {
            server: Server::from_values(values),
            connections: Connections::from_values(values),
            storage: Storage {
                database_url: values
                    .get("storage.database_url", value::database_url)
                    .unwrap_or_else(|| Secret::new(format!("sqlite://{}", data_dir.join("mindflow.db").display()))),
                max_connections: values.get("storage.max_connections", value::integer(1, 1000)),
                wait: seconds(values.get("storage.wait_seconds", value::integer(1, 300))),
                statement_timeout: seconds(values.get("storage.statement_timeout_seconds", value::integer(0, 3600))),
                migrate_on_start: values.get("storage.migrate_on_start", value::boolean),
                redis_url: values.get("storage.redis_url", proxies::redis_url),
                redis_timeout: Duration::from_millis(values.get("storage.redis_timeout_ms", value::integer(1, 10_000))),
                data_dir,
            },
            objects: Objects::from_values(values),
            attachments: Attachments::from_values(values),
            backup: Backup::from_values(values),
            policies: Policies {
                dir: values.get("policies.dir", value::path),
                tests: values.get("policies.tests", value::policy_tests),
                rules: Rules {
                    readers: values.get("policies.readers", value::emails),
                    proposers: values.get("policies.proposers", value::emails),
                    approvers: values.get("policies.approvers", value::emails),
                    activators: values.get("policies.activators", value::emails),
                    two_person: values.get("policies.two_person", value::boolean),
                    most_failures: Some(values.get("policies.most_failures", value::integer(0, 1_000_000_000)))
                        .filter(|most| *most > 0),
                },
                decisions_sample: values.get("policies.decisions_sample", observe::part),
                decisions_days: values.get("policies.decisions_days", value::integer(1, 36_500)),
                params: values.get("policies.params", value::param_settings),
            },
            background: Background::from_values(values),
            smtp: Smtp::from_values(values),
            accounts: Accounts::from_values(values),
            tokens: Tokens::from_values(values),
            oauth: OAuth::from_values(values),
            upstream: Upstream::from_values(values),
            mcp: Mcp::from_values(values),
            events: Events::from_values(values),
            limits: Limits::from_values(values),
            log: Log { filter: values.get("log.level", value::log_filter) },
            health: Health::from_values(values),
            metrics: Metrics::from_values(values),
            sentry: Sentry::from_values(values),
            telemetry: Telemetry::from_values(values),
        }
    }
}

/// The configuration of an installation where nothing was chosen.
impl Default for Config {
    fn default() -> Self {
        Self::from_values(&mut Values::default())
    }
}

impl Server {
    fn from_values(values: &mut Values) -> Self {
        let mebibytes: usize = values.get("server.max_content_size_mb", value::integer(1, 1024));
        Self {
            host: values.get("server.host", value::host),
            port: values.get("server.port", value::integer(0, u16::MAX)),
            public_url: values.get("server.public_url", value::public_url),
            environment: values.get("server.environment", value::environment),
            secret_key: values.get("server.secret_key", value::secret_key),
            cors_origins: values.get("server.cors_origins", value::origins),
            trusted_proxies: values.get("server.trusted_proxies", proxies::networks),
            proxy_header: values.get("server.proxy_header", proxies::proxy_header),
            widget_frame_ancestors: values.get("server.widget_frame_ancestors", proxies::frames),
            enable_swagger: values.get("server.enable_swagger", value::boolean),
            max_body_bytes: mebibytes * 1024 * 1024,
            body_timeout: seconds(values.get("server.body_timeout_seconds", value::integer(1, 3600))),
            drain: seconds(values.get("server.drain_seconds", value::integer(0, 3600))),
            idle_timeout: seconds(values.get("server.idle_timeout_seconds", value::integer(1, 3600))),
        }
    }

    /// How clients reach the server when it listens on `port`, without a slash at the end.
    ///
    /// An address that means "every interface" is none that a client can use, so it becomes `localhost`.
    pub fn public_url(&self, port: u16) -> String {
        self.public_url.clone().unwrap_or_else(|| match self.host.as_str() {
            "0.0.0.0" | "::" => format!("http://localhost:{port}"),
            host if host.parse::<Ipv6Addr>().is_ok() => format!("http://[{host}]:{port}"),
            host => format!("http://{host}:{port}"),
        })
    }
}

impl Accounts {
    fn from_values(values: &mut Values) -> Self {
        let days: u64 = values.get("accounts.browser_session_days", value::integer(1, 365));
        let idle_hours: u64 = values.get("accounts.browser_idle_hours", value::integer(1, 8760));
        Self {
            registration: values.get("accounts.registration", value::registration),
            browser_life: seconds(days * 24 * 60 * 60),
            browser_idle: seconds(idle_hours * 60 * 60),
        }
    }
}

impl Tokens {
    fn from_values(values: &mut Values) -> Self {
        let minutes: u64 = values.get("tokens.access_token_expire_minutes", value::integer(1, 1440));
        let days: u64 = values.get("tokens.refresh_token_expire_days", value::integer(1, 3650));
        let idle_days: u64 = values.get("tokens.refresh_token_idle_days", value::integer(1, 3650));
        let private_key = values.get("tokens.private_key", value::private_key);
        let public_key = values.get("tokens.public_key", value::public_key);
        if public_key.is_some() && private_key.is_none() {
            values.fault("tokens.public_key", "it needs `tokens.private_key` (`OAUTH_PRIVATE_KEY`) beside it");
        }
        Self {
            private_key,
            public_key,
            access_token_life: seconds(minutes * 60),
            refresh_token_life: seconds(days * 24 * 60 * 60),
            refresh_token_idle: seconds(idle_days * 24 * 60 * 60),
            refresh_token_rotation: values.get("tokens.refresh_token_rotation_enabled", value::boolean),
        }
    }
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[cfg(test)]
mod tests;
