//! Random expressions.

use std::fmt::Write as _;

use super::{Kind, WORDS, Writer};

const WHOLES: [&str; 17] = [
    "0",
    "1",
    "2",
    "7",
    "-1",
    "-3",
    "15",
    "30",
    "60",
    "100",
    "1000000",
    "4611686018427387904",
    "9223372036854775807",
    "LIMIT",
    "W.c",
    "global::LIMIT",
    "ctx.params.steps",
];
const WHOLE_FACTS: [&str; 14] = [
    "task.priority",
    "task.age_days",
    "task.snooze_count",
    "task.blocked_by",
    "task.blocks",
    "task.times_skipped",
    "task.labels.len()",
    "ctx.hour",
    "ctx.minute",
    "ctx.weekday",
    "ctx.day_of_month",
    "ctx.open_tasks",
    "ctx.overdue_tasks",
    "ctx.windows.morning.start",
];
const NULLABLE: [&str; 4] =
    ["task.days_until_due", "task.minutes_until_due", "task.effort_minutes", "ctx.minutes_available"];
const FLOATS: [&str; 15] = [
    "0.0",
    "1.0",
    "0.1",
    "0.2",
    "0.3",
    "-2.5",
    "1e-9",
    "1e300",
    "40.0",
    "W.a",
    "W.b",
    "W.sum",
    "W.d",
    "-0.0",
    "ctx.params.scale",
];
const TEXT_FACTS: [&str; 6] = [
    "task.status",
    "(task.preferred_time ?? \"morning\")",
    "(ctx.energy ?? \"low\")",
    "(task.project ?? \"Garden\")",
    "task.preferred_time",
    "ctx.params.mood",
];

impl Writer<'_, '_> {
    /// An expression of a kind.
    pub(super) fn expression(&mut self, kind: Kind, depth: usize) -> String {
        if depth > 0 && self.choices.percent(12) {
            return self.choice(kind, depth - 1);
        }
        if self.choices.percent(20)
            && let Some(name) = self.local(kind)
        {
            return name;
        }
        if depth > 0
            && self.choices.percent(15)
            && let Some(call) = self.call(kind, depth - 1)
        {
            return call;
        }
        match kind {
            Kind::Whole => self.whole(depth),
            Kind::Float => self.float(depth),
            Kind::Number => self.number(depth),
            Kind::Truth => self.truth(depth),
            Kind::Text => self.text(depth),
        }
    }

    fn local(&mut self, kind: Kind) -> Option<String> {
        let known: Vec<(usize, String)> = self
            .locals
            .iter()
            .enumerate()
            .filter(|(_, (_, of))| *of == kind)
            .map(|(at, (name, _))| (at, name.clone()))
            .collect();
        let (at, name) = known.get(self.choices.below(known.len()))?.clone();
        (self.locals.iter().rposition(|(known, _)| *known == name) == Some(at)).then_some(name)
    }

    fn call(&mut self, kind: Kind, depth: usize) -> Option<String> {
        let known: Vec<usize> = (0..self.helpers.len()).filter(|at| self.helpers[*at].2 == kind).collect();
        let at = *known.get(self.choices.below(known.len()))?;
        let (name, params, _) = self.helpers[at].clone();
        let args: Vec<String> = params.iter().map(|kind| self.expression(*kind, depth)).collect();
        Some(format!(
            "{name}({})",
            ["task".to_owned(), "ctx".to_owned()].into_iter().chain(args).collect::<Vec<_>>().join(", ")
        ))
    }

    /// `if`, `switch` or `??` as an expression.
    fn choice(&mut self, kind: Kind, depth: usize) -> String {
        match self.choices.below(4) {
            0 => self.switch(kind, depth),
            1 if kind == Kind::Whole => {
                format!("({} ?? {})", self.choices.pick(&NULLABLE), self.expression(kind, depth))
            }
            _ => {
                let condition = self.expression(Kind::Truth, depth);
                let (yes, no) = (self.expression(kind, depth), self.expression(kind, depth));
                format!("(if {condition} {{ {yes} }} else {{ {no} }})")
            }
        }
    }

    fn switch(&mut self, kind: Kind, depth: usize) -> String {
        let (key, cases): (String, Vec<&str>) = match self.choices.below(4) {
            0 => ("task.status".to_owned(), vec!["\"pending\"", "\"snoozed\"", "\"in_progress\" | \"completed\""]),
            1 => ("task.priority".to_owned(), vec!["1", "2 | 3", "4"]),
            2 => {
                let key =
                    self.choices.pick(&["ctx.hour", "task.days_until_due", "task.effort_minutes", "task.age_days"]);
                (key.to_owned(), vec!["0", "7", "1..5", "10..=30", "-5..3", "15..100"])
            }
            _ => ("task.preferred_time".to_owned(), vec!["\"morning\"", "()", "\"evening\""]),
        };
        let mut text = format!("switch {key} {{ ");
        for case in cases {
            if self.choices.percent(70) {
                // Whole numbers may not come after ranges with a guard or without.
                let guard = if self.choices.percent(25) {
                    format!(" if {}", self.expression(Kind::Truth, 0))
                } else {
                    String::new()
                };
                // Writing to a text cannot fail.
                let _ = write!(text, "{case}{guard} => {}, ", self.expression(kind, depth));
            }
        }
        format!("({{ {text}_ => {} }} }})", self.expression(kind, depth))
    }

    fn whole(&mut self, depth: usize) -> String {
        if depth == 0 || self.choices.percent(25) {
            return match self.choices.below(10) {
                0..=3 => self.choices.pick(&WHOLES).to_owned(),
                4..=7 => self.choices.pick(&WHOLE_FACTS).to_owned(),
                8 => format!("({} ?? {})", self.choices.pick(&NULLABLE), self.choices.pick(&WHOLES)),
                _ => self.choices.pick(&NULLABLE).to_owned(),
            };
        }
        let depth = depth - 1;
        let (a, b) = (self.expression(Kind::Whole, depth), self.expression(Kind::Whole, depth));
        match self.choices.below(14) {
            0..=2 => format!("({a} + {b})"),
            3 | 4 => format!("({a} - {b})"),
            5 | 6 => format!("({a} * {b})"),
            7 => format!("({a} / {b})"),
            8 => format!("({a} % {b})"),
            9 => format!("min({a}, {b})"),
            10 => format!("max({a}, {b})"),
            11 => format!("abs({a})"),
            12 => format!("(-({a}))"),
            _ => self
                .choices
                .pick(&[
                    "LIST[task.priority]",
                    "LIST[1]",
                    "LIST[-1]",
                    "BY_TIME[task.preferred_time]",
                    "DEEP[task.status].y",
                    "BY_TIME.morning",
                    "LIST.len()",
                ])
                .to_owned(),
        }
    }

    fn float(&mut self, depth: usize) -> String {
        if depth == 0 || self.choices.percent(15) {
            return self.choices.pick(&FLOATS).to_owned();
        }
        let depth = depth - 1;
        let mixed = self.choices.pick(&[Kind::Float, Kind::Float, Kind::Whole, Kind::Number]);
        let (a, b) = (self.expression(Kind::Float, depth), self.expression(mixed, depth));
        let (a, b) = if self.choices.percent(30) { (b, a) } else { (a, b) };
        match self.choices.below(18) {
            0..=2 => format!("({a} + {b})"),
            3 | 4 => format!("({a} - {b})"),
            5..=7 => format!("({a} * {b})"),
            8 => format!("({a} / {b})"),
            9 => format!("({a} % {b})"),
            10 => format!("({a} ** {b})"),
            11 => format!("min({a}, {b})"),
            12 => format!("max({a}, {b})"),
            13 => {
                let function =
                    self.choices.pick(&["floor", "ceiling", "round", "abs", "sqrt", "exp", "ln", "int", "fraction"]);
                format!("{function}({})", self.expression(Kind::Float, depth))
            }
            14 => format!("({}).to_float()", self.expression(Kind::Whole, depth)),
            15 => format!("(-({}))", self.expression(Kind::Float, depth)),
            16 => format!("FLOATS[{}]", self.expression(Kind::Whole, 0)),
            _ => self
                .choices
                .pick(&[
                    "BY_STATUS[task.status]",
                    "DEEP[task.status].x",
                    "BY_STATUS.pending",
                    "(1.5).floor",
                    "DEEP.pending.x",
                ])
                .to_owned(),
        }
    }

    fn number(&mut self, depth: usize) -> String {
        match self.choices.below(5) {
            0 => format!("BY_ANY[{}]", self.expression(Kind::Text, 0)),
            1 if depth > 0 => {
                let (a, b) = (self.expression(Kind::Number, depth - 1), self.expression(Kind::Number, depth - 1));
                format!("({a} {} {b})", self.choices.pick(&["+", "-", "*"]))
            }
            2 => format!(
                "(if {} {{ {} }} else {{ 0.5 }})",
                self.expression(Kind::Truth, 0),
                self.choices.pick(&WHOLE_FACTS)
            ),
            3 => self.float(depth),
            _ => format!("(if {} {{ 2 }} else {{ 0.1 }})", self.expression(Kind::Truth, 0)),
        }
    }

    fn truth(&mut self, depth: usize) -> String {
        if depth == 0 || self.choices.percent(20) {
            return self
                .choices
                .pick(&[
                    "true",
                    "task.has_due",
                    "task.is_overdue",
                    "ctx.is_weekend",
                    "ctx.windows.morning.active",
                    "ctx.params.loud",
                    "ctx.params[\"loud\"]",
                    "\"urgent\" in task.labels",
                    "task.labels.contains(\"Garden\")",
                    "task.effort_minutes == ()",
                    "(task.days_until_due != ())",
                    "task.status in [\"pending\", \"snoozed\"]",
                    "task.priority in LIST",
                    "(ctx.energy == \"low\")",
                    "task.preferred_time == \"morning\"",
                    "\"Garden\" in BY_ANY",
                    "(task.days_until_due <= LIMIT)",
                ])
                .to_owned();
        }
        let depth = depth - 1;
        let compare = self.choices.pick(&["==", "!=", "<", "<=", ">", ">="]);
        match self.choices.below(11) {
            0 | 1 => format!("({} && {})", self.expression(Kind::Truth, depth), self.expression(Kind::Truth, depth)),
            2 => format!("({} || {})", self.expression(Kind::Truth, depth), self.expression(Kind::Truth, depth)),
            3 => format!("(!({}))", self.expression(Kind::Truth, depth)),
            4 => {
                let equal = self.choices.pick(&["==", "!="]);
                let (a, b) = (self.expression(Kind::Text, depth), self.expression(Kind::Text, depth));
                // A fact and a word: one that it can be.
                let b = match a.as_str() {
                    "task.status" if b.starts_with('"') => "\"snoozed\"".to_owned(),
                    "task.preferred_time" if b.starts_with('"') => "\"evening\"".to_owned(),
                    _ => b,
                };
                format!("({a} {equal} {b})")
            }
            // Two floats that may be as good as equal.
            5 | 6 => {
                let near = self.choices.pick(&["0.0000000000000001", "0.0000000000000003", "1e-17", "0.0"]);
                let a = self.expression(Kind::Float, depth);
                format!("(({a}) {compare} ({a}) + {near})")
            }
            7 => {
                format!("({} {compare} {})", self.expression(Kind::Number, depth), self.expression(Kind::Whole, depth))
            }
            8 => format!("({} in TEXTS)", self.expression(Kind::Text, depth)),
            _ => {
                let kinds = [Kind::Whole, Kind::Float, Kind::Number];
                let (a, b) = (self.choices.pick(&kinds), self.choices.pick(&kinds));
                format!("({} {compare} {})", self.expression(a, depth), self.expression(b, depth))
            }
        }
    }

    fn text(&mut self, depth: usize) -> String {
        match self.choices.below(5) {
            0 => format!("\"{}\"", self.choices.pick(&WORDS)),
            1 if depth > 0 => format!("NEXT[{}]", self.expression(Kind::Text, depth - 1)),
            _ => self.choices.pick(&TEXT_FACTS).to_owned(),
        }
    }
}
