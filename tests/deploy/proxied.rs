//! The server behind real proxies, with the very configurations of `deploy/`: only names, ports and certificates differ.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response};
use serde_json::{Value, json};

use crate::server::{Deployment, Running, SECRET, free_port};
use crate::tools::{outcome, repository, run, with};

/// Many times what a proxy takes to start.
const START: Duration = Duration::from_mins(1);

/// A server behind a proxy.
struct Site {
    deployment: Deployment,
    https: u16,
    http: u16,
    authority: PathBuf,
    server: Running,
    _proxy: Running,
}

enum Proxy {
    Caddy,
    Nginx,
}

impl Site {
    async fn behind(proxy: &Proxy) -> Self {
        let (https, http) = (free_port(), free_port());
        let deployment = Deployment::new()
            .with("ENVIRONMENT", "production")
            .with("PUBLIC_URL", &format!("https://localhost:{https}"))
            .with("SECRET_KEY", SECRET)
            .with("MINDFLOW__SERVER__TRUSTED_PROXIES", "127.0.0.1,::1")
            .with("MINDFLOW__SERVER__PROXY_HEADER", "x-forwarded-for")
            .with("AUTH_RATE_LIMIT_PER_MINUTE", "5");
        let server = deployment.start();
        let folder = deployment.folder.path().join("proxy");
        fs::create_dir(&folder).unwrap();
        let (authority, process) = match proxy {
            Proxy::Caddy => caddy(&folder, &deployment, https, http),
            Proxy::Nginx => nginx(&folder, &deployment, https, http),
        };
        let site = Self { deployment, https, http, authority, server, _proxy: process };
        site.wait().await;
        site
    }

    async fn wait(&self) {
        let asked = async {
            while self.authority.metadata().map_or(0, |file| file.len()) == 0
                || self.client(Ipv4Addr::LOCALHOST).get(self.url("/health/live")).send().await.is_err()
            {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(START, asked).await.is_err() {
            let log = fs::read_to_string(self.deployment.folder.path().join("proxy/log")).unwrap_or_default();
            panic!("the proxy does not answer:\n{log}");
        }
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.https)
    }

    /// Somebody who calls from an address of this machine.
    fn client(&self, from: Ipv4Addr) -> Client {
        let mut builder = Client::builder().redirect(Policy::none()).no_proxy().local_address(IpAddr::V4(from));
        if let Ok(pem) = fs::read(&self.authority) {
            builder = builder.add_root_certificate(Certificate::from_pem(&pem).unwrap());
        }
        let address = (Ipv4Addr::LOCALHOST, self.https).into();
        builder.resolve("localhost", address).build().unwrap()
    }

    async fn sign_in(&self, from: Ipv4Addr, spoofed: &str) -> Response {
        let body = json!({"email": "nobody@example.org", "password": "wrong wrong wrong"}).to_string();
        let request = self.client(from).post(self.url("/api/auth/login")).header("content-type", "application/json");
        let request = request.header("x-forwarded-for", spoofed).header("forwarded", format!("for={spoofed}"));
        request.body(body).send().await.unwrap()
    }
}

fn spawn(folder: &Path, command: &mut std::process::Command) -> Running {
    let log = fs::File::create(folder.join("log")).unwrap();
    Running(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap())
}

/// The first line that a shell says: what comes after it is about how the program was brought.
fn where_is(needs: &[&str], question: &str) -> PathBuf {
    PathBuf::from(run(with(needs, "bash").args(["-c", question])).lines().next().unwrap())
}

fn caddy(folder: &Path, deployment: &Deployment, https: u16, http: u16) -> (PathBuf, Running) {
    let ports = format!("admin off\n\tlocal_certs\n\tskip_install_trust\n\thttp_port {http}\n\thttps_port {https}");
    let text = fs::read_to_string(repository().join("deploy/caddy/Caddyfile")).unwrap();
    let file = folder.join("Caddyfile");
    fs::write(&file, text.replacen("email {$ACME_EMAIL}", &ports, 1)).unwrap();
    let program = where_is(&["caddy"], "command -v caddy");
    let mut command = deployment.program(&program, &["run", "--adapter", "caddyfile", "--config"]);
    command.arg(&file).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
    command.env("MINDFLOW_SITE", format!("https://localhost:{https}"));
    command.env("MINDFLOW_UPSTREAM", format!("127.0.0.1:{}", deployment.port));
    (folder.join("caddy/pki/authorities/local/root.crt"), spawn(folder, &mut command))
}

fn nginx(folder: &Path, deployment: &Deployment, https: u16, http: u16) -> (PathBuf, Running) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2099, 1, 1));
    let certificate = params.self_signed(&key).unwrap().pem();
    let place = folder.display();
    fs::write(folder.join("fullchain.pem"), certificate).unwrap();
    fs::write(folder.join("privkey.pem"), key.serialize_pem()).unwrap();
    let site = fs::read_to_string(repository().join("deploy/nginx/mindflow.conf")).unwrap();
    let site = site
        .replace("/etc/letsencrypt/live/mindflow.example.org", &place.to_string())
        .replace("/var/log/nginx", &place.to_string())
        .replace("mindflow.example.org", "localhost")
        .replace("listen 80;", &format!("listen 127.0.0.1:{http};"))
        .replace("listen [::]:80;", "")
        .replace("listen 443 ssl http2;", &format!("listen 127.0.0.1:{https} ssl http2;"))
        .replace("listen [::]:443 ssl http2;", "")
        .replace("server 127.0.0.1:8000", &format!("server 127.0.0.1:{}", deployment.port))
        .replace("https://$host$request_uri", &format!("https://$host:{https}$request_uri"));
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {place}/{name};\n"))
        .concat();
    let file = folder.join("nginx.conf");
    let head = format!("daemon off;\npid {place}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{temporary}");
    // What runs as root becomes `nobody`, who must be able to come to its folders.
    fs::write(&file, format!("{head}{site}}}\n")).unwrap();
    let program = where_is(&["nginx"], "echo $MINDFLOW_TEST_NGINX");
    let (good, said) =
        outcome(deployment.program(&program, &["-t", "-q", "-e", "stderr", "-p"]).arg(folder).arg("-c").arg(&file));
    assert!(good, "{said}");
    // One process: it ends with this test, and is nobody else's parent.
    let mut command = deployment.program(&program, &["-e", "stderr", "-g", "master_process off;", "-p"]);
    let process = spawn(folder, command.arg(folder).arg("-c").arg(&file));
    (folder.join("fullchain.pem"), process)
}

/// What holds behind either proxy.
async fn prove(proxy: &Proxy) {
    let site = Site::behind(proxy).await;
    let client = site.client(Ipv4Addr::LOCALHOST);

    // Each header of the server's comes once, and none of the proxy's contradicts it.
    let health = client.get(site.url("/health")).header("origin", "https://chatgpt.com").send().await.unwrap();
    for name in [
        "strict-transport-security",
        "x-content-type-options",
        "x-frame-options",
        "content-security-policy",
        "referrer-policy",
        "permissions-policy",
        "access-control-allow-origin",
        "x-request-id",
        "date",
    ] {
        assert_eq!(health.headers().get_all(name).iter().count(), 1, "{name}: {:?}", health.headers());
    }
    assert_eq!(health.json::<Value>().await.unwrap()["status"], "healthy");

    // Plain HTTP leads to https; the figures are not for everybody.
    let plain = client.get(format!("http://localhost:{}/health", site.http)).send().await;
    let plain = plain.unwrap_or_else(|error| panic!("{error}"));
    let to = plain.headers()["location"].to_str().unwrap().to_owned();
    assert!(plain.status().is_redirection() && to.starts_with("https://localhost"), "{to}");
    assert_eq!(client.get(site.url("/metrics")).send().await.unwrap().status(), 404);

    // A body that is too large is refused by the server, in its own words.
    let large = client.post(site.url("/api/auth/login")).header("content-type", "application/json");
    let refused = large.body(vec![b' '; 6 * 1024 * 1024]).send().await.unwrap();
    assert_eq!(refused.status(), 413);
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn behind_caddy_requests_arrive_as_they_were_and_answers_too() {
    prove(&Proxy::Caddy).await;
}

#[tokio::test]
async fn behind_nginx_requests_arrive_as_they_were_and_answers_too() {
    prove(&Proxy::Nginx).await;
}

/// The sign-ins of an address are counted, whatever a client says that its address is.
async fn prove_addresses(proxy: &Proxy) {
    let site = Site::behind(proxy).await;
    let (one, other) = (Ipv4Addr::new(127, 0, 0, 11), Ipv4Addr::new(127, 0, 0, 12));

    let mut statuses = Vec::new();
    // A few more than are let in: some come back while a slow machine asks.
    for number in 0..15 {
        statuses.push(site.sign_in(one, &format!("203.0.113.{number}")).await.status().as_u16());
    }
    let elsewhere = site.sign_in(other, "203.0.113.0").await.status().as_u16();

    assert!(statuses[..3].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(statuses.contains(&429), "an invented address was counted: {statuses:?}");
    assert_eq!(elsewhere, 401, "all clients were counted as one");
}

#[tokio::test]
async fn behind_caddy_clients_are_told_apart_by_their_real_address() {
    prove_addresses(&Proxy::Caddy).await;
}

#[tokio::test]
async fn behind_nginx_clients_are_told_apart_by_their_real_address() {
    prove_addresses(&Proxy::Nginx).await;
}

#[tokio::test]
async fn a_proxy_without_a_server_answers_in_the_words_of_the_api() {
    for proxy in [&Proxy::Nginx, &Proxy::Caddy] {
        let mut site = Site::behind(proxy).await;
        site.server.0.kill().unwrap();
        site.server.0.wait().unwrap();

        let answer = site.client(Ipv4Addr::LOCALHOST).get(site.url("/api/tasks")).send().await.unwrap();

        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert!(answer.headers().contains_key("retry-after"));
        assert_eq!(answer.json::<Value>().await.unwrap()["status"], 503);
    }
}

#[tokio::test]
async fn doctor_finds_a_deployment_behind_nginx_in_order() {
    let site = Site::behind(&Proxy::Nginx).await;

    let (good, said) = outcome(site.deployment.mindflow(&["doctor", "--json", "--ca"]).arg(&site.authority));

    let told: Value = serde_json::from_str(said.trim()).unwrap_or_else(|error| panic!("{error}: {said}"));
    let findings = told["findings"].as_array().unwrap();
    let outside: Vec<_> =
        findings.iter().filter(|finding| finding["check"].as_str().unwrap().starts_with("outside")).collect();
    // On a port of its own of this machine, neither plain HTTP nor /metrics can be judged.
    assert!(good && outside.len() == 6, "{told:#}");
    assert!(outside.iter().all(|finding| finding["level"] == "ok"), "{told:#}");
}

/// Events come while they happen, not when a buffer is full.
async fn prove_events(proxy: &Proxy) {
    let site = Site::behind(proxy).await;
    let client = site.client(Ipv4Addr::new(127, 0, 0, 21));
    let person = json!({"email": "ada@example.org", "password": "correct horse battery staple"}).to_string();
    let post =
        |path: &str, body: String| client.post(site.url(path)).header("content-type", "application/json").body(body);
    let registered = post("/api/auth/register", person.clone()).send().await.unwrap();
    assert_eq!(registered.status(), 201);
    let session: Value = post("/api/auth/login", person).send().await.unwrap().json().await.unwrap();
    let token = session["access_token"].as_str().unwrap();

    let mut events = client.get(site.url("/api/events")).bearer_auth(token).send().await.unwrap();
    assert_eq!(events.headers()["content-type"].to_str().unwrap().split(';').next(), Some("text/event-stream"));
    let made = post("/api/tasks", json!({"title": "Buy milk"}).to_string()).bearer_auth(token).send().await.unwrap();
    let id = made.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned();
    let told = async {
        let mut text = String::new();
        while !text.contains(&id) {
            text.push_str(&String::from_utf8_lossy(&events.chunk().await.unwrap().unwrap()));
        }
    };

    assert!(tokio::time::timeout(START, told).await.is_ok(), "the event was held back");
}

#[tokio::test]
async fn behind_caddy_events_come_as_they_happen() {
    prove_events(&Proxy::Caddy).await;
}

#[tokio::test]
async fn behind_nginx_events_come_as_they_happen() {
    prove_events(&Proxy::Nginx).await;
}
