//! The texts that a policy knows, as numbers.

use std::collections::HashMap;

use crate::calendar::TimeOfDay;
use crate::scoring::facts::Status;
use crate::scoring::moment::Energy;

use super::graph::Symbol;
use super::inputs::Column;

/// Every text that stands in a script or that a fact can be. A text that is none of them is [`Symbols::OTHER`].
#[derive(Clone, Debug)]
pub struct Symbols {
    texts: Vec<String>,
    numbers: HashMap<String, Symbol>,
}

impl Default for Symbols {
    fn default() -> Self {
        let mut symbols = Self { texts: Vec::new(), numbers: HashMap::new() };
        // No text of the world has a NUL: names are checked for it.
        symbols.of("\0other");
        symbols.of("\0absent");
        for name in Status::ALL.iter().map(|status| status.as_str()) {
            symbols.of(name);
        }
        for name in TimeOfDay::ALL.iter().map(|time| time.as_str()) {
            symbols.of(name);
        }
        for energy in [Energy::Low, Energy::Medium, Energy::High] {
            symbols.of(energy.as_str());
        }
        symbols
    }
}

impl Symbols {
    /// A text of the world that the script does not name.
    pub const OTHER: Symbol = Symbol(0);

    /// In place of a text where there is none.
    pub const ABSENT: Symbol = Symbol(1);

    /// The symbol of a text; a new one for a new text.
    pub fn of(&mut self, text: &str) -> Symbol {
        if let Some(symbol) = self.numbers.get(text) {
            return *symbol;
        }
        let symbol = Symbol(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), symbol);
        symbol
    }

    /// The symbol of a text of the world.
    pub fn find(&self, text: &str) -> Symbol {
        self.numbers.get(text).copied().unwrap_or(Self::OTHER)
    }

    /// The text of a symbol.
    pub fn text(&self, Symbol(symbol): Symbol) -> &str {
        self.texts.get(symbol as usize).map_or("", String::as_str)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.texts.len()
    }
}

// The first symbols: two that stand for no text, four states, three parts of the day, three energies.
const STATES: u32 = 2;
const TIMES: u32 = STATES + 4;
const ENERGIES: u32 = TIMES + 3;

/// The symbol of a state; [`Symbols::default`] gives the first numbers to facts.
pub(super) const fn status(status: Status) -> Symbol {
    Symbol(STATES + status as u32)
}

/// The symbol of a part of the day.
pub(super) const fn time_of_day(time: TimeOfDay) -> Symbol {
    Symbol(TIMES + time as u32)
}

/// The symbol of an energy.
pub(super) const fn energy(energy: Energy) -> Symbol {
    Symbol(ENERGIES + energy as u32)
}

/// What a column of texts can hold.
pub(super) fn of_facts(column: Column, symbols: &Symbols) -> Vec<Symbol> {
    match column {
        Column::Status => Status::ALL.into_iter().map(status).collect(),
        Column::PreferredTime => {
            std::iter::once(Symbols::ABSENT).chain(TimeOfDay::ALL.into_iter().map(time_of_day)).collect()
        }
        _ => (0..symbols.texts.len()).filter_map(|index| u32::try_from(index).ok()).map(Symbol).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_have_the_first_symbols() {
        let symbols = Symbols::default();

        for one in Status::ALL {
            assert_eq!(symbols.text(status(one)), one.as_str());
        }
        for time in TimeOfDay::ALL {
            assert_eq!(symbols.text(time_of_day(time)), time.as_str());
        }
        for one in [Energy::Low, Energy::Medium, Energy::High] {
            assert_eq!(symbols.text(energy(one)), one.as_str());
        }
        assert_eq!(symbols.find("unheard of"), Symbols::OTHER);
    }
}
