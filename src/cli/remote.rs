//! `mindflow login`, `logout`, `whoami`, `next`: this program as a client of a server, without a browser of its own.
//!
//! It signs in by device authorization (RFC 8628) as the built-in client `mindflow_cli`, or as one that it registers
//! (RFC 7591) where that is not known. What it gets is kept in `credentials`; `server` talks to the server.

mod credentials;
mod server;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use futures_util::future::BoxFuture;
use serde_json::Value;
use url::form_urlencoded;

use self::credentials::{Credential, Credentials};
use self::server::{Asked, Server};
use crate::clock::Clock;

/// Where a server is when nobody says where.
const DEFAULT_SERVER: &str = "http://127.0.0.1:8000";

/// Which server.
#[derive(Debug, Args)]
pub struct ServerArgs {
    /// The server's public URL; without it the one of the last login
    #[arg(long, value_name = "URL", env = "MINDFLOW_SERVER")]
    pub server: Option<String>,
}

/// Whom to ask, and how to show the answer.
#[derive(Debug, Args)]
pub struct AskArgs {
    /// Which server.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// What to ask of the ranking.
#[derive(Debug, Args)]
pub struct NextArgs {
    /// Whom.
    #[command(flatten)]
    pub ask: AskArgs,
    /// At this moment instead of now: a date, or a date and time
    #[arg(long, value_name = "WHEN")]
    pub at: Option<String>,
    /// Only tasks that fit into this many minutes
    #[arg(long, value_name = "MINUTES")]
    pub minutes: Option<u32>,
    /// By this policy instead of your own choice
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
}

impl NextArgs {
    /// Where the API answers it; there is one place in which it is said what may be asked, the server.
    fn path(&self) -> String {
        let minutes = self.minutes.map(|minutes| minutes.to_string());
        let asked = [("at", &self.at), ("available_minutes", &minutes), ("policy", &self.policy)];
        let asked = asked.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(asked).finish();
        if query.is_empty() { "/api/tasks/best".to_owned() } else { format!("/api/tasks/best?{query}") }
    }
}

/// What to do at a server.
#[derive(Debug)]
pub enum RemoteCommand {
    /// Sign in.
    Login(ServerArgs),
    /// Sign out.
    Logout(ServerArgs),
    /// Say who is signed in.
    Whoami(AskArgs),
    /// Say what to do now.
    Next(NextArgs),
}

/// What a command works with.
pub struct Surroundings {
    /// The folder of the user's configuration; `None` when the system names none.
    pub folder: Option<PathBuf>,
    /// The time.
    pub clock: Clock,
    /// Lets time pass between two questions whether somebody allowed it.
    pub wait: Wait,
}

/// A way to wait.
pub type Wait = Box<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

impl Surroundings {
    /// Those of this process: `$XDG_CONFIG_HOME`, `%APPDATA%` or `~/.config`.
    pub fn of_process() -> Self {
        let path = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = path("XDG_CONFIG_HOME").or_else(|| path("APPDATA"));
        let folder = folder.or_else(|| path("HOME").map(|home| home.join(".config")));
        Self {
            folder: folder.map(|folder| folder.join("mindflow")),
            clock: Clock::system(),
            wait: Box::new(|time| Box::pin(tokio::time::sleep(time))),
        }
    }

    fn folder(&self) -> anyhow::Result<&Path> {
        self.folder.as_deref().context("there is no folder for credentials; set XDG_CONFIG_HOME")
    }
}

/// Runs the command; what it has to say goes to `out`.
pub async fn run(command: RemoteCommand, around: &Surroundings, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let mut kept = Credentials::load(around.folder()?)?;
    match command {
        RemoteCommand::Login(args) => login(args, around, &mut kept, out).await,
        RemoteCommand::Logout(args) => logout(args, &mut kept, out).await,
        RemoteCommand::Whoami(args) => {
            let Asked { status, body } = ask(&args.server, around, &mut kept, "/api/auth/me").await?;
            if status != 200 {
                bail!("{}", problem(&body));
            }
            if args.json {
                return print_json(&body, out);
            }
            Ok(writeln!(out, "{}", body["email"].as_str().unwrap_or_default())?)
        }
        RemoteCommand::Next(args) => {
            let path = args.path();
            let args = args.ask;
            let Asked { status, body } = ask(&args.server, around, &mut kept, &path).await?;
            match status {
                200 if args.json => print_json(&body, out),
                200 => show(&body, out),
                404 if args.json => print_json(&Value::Null, out),
                404 => Ok(writeln!(out, "{}", problem(&body))?),
                _ => bail!("{}", problem(&body)),
            }
        }
    }
}

async fn login(
    args: ServerArgs,
    around: &Surroundings,
    kept: &mut Credentials,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let url = args.server.or_else(|| kept.current.clone()).unwrap_or_else(|| DEFAULT_SERVER.to_owned());
    let server = Server::find(&url).await?;
    let (client_id, device) = server.begin_device().await?;
    writeln!(out, "Open this page on any device and check that it shows the code {}:\n", device.user_code().secret())?;
    let complete = device.verification_uri_complete().map_or(device.verification_uri().as_str(), |url| url.secret());
    writeln!(out, "  {complete}\n\nWaiting …")?;
    out.flush()?;
    let tokens = server.finish_device(&client_id, &device, &around.wait).await?;
    let credential = Credential::new(client_id, &tokens, around.clock.now());
    kept.put(&server.issuer, credential);
    kept.save()?;
    let Asked { body, .. } = ask_as(&server.issuer, around, kept, "/api/auth/me").await?;
    Ok(writeln!(out, "Signed in at {} as {}.", server.issuer, body["email"].as_str().unwrap_or("somebody"))?)
}

async fn logout(args: ServerArgs, kept: &mut Credentials, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let issuer = known(&args, kept)?;
    if let Some(credential) = kept.servers.get(&issuer) {
        // What cannot be revoked now ends by itself; it is forgotten here either way.
        let revoked = match Server::find(&issuer).await {
            Ok(server) => server.revoke(credential).await,
            Err(error) => Err(error),
        };
        kept.remove(&issuer);
        kept.save()?;
        revoked.context("signed out here, but the server could not be told")?;
    }
    Ok(writeln!(out, "Signed out at {issuer}.")?)
}

/// Asks the server for a path as whoever is signed in.
async fn ask(args: &ServerArgs, around: &Surroundings, kept: &mut Credentials, path: &str) -> anyhow::Result<Asked> {
    let issuer = known(args, kept)?;
    ask_as(&issuer, around, kept, path).await
}

async fn ask_as(issuer: &str, around: &Surroundings, kept: &mut Credentials, path: &str) -> anyhow::Result<Asked> {
    let not_signed_in = || format!("nobody is signed in at {issuer}; run `mindflow login --server {issuer}`");
    let mut credential = kept.servers.get(issuer).cloned().with_context(not_signed_in)?;
    let http = server::client()?;
    if !credential.is_stale(around.clock.now()) {
        let asked = server::ask(&http, issuer, path, &credential.access_token).await?;
        if asked.status != 401 {
            return Ok(asked);
        }
    }
    let server = Server::find(issuer).await?;
    let tokens = server.refresh(&credential).await.with_context(not_signed_in)?;
    credential.renew(&tokens, around.clock.now());
    kept.put(issuer, credential.clone());
    kept.save()?;
    server::ask(&http, issuer, path, &credential.access_token).await
}

fn known(args: &ServerArgs, kept: &Credentials) -> anyhow::Result<String> {
    let named = args.server.as_deref().map(|url| url.trim_end_matches('/').to_owned());
    named.or_else(|| kept.current.clone()).context("nobody is signed in; run `mindflow login --server URL`")
}

/// The best task, and why it is that.
fn show(body: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    let text = |value: &Value| value.as_str().map(printable).unwrap_or_default();
    let task = &body["task"];
    writeln!(out, "{}", text(&task["title"]))?;
    if let Some(due) = task["due_date"].as_str() {
        writeln!(out, "  due {}", printable(due))?;
    }
    if let Some(minutes) = task["effort_estimate_minutes"].as_u64() {
        writeln!(out, "  about {minutes} min")?;
    }
    Ok(writeln!(out, "  {}", text(&body["reasoning"]["recommendation"]))?)
}

fn problem(body: &Value) -> String {
    let faults = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let fault = |fault: &Value| Some(format!("`{}` {}", fault["field"].as_str()?, fault["message"].as_str()?));
    let faults: Vec<String> = faults.iter().filter_map(fault).collect();
    if !faults.is_empty() {
        return printable(&faults.join("; "));
    }
    let told = body["detail"].as_str().or(body["title"].as_str()).or(body["error_description"].as_str());
    told.map_or_else(|| "the server gave an answer that cannot be read".to_owned(), printable)
}

/// Text of a server without what would command a terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn print_json(value: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    Ok(writeln!(out, "{}", serde_json::to_string_pretty(value)?)?)
}
