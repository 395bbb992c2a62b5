//! The deployment as clients see it: through its proxy, by its public URL.

use reqwest::header::{HeaderMap, HeaderName};
use reqwest::tls::TlsInfo;
use reqwest::{Client, Method, Response};
use serde_json::Value;
use url::Url;

use super::finding::{Findings, Level};
use super::{certificate, clocks, configuration};
use crate::cli::health::cause;
use crate::clock::{Clock, Timestamp};

/// A web page of a chat, which must be let in.
const CHAT: &str = "https://chatgpt.com";
/// Headers that the server sends itself; a proxy that adds its own sends them twice.
const OURS: [&str; 6] = [
    "strict-transport-security",
    "x-content-type-options",
    "x-frame-options",
    "content-security-policy",
    "referrer-policy",
    "access-control-allow-origin",
];

/// Where to look, and what to expect there.
pub(super) struct Outside<'a> {
    pub(super) http: Client,
    /// Where it is asked, without a slash at the end.
    pub(super) url: &'a str,
    /// What the server should call itself, without a slash at the end.
    pub(super) issuer: &'a str,
    pub(super) clock: &'a Clock,
}

impl Outside<'_> {
    /// Asks what clients ask.
    pub(super) async fn check(&self, findings: &mut Findings) {
        let Ok(url) = Url::parse(self.url) else {
            return findings.problem("outside", format!("`{}` is no URL", self.url), "give one as https://HOST");
        };
        if !self.reach(&url, findings).await {
            return;
        }
        self.discovery(&url, findings).await;
        self.challenge(findings).await;
        self.cors(findings).await;
        self.metrics(&url, findings).await;
        if url.scheme() == "https" {
            self.plain(&url, findings).await;
        }
    }

    /// Whether it answers, and how it is; with what certificate, clock and headers.
    async fn reach(&self, url: &Url, findings: &mut Findings) -> bool {
        let check = "outside.reachable";
        let answer = match self.http.get(format!("{}/health", self.url)).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let message = format!("{} does not answer: {}", self.url, cause(&error));
                let advice =
                    "look at the proxy and the server, at the name's address, and at the firewall (ports 80, 443)";
                findings.problem(check, message, advice);
                return false;
            }
        };
        if let Some(der) = answer.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate) {
            certificate::check(der, self.clock.now(), findings);
        }
        if let Some(date) = date(answer.headers()) {
            clocks::compare("clock.server", "the server's clock", date, self.clock.now(), findings);
        }
        headers(url, answer.headers(), findings);
        let status = answer.status().as_u16();
        let body = json(answer).await;
        let Some(version) = body.get("version").and_then(Value::as_str) else {
            let message = format!("{} answers with status {status}, but is no MindFlow server", self.url);
            findings.problem(check, message, "point the proxy at HOST and PORT of the server");
            return false;
        };
        let said = body.get("status").and_then(Value::as_str).unwrap_or("unknown");
        if said == "healthy" {
            findings.ok(check, format!("{} answers: healthy, version {version}", self.url));
        } else {
            let level = if status == 200 { Level::Warning } else { Level::Problem };
            let checks = body.get("checks").map(Value::to_string).unwrap_or_default();
            findings.fault(level, check, format!("{said}: {checks}"), format!("look at {}/health", self.url));
        }
        if version != env!("CARGO_PKG_VERSION") {
            let message = format!("it runs version {version}, this program is {}", env!("CARGO_PKG_VERSION"));
            findings.warning("outside.version", message, "run doctor with the program that is deployed");
        }
        true
    }

    /// The documents by which programs find everything.
    async fn discovery(&self, url: &Url, findings: &mut Findings) {
        let check = "outside.discovery";
        let path = url.path().trim_end_matches('/');
        let origin = self.url.strip_suffix(path).unwrap_or(self.url);
        let server = self.get(&format!("{origin}/.well-known/oauth-authorization-server{path}")).await;
        let resource = self.get(&format!("{origin}/.well-known/oauth-protected-resource{path}/mcp")).await;
        let text = |document: &Value, name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut faults = Vec::new();
        let mut expect = |name: &str, found: Option<String>, expected: &str| match found {
            Some(found) if found == expected => {}
            Some(found) => faults.push(format!("`{name}` is {found} instead of {expected}")),
            None => faults.push(format!("`{name}` is missing")),
        };
        expect("issuer", text(&server, "issuer"), self.issuer);
        expect("token_endpoint", text(&server, "token_endpoint"), &format!("{}/oauth/token", self.issuer));
        expect("resource", text(&resource, "resource"), &format!("{}/mcp", self.issuer));
        let keys = self.get(&format!("{}/oauth/jwks", self.url)).await;
        if keys.get("keys").and_then(Value::as_array).is_none_or(Vec::is_empty) {
            faults.push(format!("{}/oauth/jwks shows no key", self.url));
        }
        if faults.is_empty() {
            findings.ok(check, format!("programs find everything under {}", self.issuer));
        } else {
            let advice = "set PUBLIC_URL to the address that clients use; let the proxy pass /.well-known and /oauth";
            findings.problem(check, faults.join("; "), advice);
        }
    }

    /// A program without a token must learn where to get one.
    async fn challenge(&self, findings: &mut Findings) {
        let check = "outside.mcp";
        let request = self.http.post(format!("{}/mcp", self.url)).header("content-type", "application/json");
        let answer = request.header("accept", "application/json, text/event-stream").body("{}").send().await;
        let Ok(answer) = answer else {
            return findings.problem(check, "/mcp does not answer", "let the proxy pass /mcp");
        };
        let status = answer.status().as_u16();
        let challenge =
            answer.headers().get("www-authenticate").and_then(|value| value.to_str().ok()).unwrap_or_default();
        if status == 401 && challenge.contains("resource_metadata=") {
            findings.ok(check, "/mcp tells programs where to sign in");
        } else {
            let message = format!("/mcp answers with status {status} and without the challenge that programs need");
            findings.problem(check, message, "let the proxy pass /mcp and the header WWW-Authenticate unchanged");
        }
    }

    /// Pages of chats call from the browser.
    async fn cors(&self, findings: &mut Findings) {
        let check = "outside.cors";
        let request = self.http.request(Method::OPTIONS, format!("{}/api/tasks", self.url)).header("origin", CHAT);
        let answer = request.header("access-control-request-method", "GET").send().await;
        let Ok(answer) = answer else {
            return findings.problem(check, "a preflight is not answered", "let the proxy pass OPTIONS");
        };
        let allowed: Vec<_> = answer.headers().get_all("access-control-allow-origin").iter().collect();
        if allowed.len() == 1 && (allowed[0] == CHAT || allowed[0] == "*") {
            findings.ok(check, format!("the pages of {CHAT} may call"));
        } else {
            let message = format!("the pages of {CHAT} are let in {} times instead of once", allowed.len());
            findings.problem(
                check,
                message,
                "let the proxy pass OPTIONS, and add no Access-Control headers of its own",
            );
        }
    }

    /// Figures about the server are for its operator.
    async fn metrics(&self, url: &Url, findings: &mut Findings) {
        if configuration::is_loopback(url) {
            return;
        }
        let check = "outside.metrics";
        let answer = self.http.get(format!("{}/metrics", self.url)).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            let advice =
                "let the proxy refuse /metrics, and Prometheus ask the server itself (deploy/caddy, deploy/nginx)";
            findings.warning(check, "anyone can read /metrics", advice);
        } else {
            findings.ok(check, "/metrics is not open to everybody");
        }
    }

    /// Over plain HTTP nothing but the way to HTTPS may be said.
    async fn plain(&self, url: &Url, findings: &mut Findings) {
        let check = "outside.plain_http";
        let mut plain = url.clone();
        // A URL with a port of its own has no plain sibling that could be guessed.
        if url.port().is_some() || plain.set_scheme("http").is_err() {
            return;
        }
        plain.set_path("/health");
        match self.http.get(plain).send().await {
            Ok(answer) if answer.status().is_success() => findings.problem(
                check,
                "the server answers over plain HTTP too",
                "let the proxy answer port 80 with a redirect to https alone",
            ),
            Ok(_) => findings.ok(check, "plain HTTP leads to https"),
            Err(_) => findings.ok(check, "plain HTTP is not answered"),
        }
    }

    async fn get(&self, url: &str) -> Value {
        match self.http.get(url).send().await {
            Ok(answer) => json(answer).await,
            Err(_) => Value::Null,
        }
    }
}

async fn json(answer: Response) -> Value {
    answer.bytes().await.ok().and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default()
}

/// The moment of the header `Date` (RFC 9110, section 6.6.1).
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(reqwest::header::DATE)?.to_str().ok()?;
    let moment = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    Some(Timestamp::from_micros(moment.timestamp_micros()))
}

/// Safety headers: there, and there once.
fn headers(url: &Url, headers: &HeaderMap, findings: &mut Findings) {
    let check = "outside.headers";
    let twice: Vec<&str> =
        OURS.into_iter().filter(|name| headers.get_all(HeaderName::from_static(name)).iter().count() > 1).collect();
    if !twice.is_empty() {
        let message = format!("the proxy adds headers that the server sends already: {}", twice.join(", "));
        findings.problem(check, message, "take these headers out of the proxy's configuration");
    } else if url.scheme() == "https" && !headers.contains_key("strict-transport-security") {
        let advice = "let the proxy pass the header Strict-Transport-Security unchanged";
        findings.problem(check, "browsers are not told to stay with https", advice);
    } else {
        findings.ok(check, "safety headers are there, once");
    }
}
