//! `[smtp]`: the mail server.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::source::{Raw, Values};
use super::value::{self, Secret};

/// The port of submission over TLS from the start (RFC 8314).
const TLS_PORT: u16 = 465;

/// The mail server.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who sends, and the password.
    pub credentials: Option<(String, Secret)>,
    /// Whom mail is from: an address, or a name with one in angle brackets. `None`: `mindflow@` the host of the public URL.
    pub from: Option<String>,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// How long the mail server may take for an answer.
    pub timeout: Duration,
    /// A file with further certificate authorities.
    pub extra_root_certificate: Option<PathBuf>,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmtpTls {
    /// By STARTTLS; without it nothing is sent.
    #[default]
    StartTls,
    /// From the start.
    Tls,
    /// By STARTTLS if it is offered: on this machine.
    Opportunistic,
    /// Not at all.
    None,
}

impl Smtp {
    /// `None` without a host.
    pub(super) fn from_values(values: &mut Values) -> Option<Self> {
        let host: Option<String> = values.get("smtp.host", value::optional_host);
        let port: Option<u16> = values.get("smtp.port", value::optional_port);
        let user: Option<String> = values.get("smtp.user", value::optional_words);
        let password: Option<Secret> = values.get("smtp.password", value::optional_secret);
        let from: Option<String> = values.get("smtp.from", value::optional_words);
        let chosen: Option<SmtpTls> = values.get("smtp.tls", tls);
        let timeout: u64 = values.get("smtp.timeout_seconds", value::integer(1, 600));
        let extra_root_certificate = values.get("smtp.extra_root_certificate", value::optional_path);
        let Some(host) = host else {
            for (path, given) in [("smtp.user", user.is_some()), ("smtp.password", password.is_some())] {
                if given {
                    values.fault(path, "it needs `smtp.host` (`SMTP_HOST`) beside it");
                }
            }
            return None;
        };
        let tls = chosen.unwrap_or(if port == Some(TLS_PORT) {
            SmtpTls::Tls
        } else if is_here(&host) {
            SmtpTls::Opportunistic
        } else {
            SmtpTls::StartTls
        });
        let credentials = match (user, password) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, None) => None,
            (Some(_), None) => {
                values.fault("smtp.user", "it needs `smtp.password` (`SMTP_PASSWORD`) beside it");
                None
            }
            (None, Some(_)) => {
                values.fault("smtp.password", "it needs `smtp.user` (`SMTP_USER`) beside it");
                None
            }
        };
        if tls == SmtpTls::None && credentials.is_some() && !is_here(&host) {
            values.fault(
                "smtp.tls",
                "a password would cross the network unprotected; allowed beside one: starttls or tls",
            );
        }
        let port = port.unwrap_or(match tls {
            SmtpTls::Tls => TLS_PORT,
            SmtpTls::StartTls => 587,
            SmtpTls::Opportunistic | SmtpTls::None => 25,
        });
        let timeout = Duration::from_secs(timeout);
        Some(Self { host, port, credentials, from, tls, timeout, extra_root_certificate })
    }
}

/// `None` is `auto`.
#[expect(
    clippy::option_option,
    reason = "the outer says whether the value could be read, the inner whether one was chosen"
)]
fn tls(raw: &Raw) -> Option<Option<SmtpTls>> {
    match value::words(raw)?.to_ascii_lowercase().as_str() {
        "auto" => Some(None),
        "starttls" => Some(Some(SmtpTls::StartTls)),
        "tls" => Some(Some(SmtpTls::Tls)),
        "none" => Some(Some(SmtpTls::None)),
        _ => None,
    }
}

/// Whether a host is this machine.
fn is_here(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
