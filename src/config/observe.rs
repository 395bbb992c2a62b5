//! `[health]`, `[metrics]`, `[sentry]` and `[telemetry]`: who is told how the server is doing.

#![expect(
    clippy::option_option,
    reason = "the outer says whether the value could be read, the inner whether one was chosen"
)]

use super::source::{Raw, Values};
use super::value::{self, Secret, optional, text};
use crate::observe::reports::is_dsn;

/// When the server calls itself degraded.
#[derive(Clone, Debug)]
pub struct Health {
    /// The room that should be left in the data folder, in bytes.
    pub least_free_disk: u64,
    /// How much of the memory it may have the process should use at most, in percent.
    pub most_memory_percent: u64,
}

impl Health {
    pub(super) fn from_values(values: &mut Values) -> Self {
        let mebibytes: u64 = values.get("health.least_free_disk_mb", value::integer(0, 1_000_000_000));
        Self {
            least_free_disk: mebibytes * 1024 * 1024,
            most_memory_percent: values.get("health.most_memory_percent", value::integer(1, 100)),
        }
    }
}

/// Who may read `/metrics`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetricsAccess {
    /// The server's own network; with a token, who shows it.
    #[default]
    Private,
    /// Everybody.
    Public,
    /// Nobody.
    Off,
}

/// What Prometheus reads.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Who may read.
    pub access: MetricsAccess,
    /// The token that opens from anywhere.
    pub token: Option<Secret>,
}

impl Metrics {
    pub(super) fn from_values(values: &mut Values) -> Self {
        Self { access: values.get("metrics.access", metrics_access), token: values.get("metrics.token", metrics_token) }
    }
}

/// Where faults are reported.
#[derive(Clone, Debug)]
pub struct Sentry {
    /// The project; `None` reports nothing.
    pub dsn: Option<Secret>,
    /// What the installation is called there; `None` is its kind.
    pub environment: Option<String>,
    /// What the program is called there; `None` is its name and version.
    pub release: Option<String>,
    /// What the machine is called there; `None` is its host name.
    pub server_name: Option<String>,
    /// The part of the faults that is reported, from 0 to 1.
    pub sample_rate: f32,
}

impl Sentry {
    pub(super) fn from_values(values: &mut Values) -> Self {
        Self {
            dsn: values.get("sentry.dsn", sentry_dsn),
            environment: values.get("sentry.environment", value::optional_words),
            release: values.get("sentry.release", value::optional_words),
            server_name: values.get("sentry.server_name", value::optional_words),
            sample_rate: values.get("sentry.sample_rate", part),
        }
    }
}

/// Where traces go.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// The collector's address, without `/v1/traces`; `None` sends nothing.
    pub otlp_endpoint: Option<String>,
    /// Headers that the collector wants, as `name=value` separated by commas; they may hold a key.
    pub otlp_headers: Option<Secret>,
    /// What the server is called there.
    pub service_name: String,
    /// The part of the traces begun here that is sent, from 0 to 1.
    pub sample_rate: f32,
}

impl Telemetry {
    pub(super) fn from_values(values: &mut Values) -> Self {
        Self {
            otlp_endpoint: values.get("telemetry.otlp_endpoint", value::public_url),
            otlp_headers: values.get("telemetry.otlp_headers", header_list),
            service_name: values.get("telemetry.service_name", value::words),
            sample_rate: values.get("telemetry.sample_rate", part),
        }
    }

    /// The headers, one by one.
    pub fn headers(&self) -> impl Iterator<Item = (String, String)> {
        let pairs = self.otlp_headers.as_ref().map(Secret::expose).unwrap_or_default().split(',');
        pairs.filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.trim().into(), value.trim().into()))
    }
}

/// The address of a project of Sentry.
fn sentry_dsn(raw: &Raw) -> Option<Option<Secret>> {
    optional(raw, |text| is_dsn(text).then(|| Secret::new(text)))
}

/// A number from 0 to 1.
pub(super) fn part(raw: &Raw) -> Option<f32> {
    let number: f32 = match raw {
        Raw::Plain(text) => text.trim().parse().ok()?,
        Raw::Number(number) => number.parse().ok()?,
        Raw::Integer(0) => 0.0,
        Raw::Integer(1) => 1.0,
        _ => return None,
    };
    (0.0..=1.0).contains(&number).then_some(number)
}

/// Headers as `name=value`, separated by commas.
fn header_list(raw: &Raw) -> Option<Option<Secret>> {
    optional(raw, |text| {
        let known = text.split(',').all(|pair| {
            pair.split_once('=').is_some_and(|(name, value)| {
                http::HeaderName::try_from(name.trim()).is_ok() && http::HeaderValue::try_from(value.trim()).is_ok()
            })
        });
        known.then(|| Secret::new(text))
    })
}

fn metrics_access(raw: &Raw) -> Option<MetricsAccess> {
    match text(raw)?.to_ascii_lowercase().as_str() {
        "private" => Some(MetricsAccess::Private),
        "public" => Some(MetricsAccess::Public),
        "off" => Some(MetricsAccess::Off),
        _ => None,
    }
}

/// A token that can be sent in a header and not be guessed.
fn metrics_token(raw: &Raw) -> Option<Option<Secret>> {
    optional(raw, |text| {
        let sendable = text.len() >= 16 && text.chars().all(|c| c.is_ascii_graphic());
        sendable.then(|| Secret::new(text))
    })
}
