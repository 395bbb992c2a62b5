//! What was chosen, and what of it does not fit together.

use std::net::IpAddr;

use url::{Host, Url};

use super::finding::{Findings, Level};
use crate::config::{Config, Environment, Registration};

/// Looks at the configuration alone.
pub(super) fn check(config: &Config, ignored: &[&str], findings: &mut Findings) {
    environment(config, findings);
    public_url(config, findings);
    limits(config, findings);
    origins(config, findings);
    registration(config, findings);
    if !ignored.is_empty() {
        let names = ignored.join(", ");
        findings.warning(
            "configuration.ignored",
            format!("this version does not know {names}"),
            "take these settings away, or upgrade",
        );
    }
}

/// Whether people rely on this installation.
pub(super) fn is_production(config: &Config) -> bool {
    matches!(config.server.environment, Environment::Production | Environment::Staging)
}

/// Whether a URL leads to nowhere but this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // Of schemes that it does not know, the URL keeps addresses as names.
        Some(Host::Domain(name)) => match name.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => name == "localhost" || name.ends_with(".localhost"),
        },
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn environment(config: &Config, findings: &mut Findings) {
    let check = "configuration.environment";
    let name = config.server.environment.as_str();
    if is_production(config) {
        findings.ok(check, name);
    } else {
        findings.warning(
            check,
            format!(
                "this is a {name} installation: links of mails are written to the log when there is no mail server"
            ),
            "set ENVIRONMENT=production where people rely on the server",
        );
    }
}

fn public_url(config: &Config, findings: &mut Findings) {
    let check = "configuration.public_url";
    let level = if is_production(config) { Level::Problem } else { Level::Warning };
    let Some(text) = &config.server.public_url else {
        let url = config.server.public_url(config.server.port);
        findings.fault(
            level,
            check,
            format!("PUBLIC_URL is not set, so links and tokens name {url}"),
            "set PUBLIC_URL to the https address that clients use, before programs are connected",
        );
        return;
    };
    match Url::parse(text) {
        Ok(url) if url.scheme() == "https" => findings.ok(check, text.as_str()),
        Ok(url) if is_loopback(&url) && level == Level::Warning => {
            findings.ok(check, format!("{text}, on this machine"));
        }
        _ => findings.fault(
            level,
            check,
            format!("{text} is not https: passwords and tokens can be read on the way, and chats refuse to connect"),
            "put Caddy or nginx with a certificate in front, and set PUBLIC_URL to the https address",
        ),
    }
}

fn limits(config: &Config, findings: &mut Findings) {
    let check = "configuration.limits";
    let (user, door) = (config.limits.rate_per_minute, config.limits.auth_rate_per_minute);
    let off = match (user, door) {
        (0, 0) => "requests and sign-ins are not limited",
        (0, _) => "the requests of a user are not limited",
        (_, 0) => "sign-ins are not limited, so passwords can be guessed",
        _ => {
            findings.ok(check, format!("{user} requests a minute a user, {door} sign-ins a minute an address"));
            return;
        }
    };
    findings.warning(check, off, "set RATE_LIMIT_PER_MINUTE=100 and AUTH_RATE_LIMIT_PER_MINUTE=10");
}

fn origins(config: &Config, findings: &mut Findings) {
    let check = "configuration.cors";
    if config.server.cors_origins.iter().any(|origin| origin == "*") {
        findings.warning(
            check,
            "the pages of every origin may call the API",
            "list the origins of your own pages in CORS_ORIGINS; chats are allowed anyway",
        );
    } else {
        let count = config.server.cors_origins.len();
        findings.ok(check, format!("the pages of chats and of {count} further origin(s) may call"));
    }
}

fn registration(config: &Config, findings: &mut Findings) {
    let said = match config.accounts.registration {
        Registration::Open => "open: anyone who reaches the server may make an account",
        Registration::Invite => "by invitation",
        Registration::Closed => "closed: operators make accounts",
    };
    findings.ok("configuration.registration", said);
}
