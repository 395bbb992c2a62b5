//! `mindflow user`: people with accounts, from the operator's shell.

use std::io::{self, Read as _, Write};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::accounts::registration::NewAccount;
use crate::accounts::{AccountError, Accounts, Role, Status, User};

/// What to do with whom.
#[derive(Debug, Args)]
pub struct UserArgs {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Make an account, whatever the mode of registration
    Create(CreateArgs),
    /// List all accounts, oldest first
    List {
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Make somebody an operator
    SetAdmin {
        /// Their e-mail address
        email: String,
        /// Take the role away instead
        #[arg(long)]
        off: bool,
    },
    /// Shut somebody out; their data stays
    Disable {
        /// Their e-mail address
        email: String,
    },
    /// Let somebody in again
    Enable {
        /// Their e-mail address
        email: String,
    },
    /// Give somebody a new password, which ends their sessions
    SetPassword {
        /// Their e-mail address
        email: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Print a code with which one person can register within seven days
    Invite {
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// The e-mail address; asked for when it is left out
    #[arg(long)]
    email: Option<String>,
    #[command(flatten)]
    password: PasswordArgs,
    /// What to call the person
    #[arg(long)]
    name: Option<String>,
    /// Their IANA time zone, such as Europe/Vienna
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// Make them an operator
    #[arg(long)]
    admin: bool,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// Without any of these the password is asked for.
#[derive(Debug, Args)]
struct PasswordArgs {
    /// The password; others on this machine may see it, so prefer --password-stdin
    #[arg(long, conflicts_with = "password_stdin")]
    password: Option<String>,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
}

/// An account as it is listed.
#[derive(Serialize)]
struct Line<'a> {
    id: String,
    email: &'a str,
    full_name: Option<&'a str>,
    role: &'static str,
    status: &'static str,
    time_zone: &'static str,
    created_at: String,
}

impl<'a> Line<'a> {
    fn of(user: &'a User) -> Self {
        Self {
            id: user.id.to_string(),
            email: &user.email,
            full_name: user.full_name.as_deref(),
            role: user.role.as_str(),
            status: user.status.as_str(),
            time_zone: user.zone.name(),
            created_at: user.created_at.to_string(),
        }
    }
}

/// Runs the subcommand; what it has to say goes to `out`.
pub async fn run(args: UserArgs, accounts: &Accounts, out: &mut dyn Write) -> anyhow::Result<()> {
    match args.command {
        UserCommand::Create(args) => create(args, accounts, out).await,
        UserCommand::List { json } => list(&accounts.list_users().await?, json, out),
        UserCommand::SetAdmin { email, off } => {
            let role = if off { Role::User } else { Role::Admin };
            let user = accounts.set_role(&email, role).await?;
            let what = if off { "is no operator any more" } else { "is an operator now" };
            Ok(writeln!(out, "{} {what}.", user.email)?)
        }
        UserCommand::Disable { email } => {
            let user = accounts.set_status(&email, Status::Disabled).await?;
            Ok(writeln!(out, "{} is shut out; their sessions have ended.", user.email)?)
        }
        UserCommand::Enable { email } => {
            let user = accounts.set_status(&email, Status::Active).await?;
            Ok(writeln!(out, "{} may sign in again.", user.email)?)
        }
        UserCommand::SetPassword { email, password } => {
            accounts.set_password(&email, &read_password(password)?).await.map_err(told)?;
            Ok(writeln!(out, "The password of {email} is changed; their sessions have ended.")?)
        }
        UserCommand::Invite { json } => invite(accounts, json, out).await,
    }
}

async fn create(args: CreateArgs, accounts: &Accounts, out: &mut dyn Write) -> anyhow::Result<()> {
    let CreateArgs { email, password, name, zone, admin, json } = args;
    let email = email.map_or_else(|| ask("E-mail address: "), Ok)?;
    let password = read_password(password)?.to_string();
    let role = if admin { Role::Admin } else { Role::User };
    let new = NewAccount { email, password, full_name: name, time_zone: Some(zone) };
    let user = accounts.create_user(new, role).await.map_err(told)?;
    if json {
        return print_json(&Line::of(&user), out);
    }
    let what = if admin { "Operator" } else { "User" };
    Ok(writeln!(out, "{what} {} is made (id {}).", user.email, user.id)?)
}

fn list(users: &[User], json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let lines: Vec<Line<'_>> = users.iter().map(Line::of).collect();
    if json {
        return print_json(&lines, out);
    }
    if lines.is_empty() {
        writeln!(out, "There are no accounts. Make the first with `mindflow user create --admin`.")?;
    }
    for line in lines {
        let Line { id, email, role, status, time_zone, created_at, .. } = line;
        writeln!(out, "{id}  {role:5}  {status:8}  {created_at}  {email}  ({time_zone})")?;
    }
    Ok(())
}

async fn invite(accounts: &Accounts, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let (code, expires_at) = accounts.invite().await?;
    if json {
        return print_json(&serde_json::json!({ "invite": code, "expires_at": expires_at }), out);
    }
    Ok(writeln!(out, "{code}\n\nGood for one registration until {expires_at}. It is not shown again.")?)
}

fn print_json(value: &impl Serialize, out: &mut dyn Write) -> anyhow::Result<()> {
    Ok(writeln!(out, "{}", serde_json::to_string_pretty(value)?)?)
}

/// Each fault of the input, named by its option.
fn told(error: AccountError) -> anyhow::Error {
    let AccountError::Invalid(faults) = error else { return error.into() };
    let option = |field: &str| match field {
        "/full_name" => "--name".to_owned(),
        "/time_zone" => "--zone".to_owned(),
        other => format!("--{}", other.trim_start_matches('/')),
    };
    let lines: Vec<String> = faults.iter().map(|fault| format!("{} {}", option(&fault.field), fault.message)).collect();
    anyhow::anyhow!("{}", lines.join("; "))
}

fn ask(question: &str) -> anyhow::Result<String> {
    write!(io::stderr(), "{question}")?;
    let mut line = String::new();
    io::stdin().read_line(&mut line).context("nobody answers on standard input")?;
    Ok(line.trim().to_owned())
}

fn read_password(args: PasswordArgs) -> anyhow::Result<Zeroizing<String>> {
    if let Some(password) = args.password {
        return Ok(Zeroizing::new(password));
    }
    if args.password_stdin {
        let mut text = Zeroizing::new(String::new());
        io::stdin().read_to_string(&mut text).context("the password on standard input cannot be read")?;
        return Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    let no_terminal = "the password cannot be asked for here; use --password-stdin";
    let password = Zeroizing::new(rpassword::prompt_password("Password: ").context(no_terminal)?);
    let again = Zeroizing::new(rpassword::prompt_password("Again: ").context(no_terminal)?);
    if *password != *again {
        bail!("the two passwords differ");
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::accounts::tests::{GOOD, World, worlds};

    #[derive(Parser)]
    struct Shell {
        #[command(flatten)]
        args: UserArgs,
    }

    async fn shell(world: &World, line: &str) -> Result<String, String> {
        let mut words = vec!["user"];
        words.extend(line.split(' '));
        if line.starts_with("create") || line.starts_with("set-password") {
            words.extend(["--password", GOOD]);
        }
        let args = Shell::try_parse_from(words).map_err(|error| error.to_string())?.args;
        let mut out = Vec::new();
        run(args, &world.accounts, &mut out).await.map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[tokio::test]
    async fn an_operator_is_made_listed_and_changed_from_the_shell() {
        let world = worlds().await.remove(0);
        assert!(shell(&world, "list").await.unwrap().contains("mindflow user create --admin"));

        let made =
            shell(&world, "create --email eve@example.org --name Eve --zone Europe/Vienna --admin").await.unwrap();
        assert!(made.starts_with("Operator eve@example.org is made"), "{made}");
        let listed = shell(&world, "list --json").await.unwrap();
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        assert_eq!((&listed[0]["role"], &listed[0]["time_zone"]), (&"admin".into(), &"Europe/Vienna".into()));

        for (line, said) in [
            ("set-admin eve@example.org --off", "is no operator any more"),
            ("set-admin EVE@example.org", "is an operator now"),
            ("disable eve@example.org", "is shut out"),
            ("enable eve@example.org", "may sign in again"),
            ("set-password eve@example.org", "is changed"),
        ] {
            assert!(shell(&world, line).await.unwrap().contains(said), "{line}");
        }
        assert!(shell(&world, "invite").await.unwrap().lines().next().unwrap().len() == 43);
    }

    #[tokio::test]
    async fn what_is_wrong_is_named_by_its_option() {
        let world = worlds().await.remove(0);

        let error = shell(&world, "create --email eve --zone Mars").await.unwrap_err();
        assert!(error.contains("--email must be an e-mail address") && error.contains("--zone must be"), "{error}");
        let error = shell(&world, "disable bob@example.org").await.unwrap_err();
        assert_eq!(error, "there is no account with the e-mail address `bob@example.org`");
    }
}
