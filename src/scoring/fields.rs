//! The names under which a policy sees facts, and the set of those that it reads.

macro_rules! fields {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// All of them, in the order of their names' declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in policies.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// Reads a name.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|field| field.as_str() == text)
            }
        }
    };
}

fields! {
    /// A field of `task`.
    TaskField {
        /// 1 to 5.
        Priority = "priority",
        /// `pending`, `in_progress`, `completed` or `snoozed`.
        Status = "status",
        /// Whether there is a due date.
        HasDue = "has_due",
        /// Whether the due instant has come, or the due day is over.
        IsOverdue = "is_overdue",
        /// Calendar days to the due day in the person's zone; `()` without one.
        DaysUntilDue = "days_until_due",
        /// Whole minutes, rounded down, until it is overdue; `()` without a due date.
        MinutesUntilDue = "minutes_until_due",
        /// The estimate in minutes; `()` without one.
        EffortMinutes = "effort_minutes",
        /// `morning`, `afternoon`, `evening`, or `()`.
        PreferredTime = "preferred_time",
        /// Calendar days since it was made.
        AgeDays = "age_days",
        /// How often it was put off.
        SnoozeCount = "snooze_count",
        /// An array of texts.
        Labels = "labels",
        /// The project's name, or `()`.
        Project = "project",
        /// How many open tasks it waits for.
        BlockedBy = "blocked_by",
        /// How many open tasks wait for it.
        Blocks = "blocks",
        /// How often it was recommended and left.
        TimesSkipped = "times_skipped",
    }
}

fields! {
    /// A field of `ctx`.
    ContextField {
        /// 0 to 23, on the person's wall clock.
        Hour = "hour",
        /// 0 to 59.
        Minute = "minute",
        /// 1 (Monday) to 7 (Sunday).
        Weekday = "weekday",
        /// 1 to 31.
        DayOfMonth = "day_of_month",
        /// Whether it is Saturday or Sunday.
        IsWeekend = "is_weekend",
        /// `morning`, `afternoon`, `evening`: each with `start`, `end` (minutes since midnight) and `active`.
        Windows = "windows",
        /// How long the person has, in minutes; `()` when not said.
        MinutesAvailable = "minutes_available",
        /// `low`, `medium`, `high`, or `()`.
        Energy = "energy",
        /// How many tasks are open.
        OpenTasks = "open_tasks",
        /// How many of them are overdue.
        OverdueTasks = "overdue_tasks",
    }
}

/// The fields that a policy may read: what its scores depend on, and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Uses {
    task: u32,
    context: u32,
}

impl Uses {
    /// None of them: a constant score.
    pub const NONE: Self = Self { task: 0, context: 0 };
    /// All of them: nothing is known about what the policy reads.
    pub const ALL: Self = Self { task: u32::MAX, context: u32::MAX };

    /// Adds a field of `task`.
    pub const fn add_task(&mut self, field: TaskField) {
        self.task |= 1 << field as u32;
    }

    /// Adds a field of `ctx`.
    pub const fn add_context(&mut self, field: ContextField) {
        self.context |= 1 << field as u32;
    }

    /// Whether this field of `task` may be read.
    pub const fn task(self, field: TaskField) -> bool {
        self.task & (1 << field as u32) != 0
    }

    /// Whether this field of `ctx` may be read.
    pub const fn context(self, field: ContextField) -> bool {
        self.context & (1 << field as u32) != 0
    }

    /// The fields of `task`.
    pub fn task_fields(self) -> impl Iterator<Item = TaskField> {
        TaskField::ALL.iter().copied().filter(move |field| self.task(*field))
    }

    /// The fields of `ctx`.
    pub fn context_fields(self) -> impl Iterator<Item = ContextField> {
        ContextField::ALL.iter().copied().filter(move |field| self.context(*field))
    }
}
