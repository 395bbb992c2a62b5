//! `mindflow client`: the programs that may be connected, from the operator's shell.

use std::io::Write;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use crate::oauth::description::{AUTHORIZATION_CODE, DEVICE_CODE};
use crate::oauth::static_clients::NewClient;
use crate::oauth::{Client, Clients, OAuthError};

/// What to do with which client.
#[derive(Debug, Args)]
pub struct ClientArgs {
    #[command(subcommand)]
    command: ClientCommand,
}

#[derive(Debug, Subcommand)]
enum ClientCommand {
    /// Make a client; its secret is shown once
    Create(CreateArgs),
    /// List all clients, oldest first: made here, registered by themselves, or described by a document
    List {
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a client; what people allowed it ends at once
    Delete {
        /// Its client_id
        client_id: String,
    },
    /// Give a client a new secret; the old one ends at once
    RotateSecret {
        /// Its client_id
        client_id: String,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
}

/// How a client proves who it is.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Method {
    None,
    ClientSecretBasic,
    ClientSecretPost,
    PrivateKeyJwt,
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// What people read when they are asked to allow it
    #[arg(long)]
    name: String,
    /// Where answers may be sent; may be given several times
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// Its name in the protocol; made up when it is left out
    #[arg(long)]
    client_id: Option<String>,
    /// It cannot keep a secret: the same as --auth-method none
    #[arg(long, conflicts_with = "auth_method")]
    public: bool,
    /// How it proves who it is; with a secret in either place when it is left out
    #[arg(long, value_enum)]
    auth_method: Option<Method>,
    /// Where its public keys are, for private_key_jwt
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<String>,
    /// The scopes it may ask for, separated by blanks; all but admin when it is left out
    #[arg(long)]
    scope: Option<String>,
    /// It may sign in where there is no browser (RFC 8628)
    #[arg(long)]
    device: bool,
    /// Its home page
    #[arg(long, value_name = "URL")]
    client_uri: Option<String>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

impl CreateArgs {
    /// The client in the words of RFC 7591.
    fn fields(&self) -> Map<String, Value> {
        let method = match (self.public, self.auth_method) {
            (true, _) | (_, Some(Method::None)) => Some("none"),
            (_, Some(Method::ClientSecretBasic)) => Some("client_secret_basic"),
            (_, Some(Method::ClientSecretPost)) => Some("client_secret_post"),
            (_, Some(Method::PrivateKeyJwt)) => Some("private_key_jwt"),
            (_, None) => None,
        };
        let mut grants = Vec::new();
        if !self.redirect_uri.is_empty() || !self.device {
            grants.push(AUTHORIZATION_CODE);
        }
        if self.device {
            grants.push(DEVICE_CODE);
        }
        let fields = [
            ("client_name", json!(self.name)),
            ("redirect_uris", json!(self.redirect_uri)),
            ("token_endpoint_auth_method", json!(method)),
            ("jwks_uri", json!(self.jwks_uri)),
            ("scope", json!(self.scope)),
            ("grant_types", json!(grants)),
            ("client_uri", json!(self.client_uri)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// Runs the subcommand; what it has to say goes to `out`.
pub async fn run(args: ClientArgs, clients: &Clients, out: &mut dyn Write) -> anyhow::Result<()> {
    match args.command {
        ClientCommand::Create(args) => create(args, clients, out).await,
        ClientCommand::List { json } => list(&clients.list().await.map_err(told)?, json, out),
        ClientCommand::Delete { client_id } => {
            let client = clients.delete(&client_id).await.map_err(told)?;
            Ok(writeln!(out, "{} ({}) is removed; what people allowed it has ended.", client.client_id, client.name)?)
        }
        ClientCommand::RotateSecret { client_id, json } => {
            let (client, secret) = clients.rotate_secret(&client_id).await.map_err(told)?;
            show(&client, Some(&secret), json, out)
        }
    }
}

async fn create(args: CreateArgs, clients: &Clients, out: &mut dyn Write) -> anyhow::Result<()> {
    let (fields, json) = (args.fields(), args.json);
    let (client, secret) =
        clients.create_static(NewClient { client_id: args.client_id, fields }).await.map_err(told)?;
    show(&client, secret.as_deref(), json, out)
}

/// A client, and its secret for the only time.
fn show(client: &Client, secret: Option<&str>, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        let mut line = line(client);
        if let Some(secret) = secret {
            line["client_secret"] = json!(secret);
        }
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&line)?)?);
    }
    writeln!(out, "client_id      {}", client.client_id)?;
    match secret {
        Some(secret) => Ok(writeln!(out, "client_secret  {secret}\n\nThe secret is not shown again.")?),
        None => Ok(()),
    }
}

fn list(clients: &[Client], json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        let lines: Vec<Value> = clients.iter().map(line).collect();
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&lines)?)?);
    }
    for client in clients {
        let methods: Vec<&str> = client.auth_methods.iter().map(|method| method.as_str()).collect();
        let (kind, methods) = (client.kind.as_str(), methods.join(" "));
        writeln!(out, "{}  {kind:10}  {methods:19}  {}  {}", client.created_at, client.client_id, client.name)?;
        for uri in &client.metadata.redirect_uris {
            writeln!(out, "    {uri}")?;
        }
    }
    Ok(())
}

fn line(client: &Client) -> Value {
    let methods: Vec<&str> = client.auth_methods.iter().map(|method| method.as_str()).collect();
    json!({
        "client_id": client.client_id,
        "client_name": client.name,
        "kind": client.kind.as_str(),
        "token_endpoint_auth_method": methods.first(),
        "token_endpoint_auth_methods": methods,
        "redirect_uris": client.metadata.redirect_uris,
        "grant_types": client.metadata.grant_types,
        "scope": client.scopes.to_string(),
        "created_at": client.created_at,
        "last_used_at": client.last_used_at,
        "expires_at": client.expires_at,
    })
}

/// What is wrong, without the protocol's code; a failure of this program with its cause.
fn told(error: OAuthError) -> anyhow::Error {
    if error.cause.is_some() {
        return error.into();
    }
    anyhow::anyhow!("{}", error.description)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::oauth::clients::tests::{World, worlds};

    #[derive(Parser)]
    struct Shell {
        #[command(flatten)]
        args: ClientArgs,
    }

    async fn shell(world: &World, line: &str) -> Result<String, String> {
        let words = ["client"].into_iter().chain(line.split(' '));
        let args = Shell::try_parse_from(words).map_err(|error| error.to_string())?.args;
        let mut out = Vec::new();
        run(args, &world.clients, &mut out).await.map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[tokio::test]
    async fn a_client_is_made_listed_changed_and_removed_from_the_shell() {
        let world = worlds().await.remove(0);
        let made = shell(&world, "create --name Panel --redirect-uri https://p.example/cb --json").await.unwrap();
        let made: Value = serde_json::from_str(&made).unwrap();
        let (client_id, secret) = (made["client_id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());

        let listed = shell(&world, "list --json").await.unwrap();
        assert!(listed.contains(client_id) && !listed.contains(secret));
        assert!(shell(&world, "list").await.unwrap().contains("https://p.example/cb"));
        let fresh = shell(&world, &format!("rotate-secret {client_id}")).await.unwrap();
        assert!(fresh.contains("client_secret  mfs_") && !fresh.contains(secret));
        assert!(shell(&world, &format!("delete {client_id}")).await.unwrap().contains("is removed"));
        assert_eq!(shell(&world, "list --json").await.unwrap().trim(), "[]");
    }

    #[tokio::test]
    async fn public_clients_have_no_secret_and_wrong_ones_are_refused() {
        let world = worlds().await.remove(0);

        let made =
            shell(&world, "create --name A --public --client-id a --redirect-uri http://localhost/").await.unwrap();
        assert_eq!(made, "client_id      a\n");
        shell(&world, "create --name B --public --device --client-id b").await.unwrap();
        for (line, said) in [
            ("create --name C --redirect-uri http://c.example/", "`redirect_uris[0]` may use http"),
            ("create --name C --public", "`redirect_uris` must hold"),
            ("create --name C --public --redirect-uri https://c.example/ --client-id a", "already"),
            ("create --name C --public --redirect-uri https://c.example/ --client-id https://c", "letters"),
            ("create --name C --auth-method private_key_jwt --redirect-uri https://c.example/", "needs `jwks`"),
            ("rotate-secret a", "the client has no secret"),
            ("rotate-secret nobody", "there is no such client"),
            ("delete nobody", "there is no such client"),
        ] {
            let error = shell(&world, line).await.unwrap_err();
            assert!(error.contains(said), "{line}: {error}");
        }
    }
}
