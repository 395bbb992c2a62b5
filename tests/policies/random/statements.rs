//! Random statements.

use super::{Kind, Writer};

impl Writer<'_, '_> {
    /// Some statements and a last value of this kind.
    pub(super) fn body(&mut self, kind: Kind, depth: usize) -> String {
        let before = self.locals.len();
        let mut text = String::new();
        for _ in 0..self.choices.below(4) {
            text.push_str(&self.statement(kind, depth));
        }
        let end = match self.choices.below(10) {
            0 => format!("return {};\n", self.expression(kind, depth)),
            1 if depth > 0 => {
                let condition = self.expression(Kind::Truth, depth - 1);
                let (yes, no) = (self.body(kind, depth - 1), self.body(kind, depth - 1));
                format!("if {condition} {{\n{yes}}} else {{\n{no}}}\n")
            }
            _ => format!("{}\n", self.expression(kind, depth)),
        };
        self.locals.truncate(before);
        text + &*end
    }

    fn statement(&mut self, returns: Kind, depth: usize) -> String {
        match self.choices.below(10) {
            0 if depth > 0 => {
                let condition = self.expression(Kind::Truth, depth - 1);
                format!("if {condition} {{ return {}; }}\n", self.expression(returns, depth - 1))
            }
            1 if depth > 0 => {
                let condition = self.expression(Kind::Truth, depth - 1);
                let (yes, no) = (self.block(returns, depth - 1), self.block(returns, depth - 1));
                format!("if {condition} {{\n{yes}}} else {{\n{no}}}\n")
            }
            2..=5 => self.assignment(depth),
            _ => {
                let kind = self.choices.pick(&Kind::ALL);
                let value = self.expression(kind, depth);
                // Now and then over a variable that is there already.
                let known = self.locals.last().map(|(name, _)| name.clone()).filter(|_| self.choices.percent(15));
                let name = known.unwrap_or_else(|| self.name());
                self.locals.push((name.clone(), kind));
                format!("let {name} = {value};\n")
            }
        }
    }

    fn block(&mut self, returns: Kind, depth: usize) -> String {
        let before = self.locals.len();
        let text = (0..=self.choices.below(2)).map(|_| self.statement(returns, depth)).collect();
        self.locals.truncate(before);
        text
    }

    fn assignment(&mut self, depth: usize) -> String {
        let Some(place) = self.locals.len().checked_sub(1).map(|last| self.choices.below(last + 1)) else {
            return String::new();
        };
        let (name, kind) = self.locals[place].clone();
        if self.locals.iter().rposition(|(known, _)| *known == name) != Some(place) {
            return String::new();
        }
        let value = self.expression(kind, depth);
        let operator = match kind {
            Kind::Whole | Kind::Float => self.choices.pick(&["=", "+=", "-=", "*=", "="]),
            _ => "=",
        };
        format!("{name} {operator} {value};\n")
    }
}
