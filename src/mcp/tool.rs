//! What a tool is: how it is described to models, and what runs when it is called.

use futures_util::future::BoxFuture;
use rmcp::model::{JsonObject, MetaObject, ToolAnnotations};
use serde_json::{Value, json};

use crate::accounts::{Caller, Scope};

use super::arguments::Arguments;
use super::outcome::Outcome;
use super::toolbox::Desk;
use super::widgets::Widget;

/// A tool.
pub struct Tool {
    /// Its name, which is the REST operation's where there is one.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// What it does, and when a model should use it.
    pub description: &'static str,
    /// What it does to the tasks.
    pub effect: Effect,
    /// What shows its result.
    pub widget: Option<Widget>,
    /// What is shown while it runs, and after.
    pub progress: (&'static str, &'static str),
    /// The schema of its arguments.
    pub input: fn() -> Value,
    /// The schema of its results.
    pub output: fn() -> Value,
    /// Notes what is wrong with the arguments that say more than their schema: dates, tasks, what goes with what.
    pub words: Words,
    /// Carries a call out.
    pub run: Run,
}

/// What widgets call when somebody clicks there.
const CALLED_BY_WIDGETS: [&str; 5] = ["complete_task", "snooze_task", "undo", "get_tasks", "get_ranked_tasks"];

/// Reads arguments for their faults alone; nothing is looked up or done.
pub type Words = fn(&Desk, &Caller, &mut Arguments);

/// Of a tool whose schema says all.
pub(super) const fn no_words(_: &Desk, _: &Caller, _: &mut Arguments) {}

/// A call under way.
pub type Run = for<'a> fn(&'a Desk, &'a Caller, Arguments) -> BoxFuture<'a, Outcome>;

/// An async function as a [`Run`].
macro_rules! run {
    ($function:path) => {
        |desk, caller, arguments| Box::pin($function(desk, caller, arguments))
    };
}
pub(super) use run;

/// What a tool does to the tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Reads,
    /// Something else, or something more, at each call.
    Adds,
    /// The same again when called again.
    Sets,
    /// The same, by a merge patch (RFC 7396), in which `null` empties.
    Patches,
    /// Takes something away.
    Deletes,
}

impl Effect {
    /// The scope that it needs.
    pub const fn scope(self) -> Scope {
        match self {
            Self::Reads => Scope::Read,
            Self::Adds | Self::Sets | Self::Patches | Self::Deletes => Scope::Write,
        }
    }

    fn annotations(self) -> ToolAnnotations {
        ToolAnnotations::new()
            .read_only(self == Self::Reads)
            .destructive(self == Self::Deletes)
            .idempotent(matches!(self, Self::Reads | Self::Sets | Self::Patches))
            .open_world(false)
    }
}

impl Tool {
    /// The tool as hosts list it; `widgets` says whether results may be shown by widgets.
    pub(super) fn described(&self, widgets: bool) -> rmcp::model::Tool {
        rmcp::model::Tool::new(self.name, self.description, fields((self.input)()))
            .with_title(self.title)
            .with_raw_output_schema(fields((self.output)()).into())
            .with_annotations(self.effect.annotations())
            .with_meta(MetaObject(self.meta(widgets)))
    }

    /// How hosts are told of access and looks: standard keys, and those that ChatGPT knows.
    fn meta(&self, widgets: bool) -> JsonObject {
        let mut meta = fields(json!({
            "securitySchemes": security_schemes(self.effect.scope()),
            "openai/toolInvocation/invoking": self.progress.0,
            "openai/toolInvocation/invoked": self.progress.1,
        }));
        if let Some(widget) = self.widget.filter(|_| widgets) {
            let uri = widget.uri();
            meta.insert("ui".to_owned(), json!({ "resourceUri": uri, "visibility": ["model", "app"] }));
            meta.insert("openai/outputTemplate".to_owned(), json!(uri));
        }
        if widgets && CALLED_BY_WIDGETS.contains(&self.name) {
            meta.insert("openai/widgetAccessible".to_owned(), json!(true));
        }
        meta
    }
}

/// How a caller gets to use a tool: only by OAuth, with these scopes.
fn security_schemes(scope: Scope) -> Value {
    let scopes: &[&str] = match scope {
        Scope::Read => &["read"],
        Scope::Write | Scope::Admin => &["read", "write"],
    };
    json!([{ "type": "oauth2", "scopes": scopes }])
}

fn fields(value: Value) -> JsonObject {
    match value {
        Value::Object(fields) => fields,
        _ => JsonObject::new(),
    }
}
