//! `mindflow policy schema`: what may stand in a policy.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use crate::policies::schema::schema;

use super::{Script, exit_code, print, report};

/// Arguments of `mindflow policy schema`.
#[derive(Debug, Args)]
pub struct PolicySchema {
    /// A policy whose own parameters are told as well
    #[arg(value_name = "POLICY")]
    policy: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl PolicySchema {
    pub(super) fn run(&self, policies_dir: &Path) -> anyhow::Result<ExitCode> {
        let mut schema = schema();
        if let Some(given) = &self.policy {
            let policy = match Script::read(given, policies_dir)?.check()? {
                Ok(policy) => policy,
                Err(faults) => {
                    print(&report::lines(&faults.iter().map(ToString::to_string).collect::<Vec<_>>()))?;
                    return Ok(exit_code(false));
                }
            };
            schema["own_params"] = serde_json::to_value(policy.params())?;
        }
        print(&if self.json { report::json(&schema)? } else { text(&schema) })?;
        Ok(exit_code(true))
    }
}

/// One line a name.
fn text(schema: &Value) -> String {
    let mut lines = Vec::new();
    let say = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for (owner, fields) in [("task", &schema["task"]), ("ctx", &schema["ctx"]), ("ctx.params", &schema["own_params"])] {
        for field in fields.as_array().into_iter().flatten() {
            let nothing = if field["nullable"] == true { " or ()" } else { "" };
            let about = if field["about"].is_null() { say(&field["label"]) } else { say(&field["about"]) };
            lines.push(format!(
                "{owner}.{}  {}{nothing}{}  {about}",
                say(&field["name"]),
                say(&field["type"]),
                bounds(field)
            ));
        }
    }
    for function in schema["functions"].as_array().into_iter().flatten() {
        lines.push(format!("{}  {}", say(&function["example"]), say(&function["about"])));
    }
    report::lines(&lines)
}

fn bounds(field: &Value) -> String {
    if let (Some(min), Some(max)) = (field["min"].as_f64(), field["max"].as_f64()) {
        return format!(" {min} to {max}");
    }
    let words = field["words"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}
