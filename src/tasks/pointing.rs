//! Which task somebody means by words: "the dentist one", "report", "call mum".
//!
//! Three questions are asked, and the first that finds anything answers:
//!
//! 1. Does a title consist of these words?
//! 2. Does a title have all of these words, but for those that say nothing ("the", "task", …)?
//! 3. Do all of them begin words of title or description?
//!
//! One task is the answer only when nothing else answers the same question as well: it is never a guess.
//!
//! Who asks twice, because the first answer was lost, must not do it to two tasks. So what was completed or deleted within the
//! last hour still answers its question, and nothing that answers a weaker one is meant in its place.

use std::time::Duration;

use uuid::Uuid;

use crate::accounts::Caller;
use crate::ids::TaskId;

use super::Tasks;
use super::error::TaskError;
use super::filter::{Sort, TaskFilter};
use super::search::{SearchTerms, WORDS_MAX, words};
use super::task::{Status, Task};
use super::text::name_key;

/// The most tasks that are named when several could be meant.
pub const SEVERAL_MAX: u32 = 10;
/// For how long what was done still answers to its words.
const RECENT: Duration = Duration::from_hours(1);
/// The most tasks deleted of late that are looked at.
const DELETED_MAX: u32 = 100;
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
    /// What is to be completed: as [`Among::Open`], but what has this very title and is completed already is meant before
    /// anything whose title only has the words.
    ToComplete,
    /// What is to be deleted: everything that is not.
    ToDelete,
}

/// What words pointed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The task that is meant.
    One(Box<Task>),
    /// Tasks that could be meant, at most ten: open ones first, then the best match, then the newest.
    Several(Vec<Task>),
    /// A task that was deleted a moment ago, and those that answer as well.
    Gone {
        /// What was meant until then.
        task: Box<Task>,
        /// What could be meant now.
        others: Vec<Task>,
    },
    /// Nothing.
    None,
}

impl Found {
    /// What all of these are.
    fn of(mut tasks: Vec<Task>) -> Self {
        if tasks.len() > 1 {
            tasks.truncate(SEVERAL_MAX as usize);
            return Self::Several(tasks);
        }
        tasks.pop().map_or(Self::None, |task| Self::One(Box::new(task)))
    }
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

    /// Whether a task that no search finds any more answers it.
    fn fits(self, asked: &str, task: &Task) -> bool {
        let terms = SearchTerms::parse(asked);
        if matches!(self, Self::SameTitle) {
            let same_words = !terms.words().is_empty() && words(asked) == words(&task.title);
            return same_words || name_key(asked) == name_key(&task.title);
        }
        let terms = terms.without(is_filler);
        let title = words(&task.title);
        let body = task.description.as_deref().map(words).unwrap_or_default();
        let fits = |term: &String| match self {
            Self::Anywhere => title.split(' ').chain(body.split(' ')).any(|word| word.starts_with(&**term)),
            Self::SameTitle | Self::InTitle => title.split(' ').any(|word| word == term),
        };
        !terms.words().is_empty() && terms.words().iter().all(fits)
    }
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
            Among::ToComplete => match self.find_once(caller, words, &[&OPEN]).await? {
                Found::None => &[&[&DONE]],
                found => return Ok(found),
            },
            Among::ToDelete => return self.find_once(caller, words, &[&OPEN, &DONE]).await,
        };
        for round in rounds {
            for question in Question::ALL {
                let mut tasks = Vec::new();
                for statuses in *round {
                    tasks.extend(self.answers(caller, words, question, statuses).await?);
                }
                if !tasks.is_empty() {
                    return Ok(Found::of(tasks));
                }
            }
        }
        Ok(Found::None)
    }

    /// The same for a change that must not happen to a second task when it is asked for again.
    async fn find_once(&self, caller: &Caller, words: &str, among: &[&[Status]]) -> Result<Found, TaskError> {
        let since = self.now().minus(RECENT);
        let deleted = self.store().list_deleted(caller.user_id, since, DELETED_MAX).await?;
        let completes = !among.contains(&&DONE[..]);
        for question in Question::ALL {
            let mut tasks = Vec::new();
            for statuses in among {
                tasks.extend(self.answers(caller, words, question, statuses).await?);
            }
            let mut done = if completes { self.answers(caller, words, question, &DONE).await? } else { Vec::new() };
            let exact = matches!(question, Question::SameTitle);
            if !exact || !tasks.is_empty() {
                done.retain(|task| task.completed_at.is_some_and(|at| at >= since));
            }
            let gone = deleted.iter().find(|task| question.fits(words, task)).cloned().map(Box::new);
            if tasks.is_empty() {
                match (done.into_iter().max_by_key(|task| task.completed_at), gone) {
                    (Some(task), _) => return Ok(Found::One(Box::new(task))),
                    (None, Some(task)) => return Ok(Found::Gone { task, others: tasks }),
                    (None, None) => continue,
                }
            }
            // Of two tasks of one title, nobody can tell from words whether the second is meant, or the first again.
            return Ok(match gone {
                Some(task) if exact && tasks.len() == 1 => Found::Gone { task, others: tasks },
                _ if exact => Found::of(tasks.into_iter().chain(done).collect()),
                _ => Found::of(tasks),
            });
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
