//! `mindflow serve`: the server.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use super::{cannot_start, supervisor};
use crate::app::{App, Outside, StartError};
use crate::config::{Config, Environment, Loaded};
use crate::http::serve::{Bound, bind, stop_signal};
use crate::observe::logs::{self, Output};
use crate::observe::reports;

/// Serves until Ctrl-C or SIGTERM; requests that run are finished first.
pub async fn run(loaded: Loaded) -> ExitCode {
    let Loaded { config, file, ignored } = loaded;
    // Before anything is written: a port in use must leave no trace.
    let bound = match bind(&config.server).await {
        Ok(bound) => bound,
        Err(error) => {
            let address = format!("{}:{}", config.server.host, config.server.port);
            return cannot_start(&io::Error::new(
                error.kind(),
                format!("cannot listen on {address} (`HOST`, `PORT`): {error}"),
            ));
        }
    };
    // Before the log, which then tells of errors here, too.
    let _reports = reports::start(&config.sentry, config.server.environment);
    let _log = logs::init(config.server.environment, &config.log.filter, Output::Stdout);
    for name in ignored {
        tracing::warn!(config.key = name, "this version does not know the setting; it is ignored");
    }
    let outside = match Outside::of(&config) {
        Ok(outside) => outside,
        Err(error) => return cannot_start(&error),
    };
    let app = match App::start(config, outside, bound.address().port()).await {
        Ok(app) => app,
        Err(error) => return cannot_start(&error),
    };
    let file = file.map_or_else(|| "no file; defaults and environment".to_owned(), |file| file.display().to_string());
    let has_users = app.accounts.has_users().await.unwrap_or(true);
    let banner = banner(&app.config, bound.address(), &file, if has_users { Greeting::Short } else { Greeting::First });
    if app.config.server.environment == Environment::Production {
        // Every line of the log is JSON there.
        tracing::info!(url = app.config.server.public_url(bound.address().port()), has_users, "ready");
    } else {
        // A closed standard output is no reason not to serve.
        let _ = io::stdout().write_all(banner.as_bytes()).and_then(|()| io::stdout().flush());
    }
    match serve(&app, bound).await {
        Ok(()) => {
            app.stop().await;
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(error) => cannot_start(&*error),
    }
}

async fn serve(app: &App, bound: Bound) -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = app.endpoint().map_err(StartError::from)?;
    supervisor::ready();
    let stop = async {
        stop_signal().await;
        supervisor::stopping();
    };
    bound.serve(endpoint, &app.config, Arc::clone(&app.health), stop).await;
    Ok(())
}

/// How much a start has to say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Greeting {
    Short,
    First,
}

fn banner(config: &Config, address: SocketAddr, file: &str, greeting: Greeting) -> String {
    let url = config.server.public_url(address.port());
    let docs = if config.server.enable_swagger { format!("{url}/docs") } else { "off (`ENABLE_SWAGGER`)".to_owned() };
    let mut text = format!(
        "\nMindFlow {} listens on {address}\n\n  API         {url}/api\n  Swagger UI  {docs}\n  Health      {url}/health\n  \
         Data        {}\n  Policies    {}\n  Settings    {file}\n\n",
        env!("CARGO_PKG_VERSION"),
        config.storage.data_dir.display(),
        config.policies.dir.display(),
    );
    if greeting == Greeting::First {
        text.push_str(
            "  There are no accounts yet. In another shell, in this folder:\n    mindflow user create --admin   \
             makes the operator's account\n    mindflow demo                  fills an account with forty tasks to play \
             with\n  (with cargo: cargo run --release -- user create --admin)\n\n",
        );
    }
    text
}
