//! Prompts: conversations that people begin with a click.

use rmcp::model::{GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage, Role};

use super::wording::quoted;

/// A prompt, and what the model is asked to do.
pub struct Recipe {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    argument: Option<Asked>,
    text: &'static str,
}

/// What a prompt asks of the person.
struct Asked {
    name: &'static str,
    description: &'static str,
    required: bool,
    /// Whether titles of tasks complete it.
    is_task: bool,
    /// What is said in its place when it is left out.
    otherwise: &'static str,
}

const RECIPES: [Recipe; 3] = [
    Recipe {
        name: "daily_review",
        title: "Daily review",
        description: "Look at what is overdue and due, choose what to do today, and plan it.",
        argument: Some(Asked {
            name: "available_minutes",
            description: "How many minutes there are for tasks today",
            required: false,
            is_task: false,
            otherwise: "the rest of the day",
        }),
        text: "Let us review my day. Time for tasks: {}.\n\
               1. List what is overdue or due today (get_tasks with due_before tomorrow).\n\
               2. Ask me about each overdue task: do it today, move it, or drop it; then carry that out.\n\
               3. Plan the day with plan_day and show me the plan.\n\
               4. Tell me what to begin with (get_best_task) and why.",
    },
    Recipe {
        name: "weekly_planning",
        title: "Weekly planning",
        description: "Clear the list, then decide what matters in the coming week.",
        argument: Some(Asked {
            name: "focus",
            description: "What the week should be about",
            required: false,
            is_task: false,
            otherwise: "whatever matters most",
        }),
        text: "Let us plan my week. Its focus: {}.\n\
               1. Show what I completed in the last seven days (get_tasks, status completed), in one sentence.\n\
               2. Go through overdue tasks and those without a date (get_ranked_tasks); suggest for each whether to \
               keep, move, shorten or drop it, and ask before changing anything.\n\
               3. Propose the three results that matter most this week and give them priorities and dates I agree with.\n\
               4. Warn me of days that are too full.",
    },
    Recipe {
        name: "break_down_task",
        title: "Break a task down",
        description: "Turn a large task into steps that can be done.",
        argument: Some(Asked {
            name: "task",
            description: "The task, by its title or in your words",
            required: true,
            is_task: true,
            otherwise: "",
        }),
        text: "Help me break down the task {}.\n\
               1. Look at it (search, fetch).\n\
               2. Propose three to seven steps, each doable in one sitting, with minutes.\n\
               3. When I agree, make them with create_task, with parent_id set to the task.\n\
               4. Say which step to begin with.",
    },
];

impl Recipe {
    fn described(&self) -> Prompt {
        let arguments = self.argument.as_ref().map(|asked| {
            vec![PromptArgument::new(asked.name).with_description(asked.description).with_required(asked.required)]
        });
        Prompt::new(self.name, Some(self.description), arguments).with_title(self.title)
    }
}

/// Every prompt.
pub fn list() -> Vec<Prompt> {
    RECIPES.iter().map(Recipe::described).collect()
}

/// A prompt by its name.
pub fn find(name: &str) -> Option<&'static Recipe> {
    RECIPES.iter().find(|recipe| recipe.name == name)
}

/// Whether an argument of a prompt is a task.
pub fn takes_task(name: &str, argument: &str) -> bool {
    find(name).and_then(|recipe| recipe.argument.as_ref()).is_some_and(|asked| asked.is_task && asked.name == argument)
}

/// A prompt with its argument filled in.
///
/// # Errors
///
/// What is wrong, as a sentence: there is no such prompt, or an argument is missing, unknown or no text.
pub fn get(name: &str, arguments: &JsonObject) -> Result<GetPromptResult, String> {
    let recipe = find(name).ok_or_else(|| format!("Unknown prompt: {name}"))?;
    let asked = recipe.argument.as_ref();
    if let Some(unknown) = arguments.keys().find(|given| asked.is_none_or(|asked| asked.name != **given)) {
        return Err(format!("`{unknown}` is no argument of {name}"));
    }
    let filled = match asked {
        None => String::new(),
        Some(asked) => match arguments.get(asked.name) {
            Some(value) => quoted(value.as_str().ok_or_else(|| format!("`{}` must be a string", asked.name))?),
            None if asked.required => return Err(format!("`{}` is required: {}", asked.name, asked.description)),
            None => asked.otherwise.to_owned(),
        },
    };
    let message = PromptMessage::new_text(Role::User, recipe.text.replacen("{}", &filled, 1));
    Ok(GetPromptResult::new(vec![message]).with_description(recipe.description))
}
