//! Which task somebody means by words: "the dentist one", "report", "call mum".
//!
//! Three questions are asked, and the first that finds anything answers:
//!
//! 1. Does a title consist of these words?
//! 2. Does a title have all of these words, but for those that say nothing ("the", "task", …)?
//! 3. Do all of them begin words of title or description?
//!
//! One task is the answer only when nothing else answers the same question as well: it is never a guess.

use uuid::Uuid;

use crate::accounts::Caller;
use crate::ids::TaskId;

use super::Tasks;
use super::error::TaskError;
use super::filter::{Sort, TaskFilter};
use super::search::{SearchTerms, WORDS_MAX};
use super::task::{Status, Task};
use super::text::name_key;

/// The most tasks that are named when several could be meant.
pub const SEVERAL_MAX: u32 = 10;
/// The most titles without a letter or digit that are looked at.
const WORDLESS_MAX: u32 = 200;

/// Words that say nothing about which task is meant.
const FILLERS: [&str; 33] = [
    "the", "a", "an", "my", "our", "this", "that", "these", "those", "it", "one", "ones", "task", "tasks", "todo",
    "todos", "item", "thing", "things", "stuff", "about", "for", "of", "to", "with", "on", "in", "and", "is", "called",
    "named", "titled", "please",
];

const OPEN: [Status; 3] = [Status::Pending, Status::InProgress, Status::Snoozed];
const DONE: [Status; 1] = [Status::Completed];

/// Among which tasks somebody looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Among {
    /// What is still to be done; what is completed only when nothing open could be meant.
    Open,
    /// Everything that is not deleted.
    Any,
}

/// What words pointed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The task that is meant.
    One(Box<Task>),
    /// Tasks that could be meant, at most ten: open ones first, then the best match, then the newest.
    Several(Vec<Task>),
    /// Nothing.
    None,
}

/// A way to ask; see the module's documentation.
#[derive(Clone, Copy, Debug)]
enum Question {
    SameTitle,
    InTitle,
    Anywhere,
}

impl Question {
    const ALL: [Self; 3] = [Self::SameTitle, Self::InTitle, Self::Anywhere];
}

impl Tasks {
    /// Finds the caller's task that `words` mean; a task's id means that task.
    pub async fn find_by_words(&self, caller: &Caller, words: &str, among: Among) -> Result<Found, TaskError> {
        let words = words.trim();
        if let Ok(id) = Uuid::try_parse(words)
            && let Some(task) = self.store().find_task(caller.user_id, TaskId(id)).await?
            && task.deleted_at.is_none()
        {
            return Ok(Found::One(Box::new(task)));
        }
        let rounds: &[&[&[Status]]] = match among {
            Among::Open => &[&[&OPEN], &[&DONE]],
            Among::Any => &[&[&OPEN, &DONE]],
        };
        for round in rounds {
            for question in Question::ALL {
                let mut tasks = Vec::new();
                for statuses in *round {
                    tasks.extend(self.answers(caller, words, question, statuses).await?);
                }
                match tasks.len() {
                    0 => {}
                    1 => return Ok(tasks.pop().map_or(Found::None, |task| Found::One(Box::new(task)))),
                    _ => {
                        tasks.truncate(SEVERAL_MAX as usize);
                        return Ok(Found::Several(tasks));
                    }
                }
            }
        }
        Ok(Found::None)
    }

    async fn answers(
        &self,
        caller: &Caller,
        words: &str,
        question: Question,
        statuses: &[Status],
    ) -> Result<Vec<Task>, TaskError> {
        let terms = SearchTerms::parse(words);
        let search = match question {
            Question::SameTitle => return self.same_title(caller, words, statuses).await,
            _ if terms.words().is_empty() => return Ok(Vec::new()),
            // A search leaves words out when there are too many; who points means every one.
            _ if words.split_whitespace().count() > WORDS_MAX => return Ok(Vec::new()),
            Question::InTitle => terms.without(is_filler).in_title(),
            Question::Anywhere => terms.without(is_filler),
        };
        let filter = TaskFilter { statuses: statuses.to_vec(), search: Some(search), ..TaskFilter::default() };
        let rows = self.store().list_tasks(caller.user_id, &filter, Sort::Relevance, None, SEVERAL_MAX).await?;
        Ok(rows.into_iter().map(|(_, task)| task).collect())
    }

    /// Titles of the same words; of several those that have the same signs too, if there are any.
    async fn same_title(&self, caller: &Caller, words: &str, statuses: &[Status]) -> Result<Vec<Task>, TaskError> {
        let wordless = SearchTerms::parse(words).words().is_empty();
        let limit = if wordless { WORDLESS_MAX } else { SEVERAL_MAX };
        let tasks = self.store().list_by_title(caller.user_id, statuses, words, limit).await?;
        let key = name_key(words);
        let is_same = |task: &Task| name_key(&task.title) == key;
        if wordless || tasks.iter().any(is_same) {
            return Ok(tasks.into_iter().filter(is_same).take(SEVERAL_MAX as usize).collect());
        }
        Ok(tasks)
    }
}

fn is_filler(word: &str) -> bool {
    FILLERS.contains(&word)
}
