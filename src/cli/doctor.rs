//! `mindflow doctor`: looks at a deployment from inside and from outside, and says what to do.
//!
//! Nothing is changed: no migration is applied, no key or secret made. One file for each thing that is looked at.

mod certificate;
mod clocks;
mod configuration;
mod database;
mod disk;
mod finding;
mod keys;
mod outside;
mod policies;
mod proxies;
mod secrets;
mod services;
mod stores;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

pub use self::finding::{Finding, Findings, Level};
use self::outside::Outside;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, Loaded};

/// How long the server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What to look at.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// The address that clients use; without it `PUBLIC_URL`
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Look only at that address, from any machine: not at this machine's configuration, files and database
    #[arg(long, requires = "url")]
    pub remote: bool,
    /// Trust this certificate authority too (PEM)
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// Looks at everything; the exit code is 0 when there is no problem. Warnings are none.
///
/// # Errors
///
/// When the certificate authority cannot be read, or nothing can be written.
pub async fn run(
    args: &DoctorArgs,
    loaded: Result<&Loaded, &ConfigError>,
    clock: &Clock,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let findings = examine(args, loaded, clock).await?;
    if args.json {
        findings.print_json(out)?;
    } else {
        findings.print(out)?;
    }
    Ok(if findings.worst() == Level::Problem { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Looks at everything.
///
/// # Errors
///
/// When the certificate authority cannot be read.
pub async fn examine(
    args: &DoctorArgs,
    loaded: Result<&Loaded, &ConfigError>,
    clock: &Clock,
) -> anyhow::Result<Findings> {
    let mut findings = Findings::default();
    clocks::check(clock, &mut findings);
    if args.remote {
        let url = args.url.as_deref().unwrap_or_default().trim_end_matches('/');
        look_from_outside(args, url, url, clock, &mut findings).await?;
        return Ok(findings);
    }
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            for fault in &error.faults {
                findings.problem(
                    "configuration",
                    fault.as_str(),
                    "correct the value; `mindflow.example.toml` has every key",
                );
            }
            return Ok(findings);
        }
    };
    inside(loaded, clock, &mut findings).await;
    let config = &loaded.config;
    let public = config.server.public_url(config.server.port);
    let url = args.url.as_deref().unwrap_or(&public).trim_end_matches('/');
    look_from_outside(args, url, &public, clock, &mut findings).await?;
    Ok(findings)
}

async fn inside(loaded: &Loaded, clock: &Clock, findings: &mut Findings) {
    let config = &loaded.config;
    configuration::check(config, &loaded.ignored, findings);
    proxies::check(config, findings);
    let secret = secrets::check(loaded, findings);
    disk::check("disk.data", &config.storage.data_dir, findings);
    let configured = keys::check_configured(config, findings);
    if let Some(store) = database::check(config, clock, findings).await {
        if let Some(secret) = secret.filter(|_| !configured) {
            keys::check_ring(&store, secret, clock, findings).await;
        }
        store.close().await;
    }
    services::check(config, findings).await;
    stores::objects(config, findings).await;
    stores::backups(config, clock, findings).await;
    findings.append(policies_apart(config, clock).await);
}

/// Policies are compiled and tried, which takes its time.
async fn policies_apart(config: &Config, clock: &Clock) -> Findings {
    let (config, clock) = (config.clone(), clock.clone());
    let looked = tokio::task::spawn_blocking(move || {
        let mut findings = Findings::default();
        policies::check(&config, &clock, &mut findings);
        findings
    });
    looked.await.unwrap_or_else(|_| {
        let mut findings = Findings::default();
        findings.problem("policies", "the check broke off", "report it: no policy may do that");
        findings
    })
}

async fn look_from_outside(
    args: &DoctorArgs,
    url: &str,
    issuer: &str,
    clock: &Clock,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let http = client(args.ca.as_deref())?;
    Outside { http, url, issuer, clock }.check(findings).await;
    Ok(())
}

/// A client that keeps the server's certificate for a look, and goes where it is told and nowhere else.
fn client(authority: Option<&Path>) -> anyhow::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .tls_info(true)
        .user_agent(concat!("mindflow-doctor/", env!("CARGO_PKG_VERSION")));
    if let Some(path) = authority {
        let shown = path.display();
        let pem = std::fs::read(path).with_context(|| format!("`{shown}` cannot be read"))?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem);
        for certificate in certificates.with_context(|| format!("`{shown}` holds no certificate in PEM form"))? {
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder.build().context("no HTTP client can be made")
}
