//! `mindflow openapi`: the API's document, as the server serves it.

use std::io::Write;

use clap::{Args, ValueEnum};

use crate::app::Api;
use crate::config::Config;
use crate::http::document::{self, ApiDocument};

/// In which form.
#[derive(Debug, Args)]
pub struct OpenapiArgs {
    /// The form
    #[arg(long, value_enum, default_value_t = Form::Json)]
    format: Form,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    Json,
    Yaml,
}

/// Writes the document to `out`.
pub fn run(args: &OpenapiArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<()> {
    let document = ApiDocument::of::<Api>().served_at(&config.server.public_url(config.server.port));
    match args.format {
        Form::Json => writeln!(out, "{}", serde_json::to_string_pretty(&document.value)?)?,
        Form::Yaml => write!(out, "{}", document::to_yaml(&document.value))?,
    }
    Ok(())
}
