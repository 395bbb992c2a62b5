//! Examples of what clients send: what Swagger UI fills in, each of which is accepted as it is.

use poem_openapi::types::{Example, MaybeUndefined};

use super::batch::{Batch, BatchOperation, OperationName};
use super::fields::{Description, Moment, Name, Title};
use super::groups::{LabelChange, LabelInput, ProjectChange, ProjectInput};
use super::task_views::{StatusName, TaskChange, TaskInput, TimeOfDayName};

impl Example for TaskInput {
    fn example() -> Self {
        Self {
            title: Title("Write the quarterly report".to_owned()),
            description: Some(Description("Figures first, then the words".to_owned())),
            status: Some(StatusName::Pending),
            priority: Some(4),
            due_date: Some(Moment("2030-03-28".to_owned())),
            effort_estimate_minutes: Some(90),
            preferred_time: Some(TimeOfDayName::Morning),
            snoozed_until: None,
            labels: Some(vec![Name("work".to_owned())]),
            project_id: None,
            parent_id: None,
        }
    }
}

impl Example for TaskChange {
    fn example() -> Self {
        Self {
            priority: Some(5),
            due_date: MaybeUndefined::Value(Moment("2030-03-28T16:00".to_owned())),
            preferred_time: MaybeUndefined::Null,
            ..Self::default()
        }
    }
}

impl Example for Batch {
    fn example() -> Self {
        let task = TaskChange { title: Some(Title("Book the train".to_owned())), ..TaskChange::default() };
        let create = BatchOperation {
            op: OperationName::Create,
            id: None,
            if_match: None,
            task: Some(task),
            until: None,
            minutes: None,
            phrase: None,
        };
        Self { operations: vec![create] }
    }
}

impl Example for ProjectInput {
    fn example() -> Self {
        Self { name: Name("Garden".to_owned()), description: Some(Description("What grows, and when".to_owned())) }
    }
}

impl Example for ProjectChange {
    fn example() -> Self {
        Self { name: Some(Name("Garden and balcony".to_owned())), description: MaybeUndefined::Null }
    }
}

impl Example for LabelInput {
    fn example() -> Self {
        Self { name: Name("errands".to_owned()) }
    }
}

impl Example for LabelChange {
    fn example() -> Self {
        Self { name: Some(Name("on the way".to_owned())) }
    }
}
