//! The command line: one file per subcommand, each thin.

pub mod backup;
pub mod client;
pub mod demo;
pub mod doctor;
pub mod health;
pub mod keys;
pub mod mail;
pub mod migrate;
pub mod openapi;
pub mod policy;
pub mod remote;
pub mod restore;
pub mod serve;
mod supervisor;
pub mod user;

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::policy::PolicyCommand;
use self::remote::RemoteCommand;
use crate::app::{App, Outside};
use crate::clock::Clock;
use crate::config::{Config, ConfigError, Loaded, LogFilter};
use crate::observe::logs::{self, Output};

/// The exit code of a start that failed: wrong arguments, configuration or surroundings.
const CANNOT_START: u8 = 2;

/// A self-hosted task server that answers: what should I do now, and why?
#[derive(Debug, Parser)]
#[command(name = "mindflow", version)]
struct Arguments {
    /// The configuration file; without it `MINDFLOW_CONFIG`, then `mindflow.toml` in this folder if it is there
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server (the default)
    Serve,
    /// Bring the database's schema up to date, or back
    Migrate(migrate::MigrateArgs),
    /// Check, explain and test policies; keep their versions, put them in force, take them back
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Make and change accounts
    User(user::UserArgs),
    /// List, retry and discard mail that waits or was given up
    #[command(subcommand)]
    Mail(mail::MailCommand),
    /// List and replace the keys that sign access tokens
    Keys(keys::KeysArgs),
    /// Make, list and remove the programs that may be connected
    Client(client::ClientArgs),
    /// Fill an account with some forty believable tasks
    Demo(demo::DemoArgs),
    /// Sign this program in at a server, from where one has no browser
    Login(remote::ServerArgs),
    /// Sign this program out
    Logout(remote::ServerArgs),
    /// Say who is signed in
    Whoami(remote::AskArgs),
    /// Say what to do now, and why
    Next(remote::NextArgs),
    /// Say by the exit code whether a server is ready
    Health(health::HealthArgs),
    /// Check a deployment, and say what to do
    Doctor(doctor::DoctorArgs),
    /// Make, list, prune and try backups
    Backup(backup::BackupArgs),
    /// Make the database from a backup
    Restore(restore::RestoreArgs),
    /// Write the OpenAPI document
    Openapi(openapi::OpenapiArgs),
}

/// Runs the program.
pub fn main() -> ExitCode {
    // Databases, backups and keys are nobody else's: no file of ours is ever open to others, not even while it is written.
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let arguments = Arguments::parse();
    let arguments = match remote_of(arguments) {
        Ok(command) => return at_server(command),
        Err(arguments) => *arguments,
    };
    let loaded = Config::load(arguments.config.as_deref(), std::env::vars_os());
    if let Some(Command::Doctor(args)) = &arguments.command {
        return diagnose(args, loaded.as_ref());
    }
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(error) => return cannot_start(&error),
    };
    let command = arguments.command.unwrap_or(Command::Serve);
    let command = match command {
        Command::Policy(command) if !matches!(command, PolicyCommand::Managed(_)) => {
            return ended(command.run(&loaded.config.policies.dir));
        }
        command => command,
    };
    if let Command::Health(args) = &command {
        return on_one_thread(health::run(args, &loaded.config.server, &mut io::stdout()));
    }
    if let Command::Openapi(args) = command {
        return ended(openapi::run(&args, &loaded.config, &mut io::stdout().lock()).map(|()| ExitCode::SUCCESS));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cannot_start(&error),
    };
    runtime.block_on(run(command, loaded))
}

/// What is done at a server, which needs no configuration of one.
fn remote_of(arguments: Arguments) -> Result<RemoteCommand, Box<Arguments>> {
    match arguments.command {
        Some(Command::Login(args)) => Ok(RemoteCommand::Login(args)),
        Some(Command::Logout(args)) => Ok(RemoteCommand::Logout(args)),
        Some(Command::Whoami(args)) => Ok(RemoteCommand::Whoami(args)),
        Some(Command::Next(args)) => Ok(RemoteCommand::Next(args)),
        _ => Err(Box::new(arguments)),
    }
}

fn at_server(command: RemoteCommand) -> ExitCode {
    on_one_thread(async {
        let around = remote::Surroundings::of_process();
        remote::run(command, &around, &mut io::stdout()).await.map(|()| ExitCode::SUCCESS)
    })
}

/// A configuration that cannot be read is one of the things to tell.
fn diagnose(args: &doctor::DoctorArgs, loaded: Result<&Loaded, &ConfigError>) -> ExitCode {
    if let Ok(loaded) = loaded {
        log_for_command(&loaded.config);
    }
    on_one_thread(doctor::run(args, loaded, &Clock::system(), &mut io::stdout()))
}

/// What asks a server needs no more than one thread.
fn on_one_thread(work: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => ended(runtime.block_on(work)),
        Err(error) => cannot_start(&error),
    }
}

async fn run(command: Command, loaded: Loaded) -> ExitCode {
    let config = loaded.config.clone();
    match command {
        Command::Serve => Box::pin(serve::run(loaded)).await,
        Command::Migrate(args) => {
            log_for_command(&config);
            ended(migrate::run(args, &config, &mut io::stdout()).await)
        }
        Command::Keys(args) => {
            log_for_command(&config);
            ended(keys::run(args, &config, Clock::system(), &mut io::stdout()).await.map(|()| ExitCode::SUCCESS))
        }
        Command::Backup(args) => {
            log_for_command(&config);
            ended(backup::run(args, &config, Clock::system(), &mut io::stdout()).await.map(|()| ExitCode::SUCCESS))
        }
        Command::Restore(args) => {
            log_for_command(&config);
            ended(restore::run(args, &config, &mut io::stdout()).await.map(|()| ExitCode::SUCCESS))
        }
        Command::User(args) => match Box::pin(with_app(config)).await {
            Ok(app) => ended(user::run(args, &app.accounts, &mut io::stdout()).await.map(|()| ExitCode::SUCCESS)),
            Err(code) => code,
        },
        Command::Client(args) => match Box::pin(with_app(config)).await {
            Ok(app) => ended(client::run(args, &app.clients, &mut io::stdout()).await.map(|()| ExitCode::SUCCESS)),
            Err(code) => code,
        },
        Command::Mail(command) => match Box::pin(with_app(config)).await {
            Ok(app) => ended(mail::run(command, &app.post, &mut io::stdout()).await.map(|()| ExitCode::SUCCESS)),
            Err(code) => code,
        },
        Command::Policy(PolicyCommand::Managed(command)) => match Box::pin(with_app(config)).await {
            Ok(app) => ended(policy::managed::run(command, &app, &mut io::stdout()).await),
            Err(code) => code,
        },
        Command::Demo(args) => match Box::pin(with_app(config)).await {
            Ok(app) => ended(demo::run(args, &app, &mut io::stdout()).await.map(|()| ExitCode::SUCCESS)),
            Err(code) => code,
        },
        Command::Doctor(_)
        | Command::Health(_)
        | Command::Policy(_)
        | Command::Openapi(_)
        | Command::Login(_)
        | Command::Logout(_)
        | Command::Whoami(_)
        | Command::Next(_) => ExitCode::SUCCESS,
    }
}

/// Starts the components that a command works with; a server may run on the same data meanwhile.
async fn with_app(config: Config) -> Result<App, ExitCode> {
    log_for_command(&config);
    // A command is over soon; what comes round is the servers' work.
    let mut config = config;
    config.background.enabled = false;
    let port = config.server.port;
    let outside = Outside::of(&config).map_err(|error| cannot_start(&error))?;
    App::start(config, outside, port).await.map_err(|error| cannot_start(&error))
}

/// A command says what it did itself; of the log only what is wrong belongs beside it, unless somebody chose a level.
fn log_for_command(config: &Config) {
    let chosen = &config.log.filter;
    let filter = if *chosen == LogFilter::default() { &LogFilter::warnings() } else { chosen };
    // On standard error no thread writes, so there is nothing to hold.
    drop(logs::init(config.server.environment, filter, Output::Stderr));
}

fn ended(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        // Who reads only the beginning (`… | head`) has seen enough.
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        eprintln!("mindflow: {error:#}");
        ExitCode::FAILURE
    })
}

/// One clear line (or one for each fault of the configuration), and the exit code that says so.
fn cannot_start(error: &(dyn StdError + 'static)) -> ExitCode {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line = format!("{line}: {cause}");
        source = cause.source();
    }
    eprintln!("mindflow: {line}");
    ExitCode::from(CANNOT_START)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn no_command_has_arguments_that_exclude_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn versions_of_policies_can_be_named() {
        for words in ["policy show default 0123456789ab", "policy activate default 0123456789ab"] {
            let words = std::iter::once("mindflow").chain(words.split(' '));
            assert!(Arguments::try_parse_from(words).is_ok());
        }
    }
}
