//! Maps and arrays whose shape is known, and what is found in them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::graph::{Bits, Compare, Id, Node, Symbol, Table};
use super::inputs::{Column, Range};
use super::symbols::Symbols;
use super::values::{Data, Maker, Refusal, Value, Words, refuse};

/// The most entries that are told apart by a whole number as index.
const MOST_ENTRIES: usize = 256;

impl Maker {
    /// `value.name`.
    ///
    /// # Errors
    ///
    /// When it has no such properties.
    pub fn property(&mut self, value: &Value, name: &str) -> Result<Value, Refusal> {
        let fails = self.or(value.fails, value.absent);
        let found = match &value.data {
            Data::Map(entries) => entries.get(name).cloned(),
            Data::Nothing => None,
            other => return refuse(format!("the property `{name}` of {}", other.kind())),
        };
        let found = found.unwrap_or_else(|| self.failure());
        Ok(self.after(fails, found))
    }

    /// `value[key]`.
    ///
    /// # Errors
    ///
    /// When it is not compiled.
    pub fn index(&mut self, value: &Value, key: &Value) -> Result<Value, Refusal> {
        let of_value = self.or(value.fails, value.absent);
        let of_key = self.or(key.fails, key.absent);
        let fails = self.or(of_value, of_key);
        let found = match (&value.data, &key.data) {
            (Data::Nothing, _) | (_, Data::Nothing) => self.failure(),
            (Data::Map(entries), Data::Text(key, words)) => self.lookup(*key, words, entries),
            (Data::List(items), Data::Whole(index, range)) => self.item(*index, *range, items)?,
            (container, key) => return refuse(format!("{} with {} as index", container.kind(), key.kind())),
        };
        Ok(self.after(fails, found))
    }

    fn lookup(&mut self, key: Id, words: &Words, entries: &BTreeMap<String, Value>) -> Value {
        if let Node::Text(symbol) = *self.graph.node(key) {
            let found = entries.get(self.symbols.text(symbol)).cloned();
            return found.unwrap_or_else(|| self.failure());
        }
        let failure = self.failure();
        let found: Vec<(Symbol, Value)> = words
            .iter()
            .filter(|symbol| **symbol != Symbols::OTHER)
            .map(|symbol| (*symbol, entries.get(self.symbols.text(*symbol)).unwrap_or(&failure).clone()))
            .collect();
        // A text that can be any: what the map has is looked for one by one.
        let found = if words.contains(&Symbols::OTHER) {
            entries.iter().map(|(name, value)| (self.symbols.of(name), value.clone())).collect()
        } else {
            found
        };
        self.choose(key, words.contains(&Symbols::OTHER), &found)
    }

    /// The value that belongs to the text; a text without one fails. Where it is `open`, the text can be any.
    fn choose(&mut self, key: Id, open: bool, found: &[(Symbol, Value)]) -> Value {
        if let Some(absent_and_fails) = self.truths(key, open, found) {
            let data = match all_maps(found) {
                Some(maps) => Some(Data::Map(Rc::new(self.choose_in_each(key, open, &maps)))),
                None => self.data_table(key, found),
            };
            if let Some(data) = data {
                let (absent, fails) = absent_and_fails;
                return Value { data, absent, fails };
            }
        }
        // Of a text that is one of the found, the last needs no comparison.
        let (mut chosen, compared) = match found.split_last() {
            Some(((_, last), rest)) if !open => (last.clone(), rest),
            _ => (self.failure(), found),
        };
        for (symbol, value) in compared {
            let text = self.graph.add(Node::Text(*symbol));
            let same = self.graph.add(Node::SameText(key, text));
            chosen = self.select(same, value, &chosen);
        }
        chosen
    }

    /// Of several maps under the same key: what is chosen under each of their names.
    fn choose_in_each(
        &mut self,
        key: Id,
        open: bool,
        maps: &[(Symbol, Rc<BTreeMap<String, Value>>)],
    ) -> BTreeMap<String, Value> {
        let names: BTreeSet<&String> = maps.iter().flat_map(|(_, map)| map.keys()).collect();
        let failure = self.failure();
        let mut merged = BTreeMap::new();
        for name in names {
            let of = |map: &BTreeMap<String, Value>| map.get(name).unwrap_or(&failure).clone();
            let entries: Vec<(Symbol, Value)> = maps.iter().map(|(symbol, map)| (*symbol, of(map))).collect();
            merged.insert(name.clone(), self.choose(key, open, &entries));
        }
        merged
    }

    /// Tables of where what is found is absent, and where it fails; `None` when that is no constant.
    fn truths(&mut self, key: Id, open: bool, found: &[(Symbol, Value)]) -> Option<(Id, Id)> {
        let mut absent = vec![false; self.symbols.count()];
        let mut fails = vec![true; self.symbols.count()];
        for (Symbol(symbol), value) in found {
            absent[*symbol as usize] = self.graph.known_bool(value.absent)?;
            fails[*symbol as usize] = self.graph.known_bool(value.fails)?;
        }
        let of = |entries: &[bool]| found.iter().map(|(Symbol(symbol), _)| entries[*symbol as usize]).collect();
        let (told_absent, told_fails): (Vec<bool>, Vec<bool>) = (of(&absent), of(&fails));
        Some((self.truth(key, open, absent, &told_absent), self.truth(key, open, fails, &told_fails)))
    }

    /// A table of truth values; constant when all that the text can be have the same.
    fn truth(&mut self, key: Id, open: bool, entries: Vec<bool>, told: &[bool]) -> Id {
        match told.split_first() {
            Some((first, rest)) if !open && rest.iter().all(|one| one == first) => self.graph.bool(*first),
            _ => self.graph.add(Node::Lookup(key, Table::Bools(entries.into()))),
        }
    }

    fn data_table(&mut self, key: Id, found: &[(Symbol, Value)]) -> Option<Data> {
        let size = self.symbols.count();
        let there: Vec<(usize, &Data)> = found
            .iter()
            .map(|(Symbol(symbol), value)| (*symbol as usize, &value.data))
            .filter(|(_, data)| !matches!(data, Data::Nothing))
            .collect();
        let constants: Vec<(usize, Node)> =
            there.iter().map(|(at, data)| Some((*at, self.constant(data)?))).collect::<Option<_>>()?;
        let first = constants.first().map(|(_, node)| node.clone())?;
        let all = |wanted: fn(&Node) -> bool| constants.iter().all(|(_, node)| wanted(node));
        match first {
            Node::Bool(_) if all(|node| matches!(node, Node::Bool(_))) => {
                let mut entries = vec![false; size];
                for (at, node) in &constants {
                    entries[*at] = matches!(node, Node::Bool(true));
                }
                Some(Data::Bool(self.graph.add(Node::Lookup(key, Table::Bools(entries.into())))))
            }
            Node::Whole(_) if all(|node| matches!(node, Node::Whole(_))) => {
                let mut entries = vec![0; size];
                for (at, node) in &constants {
                    if let Node::Whole(value) = node {
                        entries[*at] = *value;
                    }
                }
                let told = || constants.iter().map(|(at, _)| entries[*at]);
                let range = Range::new(told().min()?, told().max()?);
                Some(Data::Whole(self.graph.add(Node::Lookup(key, Table::Wholes(entries.into()))), range))
            }
            Node::Float(_) if all(|node| matches!(node, Node::Float(_))) => {
                let mut entries = vec![Bits::of(0.0); size];
                for (at, node) in &constants {
                    if let Node::Float(value) = node {
                        entries[*at] = *value;
                    }
                }
                Some(Data::Float(self.graph.add(Node::Lookup(key, Table::Floats(entries.into())))))
            }
            Node::Text(_) if all(|node| matches!(node, Node::Text(_))) => {
                let mut entries = vec![Symbols::OTHER; size];
                for (at, node) in &constants {
                    if let Node::Text(value) = node {
                        entries[*at] = *value;
                    }
                }
                let words = constants.iter().map(|(at, _)| entries[*at]).collect();
                Some(Data::Text(self.graph.add(Node::Lookup(key, Table::Texts(entries.into()))), Rc::new(words)))
            }
            _ => None,
        }
    }

    fn constant(&self, data: &Data) -> Option<Node> {
        let (Data::Bool(id) | Data::Whole(id, _) | Data::Float(id) | Data::Text(id, _)) = data else { return None };
        let node = self.graph.node(*id);
        matches!(node, Node::Bool(_) | Node::Whole(_) | Node::Float(_) | Node::Text(_)).then(|| node.clone())
    }

    fn item(&mut self, index: Id, range: Range, items: &[Value]) -> Result<Value, Refusal> {
        let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
        if let Node::Whole(index) = *self.graph.node(index) {
            // From the end when negative.
            let at = if index < 0 { index.saturating_add(count) } else { index };
            let found = usize::try_from(at).ok().and_then(|at| items.get(at)).cloned();
            return Ok(found.unwrap_or_else(|| self.failure()));
        }
        if items.len() > MOST_ENTRIES {
            return refuse(format!("an array of {} items with an index that is computed", items.len()));
        }
        let mut chosen = self.failure();
        for (at, item) in (0..).zip(items) {
            for index_of in [at, at - count] {
                if index_of >= range.min && index_of <= range.max {
                    let number = self.graph.whole(index_of);
                    let same = self.graph.add(Node::CompareWhole(Compare::Equal, index, number));
                    chosen = self.select(same, item, &chosen);
                }
            }
        }
        Ok(chosen)
    }

    /// Whether `item` is in `container`.
    ///
    /// # Errors
    ///
    /// When it is not compiled.
    pub fn contains(&mut self, container: &Value, item: &Value) -> Result<Value, Refusal> {
        let of_container = self.or(container.fails, container.absent);
        let fails = self.or(of_container, item.fails);
        let id = match (&container.data, &item.data) {
            (Data::Labels, Data::Text(id, _)) => match *self.graph.node(*id) {
                Node::Text(symbol) => self.graph.add(Node::Column(Column::HasLabel(symbol))),
                _ => return refuse("a label that is computed"),
            },
            (Data::List(items), Data::Text(..) | Data::Whole(..)) => {
                let items = Rc::clone(items);
                let mut found = self.graph.bool(false);
                for one in items.iter() {
                    let same = self.compare(Compare::Equal, one, item)?;
                    let (same, _) = self.condition(&same)?;
                    found = self.or(found, same);
                }
                found
            }
            (Data::Map(entries), Data::Text(id, _)) => {
                let names: Vec<String> = entries.keys().cloned().collect();
                let mut found = self.graph.bool(false);
                for name in names {
                    let symbol = self.symbols.of(&name);
                    let text = self.graph.add(Node::Text(symbol));
                    let same = self.graph.add(Node::SameText(*id, text));
                    found = self.or(found, same);
                }
                found
            }
            (container, item) => return refuse(format!("{} in {}", item.kind(), container.kind())),
        };
        let absent = item.absent;
        let fails = self.or(fails, absent);
        Ok(Value { fails, ..self.sure(Data::Bool(id)) })
    }
}

/// Maps under texts.
type Maps = Vec<(Symbol, Rc<BTreeMap<String, Value>>)>;

/// When everything that can be found is a map.
fn all_maps(found: &[(Symbol, Value)]) -> Option<Maps> {
    let maps: Vec<_> = found
        .iter()
        .filter(|(_, value)| !matches!(value.data, Data::Nothing))
        .map(|(symbol, value)| match &value.data {
            Data::Map(map) => Some((*symbol, Rc::clone(map))),
            _ => None,
        })
        .collect::<Option<_>>()?;
    (!maps.is_empty()).then_some(maps)
}
