//! `mindflow policy learn`: other values of a policy's parameters, from what people did.

use std::io::Write;

use clap::Args;
use serde_json::{Value, json};

use super::decided::{Chosen, replay_json, replay_text};
use super::managed::Output;
use super::report;
use crate::app::App;
use crate::policies::decisions::learning::{LEAST_EXAMPLES, LearnQuestion, Learned, Lesson};
use crate::policies::decisions::objective::Agreement;
use crate::policies::versions::Actor;
use crate::scoring::params::ParamValue;

/// Arguments of `mindflow policy learn`.
#[derive(Debug, Args)]
pub struct LearnParams {
    /// The policy
    name: String,
    #[command(flatten)]
    chosen: Chosen,
    /// Which recommendations are held back, and in which order parameters are tried
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Say what was learned, and keep no draft
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    pub(super) output: Output,
}

/// Runs the command; what it has to say goes to `out`. Where nothing is to be proposed, it says why and fails.
pub(super) async fn run(args: LearnParams, app: &App, out: &mut dyn Write) -> anyhow::Result<()> {
    let question = LearnQuestion { decisions: args.chosen.open()?, seed: args.seed, is_dry: args.dry_run };
    let name = &args.name;
    match app.decisions.learn(Actor::Shell, name, question).await? {
        Lesson::NoParams => anyhow::bail!("the policy `{name}` declares no PARAMS, so there is nothing to learn"),
        Lesson::TooFew(count) => anyhow::bail!(
            "too little is known: of {count} kept recommendations one of the tasks was done; at least {LEAST_EXAMPLES} are \
             needed"
        ),
        Lesson::AsGoodAsItGets(now) => anyhow::bail!(
            "no other values agree better with what people did: of {} recommendations that were held back, the task that \
             was done stands at place {:.2}",
            now.examples,
            now.mean_place
        ),
        Lesson::NotBorneOut(learned) => anyhow::bail!(
            "what was learned is not borne out by the recommendations that were held back, so nothing is proposed. {}",
            learned.sentence()
        ),
        Lesson::Better { learned, draft, replay } => {
            let version = draft.as_ref().map(|draft| draft.version.version.as_str());
            if args.output.json {
                let value = json!({
                    "policy": name, "draft": version, "learned": learned_json(&learned), "replay": replay_json(&replay),
                });
                return Ok(out.write_all(report::json(&value)?.as_bytes())?);
            }
            let mut lines = vec![learned.sentence()];
            lines.push(match version {
                Some(version) => format!(
                    "{name}: version {version} is kept as a draft; `mindflow policy diff {name} --to {version}` shows it"
                ),
                None => format!("{name}: no draft is kept"),
            });
            lines.extend(replay_text(&replay));
            Ok(out.write_all(report::lines(&lines).as_bytes())?)
        }
    }
}

fn learned_json(learned: &Learned) -> Value {
    let change = |(name, from, to): &(String, ParamValue, ParamValue)| json!({ "name": name, "from": from, "to": to });
    let both = |both: &[Agreement; 2]| json!({ "before": both[0].as_json(), "after": both[1].as_json() });
    json!({
        "parent": learned.parent,
        "changes": learned.changes.iter().map(change).collect::<Vec<_>>(),
        "learned_from": both(&learned.learned_from), "held_back": both(&learned.held_back), "trials": learned.trials,
    })
}
