//! `mindflow health`: whether a server is ready, as an exit code, for containers, units and scripts.

use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;
use tokio::time::Instant;

use crate::config;

/// How long to wait between two questions.
const PAUSE: Duration = Duration::from_millis(200);

/// Whom to ask, and for how long.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// The server's URL; without it, where the configuration lets it listen on this machine
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Ask only whether it is alive, which it also is while its database is away
    #[arg(long)]
    pub live: bool,
    /// Seconds that an answer may take
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub timeout: u64,
    /// Ask again for so many seconds until it is ready
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub wait: u64,
}

/// Asks; the exit code is 0 when the server is ready (with `--live`: alive), else 1.
///
/// # Errors
///
/// When the URL is none.
pub async fn run(args: &HealthArgs, server: &config::Server, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let url = args.url.clone().unwrap_or_else(|| local_url(server));
    let url = url.trim_end_matches('/');
    let path = if args.live { "/health/live" } else { "/health/ready" };
    let http = client(Duration::from_secs(args.timeout))?;
    let until = Instant::now() + Duration::from_secs(args.wait);
    loop {
        match ask(&http, &format!("{url}{path}")).await? {
            Ok(status) => {
                writeln!(out, "{url}: {status}")?;
                return Ok(ExitCode::SUCCESS);
            }
            Err(why) if Instant::now() >= until => {
                eprintln!("mindflow: {url}: {why}");
                return Ok(ExitCode::FAILURE);
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Where a server on this machine answers: an address that means every interface is none that one can ask.
fn local_url(server: &config::Server) -> String {
    let host = match server.host.as_str() {
        "0.0.0.0" => Ipv4Addr::LOCALHOST.to_string(),
        "::" => format!("[{}]", Ipv6Addr::LOCALHOST),
        host if host.parse::<Ipv6Addr>().is_ok() => format!("[{host}]"),
        host => host.to_owned(),
    };
    format!("http://{host}:{}", server.port)
}

/// A client that goes straight to the server: not through a proxy of the environment, and not to where it is sent on.
pub(super) fn client(timeout: Duration) -> anyhow::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(timeout);
    builder.user_agent(concat!("mindflow/", env!("CARGO_PKG_VERSION"))).build().context("no HTTP client can be made")
}

/// What the server says of itself, or why it is not ready.
async fn ask(http: &reqwest::Client, url: &str) -> anyhow::Result<Result<String, String>> {
    let request = http.get(url).build().with_context(|| format!("`{url}` is no URL that can be asked"))?;
    let answer = match http.execute(request).await {
        Ok(answer) => answer,
        Err(error) => return Ok(Err(format!("no answer: {}", cause(&error)))),
    };
    let status = answer.status();
    let body: Value = answer.bytes().await.ok().and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
    let said = body.get("status").and_then(Value::as_str).unwrap_or("without a word of its own").to_owned();
    Ok(if status.is_success() { Ok(said) } else { Err(format!("{said} (status {})", status.as_u16())) })
}

/// The deepest reason, in which the word that helps stands: refused, timed out, certificate.
pub(super) fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_server_on_every_interface_is_asked_on_this_machine() {
        let mut server = Config::default().server;
        let mut url = |host: &str| {
            host.clone_into(&mut server.host);
            local_url(&server)
        };

        assert_eq!(url("0.0.0.0"), "http://127.0.0.1:8000");
        assert_eq!(url("::"), "http://[::1]:8000");
        assert_eq!(url("fd00::7"), "http://[fd00::7]:8000");
        assert_eq!(url("10.0.0.7"), "http://10.0.0.7:8000");
    }
}
