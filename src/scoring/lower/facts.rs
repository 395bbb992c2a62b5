//! `task` and `ctx` as values.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::calendar::TimeOfDay;
use crate::scoring::facts::Status;
use crate::scoring::fields::{ContextField, TaskField};
use crate::scoring::native::inputs::{Column, Present};
use crate::scoring::native::values::{Data, Maker, Value};
use crate::scoring::params::{PARAMS_FIELD, ParamValue, ParamValues};

const STATUSES: [&str; 4] =
    [Status::Pending.as_str(), Status::InProgress.as_str(), Status::Completed.as_str(), Status::Snoozed.as_str()];
const TIMES: [&str; 3] = [TimeOfDay::Morning.as_str(), TimeOfDay::Afternoon.as_str(), TimeOfDay::Evening.as_str()];
const ENERGIES: [&str; 3] = ["low", "medium", "high"];

/// `task`.
pub(super) fn task(maker: &mut Maker) -> Value {
    let entries = TaskField::ALL.iter().map(|field| (field.as_str().to_owned(), task_field(maker, *field))).collect();
    maker.sure(Data::Map(Rc::new(entries)))
}

fn task_field(maker: &mut Maker, field: TaskField) -> Value {
    match field {
        TaskField::Priority => maker.column(Column::Priority, &[]),
        TaskField::Status => maker.column(Column::Status, &STATUSES),
        TaskField::HasDue => {
            let days = maker.column(Column::DaysUntilDue, &[]);
            let has = maker.not(days.absent);
            maker.sure(Data::Bool(has))
        }
        TaskField::IsOverdue => maker.column(Column::IsOverdue, &[]),
        TaskField::DaysUntilDue => maker.column(Column::DaysUntilDue, &[]),
        TaskField::MinutesUntilDue => maker.column(Column::MinutesUntilDue, &[]),
        TaskField::EffortMinutes => maker.column(Column::EffortMinutes, &[]),
        TaskField::PreferredTime => maker.column(Column::PreferredTime, &TIMES),
        TaskField::AgeDays => maker.column(Column::AgeDays, &[]),
        TaskField::SnoozeCount => maker.column(Column::SnoozeCount, &[]),
        TaskField::Labels => maker.sure(Data::Labels),
        TaskField::Project => maker.column(Column::Project, &[]),
        TaskField::BlockedBy => maker.column(Column::BlockedBy, &[]),
        TaskField::Blocks => maker.column(Column::Blocks, &[]),
        TaskField::TimesSkipped => maker.column(Column::TimesSkipped, &[]),
    }
}

/// `ctx`, with the values of the parameters when there are any.
pub(super) fn context(maker: &mut Maker, params: &ParamValues) -> Value {
    let fields = ContextField::ALL.iter();
    let mut entries: BTreeMap<String, Value> =
        fields.map(|field| (field.as_str().to_owned(), context_field(maker, *field))).collect();
    if !params.is_empty() {
        let params = params.iter().map(|(name, param)| (name.clone(), param_value(maker, param))).collect();
        entries.insert(PARAMS_FIELD.to_owned(), maker.sure(Data::Map(Rc::new(params))));
    }
    maker.sure(Data::Map(Rc::new(entries)))
}

fn param_value(maker: &mut Maker, param: &ParamValue) -> Value {
    match param {
        ParamValue::Bool(value) => maker.bool(*value),
        ParamValue::Whole(value) => maker.whole(*value),
        ParamValue::Number(value) => maker.float(*value),
        ParamValue::Word(word) => maker.text(word),
    }
}

fn context_field(maker: &mut Maker, field: ContextField) -> Value {
    match field {
        ContextField::Hour => maker.present(Present::Hour, &[]),
        ContextField::Minute => maker.present(Present::Minute, &[]),
        ContextField::Weekday => maker.present(Present::Weekday, &[]),
        ContextField::DayOfMonth => maker.present(Present::DayOfMonth, &[]),
        ContextField::IsWeekend => maker.present(Present::IsWeekend, &[]),
        ContextField::Windows => windows(maker),
        ContextField::MinutesAvailable => maker.present(Present::MinutesAvailable, &[]),
        ContextField::Energy => maker.present(Present::Energy, &ENERGIES),
        ContextField::OpenTasks => maker.present(Present::OpenTasks, &[]),
        ContextField::OverdueTasks => maker.present(Present::OverdueTasks, &[]),
    }
}

fn windows(maker: &mut Maker) -> Value {
    let mut window = |time: TimeOfDay| {
        let entries = [
            ("start".to_owned(), maker.present(Present::WindowStart(time), &[])),
            ("end".to_owned(), maker.present(Present::WindowEnd(time), &[])),
            ("active".to_owned(), maker.present(Present::WindowActive(time), &[])),
        ];
        (time.as_str().to_owned(), maker.sure(Data::Map(Rc::new(entries.into()))))
    };
    let windows = TimeOfDay::ALL.map(&mut window);
    maker.sure(Data::Map(Rc::new(windows.into())))
}
