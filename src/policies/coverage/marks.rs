//! Puts marks into a script's text: it is read token by token, and nothing is moved to another line.

use super::Unreached;

/// The function that a mark calls with its number.
pub(in crate::policies) const MARK: &str = "reached_by_an_example";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    /// `{`
    Block,
    /// `(`, `[`, `#{`
    Open,
    /// `}`, `)`, `]`
    Close,
    Comma,
    /// `=>`
    Arrow,
    /// A text, a number, an operator.
    Other,
}

#[derive(Clone, Copy, Debug)]
struct Token {
    kind: Kind,
    start: usize,
    end: usize,
}

/// The script with its marks, and what each of them stands for.
pub(super) fn mark(source: &str) -> (String, Vec<Unreached>) {
    let mut reader = Marker { source, tokens: tokens(source), next: 0, branches: Vec::new(), insertions: Vec::new() };
    while reader.next < reader.tokens.len() {
        reader.sequence();
        // A bracket too many: the compiler says so.
        reader.next += 1;
    }
    let Marker { mut insertions, branches, .. } = reader;
    insertions.sort_by_key(|(offset, _)| *offset);
    let mut marked = String::with_capacity(source.len() * 2);
    let mut copied = 0;
    for (offset, text) in insertions {
        marked.push_str(&source[copied..offset]);
        marked.push_str(&text);
        copied = offset;
    }
    marked.push_str(&source[copied..]);
    (marked, branches)
}

struct Marker<'a> {
    source: &'a str,
    tokens: Vec<Token>,
    next: usize,
    branches: Vec<Unreached>,
    insertions: Vec<(usize, String)>,
}

impl Marker<'_> {
    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.next).copied()
    }

    fn word(&self) -> &str {
        self.peek().filter(|token| token.kind == Kind::Word).map_or("", |token| &self.source[token.start..token.end])
    }

    /// The call that marks a new branch which begins at `offset`.
    fn branch(&mut self, offset: usize, what: String) -> String {
        let before = &self.source[..offset];
        let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
        let number = self.branches.len();
        self.branches.push(Unreached { line: before.matches('\n').count() + 1, column, what });
        format!("{MARK}({number});")
    }

    fn insert(&mut self, offset: usize, text: String) {
        self.insertions.push((offset, text));
    }

    /// Everything up to the bracket that closes, which stays.
    fn sequence(&mut self) {
        while let Some(token) = self.peek() {
            if token.kind == Kind::Close {
                return;
            }
            self.item(token);
        }
    }

    fn item(&mut self, token: Token) {
        match token.kind {
            Kind::Word => match self.word() {
                "fn" => {
                    self.next += 1;
                    let what = format!("the function `{}`", self.word());
                    self.up_to_block();
                    self.block(Some((token.start, what)));
                }
                "if" => self.choice(),
                "switch" => self.switch(),
                "while" | "for" | "loop" | "catch" => {
                    self.next += 1;
                    let what = format!("the body of `{}`", &self.source[token.start..token.end]);
                    self.up_to_block();
                    self.block(Some((token.start, what)));
                }
                _ => self.next += 1,
            },
            Kind::Block => self.block(None),
            Kind::Open => self.group(),
            Kind::Close | Kind::Comma | Kind::Arrow | Kind::Other => self.next += 1,
        }
    }

    fn group(&mut self) {
        self.next += 1;
        self.sequence();
        self.next += 1;
    }

    fn up_to_block(&mut self) {
        while let Some(token) = self.peek() {
            match token.kind {
                Kind::Block | Kind::Close => return,
                Kind::Open => self.group(),
                _ => self.next += 1,
            }
        }
    }

    /// `{ … }`; marked when it is a branch of its own.
    fn block(&mut self, branch: Option<(usize, String)>) {
        let Some(open) = self.peek().filter(|token| token.kind == Kind::Block) else { return };
        if let Some((offset, what)) = branch {
            let call = self.branch(offset, what);
            self.insert(open.end, format!(" {call}"));
        }
        self.group();
    }

    /// `if … { … } else if … { … } else { … }`
    fn choice(&mut self) {
        let Some(start) = self.peek().map(|token| token.start) else { return };
        self.next += 1;
        self.up_to_block();
        self.block(Some((start, "the branch of `if`".to_owned())));
        if self.word() != "else" {
            let end = self.tokens.get(self.next.saturating_sub(1)).map_or(self.source.len(), |token| token.end);
            let call = self.branch(start, "`if` whose condition does not hold".to_owned());
            return self.insert(end, format!(" else {{ {call} }}"));
        }
        let at = self.peek().map_or(start, |token| token.start);
        self.next += 1;
        if self.word() == "if" { self.choice() } else { self.block(Some((at, "the branch of `else`".to_owned()))) }
    }

    /// `switch … { case => …, … }`
    fn switch(&mut self) {
        self.next += 1;
        self.up_to_block();
        self.next += 1;
        while let Some(token) = self.peek() {
            match token.kind {
                Kind::Close => break,
                Kind::Comma => self.next += 1,
                _ => self.case(token.start),
            }
        }
        self.next += 1;
    }

    fn case(&mut self, start: usize) {
        // A guard is an `if` without branches.
        while let Some(token) = self.peek() {
            match token.kind {
                Kind::Arrow | Kind::Close => break,
                Kind::Open => self.group(),
                _ => self.next += 1,
            }
        }
        if self.peek().is_none_or(|token| token.kind == Kind::Close) {
            return;
        }
        let pattern = self.source[start..self.peek().map_or(start, |token| token.start)].trim_end();
        let what = format!("the case `{pattern}`");
        self.next += 1;
        let Some(first) = self.peek() else { return };
        if first.kind == Kind::Block {
            return self.block(Some((start, what)));
        }
        let call = self.branch(start, what);
        self.insert(first.start, format!("{{ {call} "));
        let ends_itself = ["if", "switch", "while", "for", "loop"].contains(&self.word());
        if ends_itself {
            self.item(first);
        } else {
            while let Some(token) = self.peek().filter(|token| !matches!(token.kind, Kind::Close | Kind::Comma)) {
                self.item(token);
            }
        }
        let end = self.tokens.get(self.next.saturating_sub(1)).map_or(self.source.len(), |token| token.end);
        self.insert(end, " }".to_owned());
    }
}

/// The words of a script with their places, those in `${…}` included; keywords are among them.
pub(in crate::policies) fn words_in(source: &str) -> Vec<(&str, usize)> {
    let mut words = Vec::new();
    for Token { kind, start, end } in tokens(source) {
        let text = &source[start..end];
        match kind {
            Kind::Word => words.push((text, start)),
            Kind::Other if text.starts_with('`') => {
                let mut at = 0;
                while let Some(found) = text[at..].find("${") {
                    let from = at + found + 2;
                    at = from + inserted(&text[from..]);
                    let code = text[from..at].strip_suffix('}').unwrap_or(&text[from..at]);
                    words.extend(words_in(code).into_iter().map(|(word, place)| (word, start + from + place)));
                }
            }
            _ => {}
        }
    }
    words
}

/// The whole numbers that a script names.
pub(in crate::policies) fn numbers_in(source: &str) -> Vec<i64> {
    words_in(source).into_iter().filter_map(|(word, _)| word.replace('_', "").parse().ok()).collect()
}

/// The texts between `"` that a script names, as far as they could be labels.
pub(in crate::policies) fn texts_in(source: &str) -> Vec<String> {
    let texts = tokens(source).into_iter().map(|token| &source[token.start..token.end]);
    let plain = texts.filter_map(|text| text.strip_prefix('"')?.strip_suffix('"'));
    plain.filter(|text| (1..=50).contains(&text.len()) && !text.contains(['\\', ' '])).map(ToOwned::to_owned).collect()
}

/// The tokens that matter, without comments.
fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = source[at..].chars().next() {
        let rest = &source[at..];
        let start = at;
        at += letter.len_utf8();
        let kind = match letter {
            _ if letter.is_whitespace() => continue,
            '/' if rest.starts_with("//") => {
                at = start + rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            '/' if rest.starts_with("/*") => {
                at = start + comment(rest);
                continue;
            }
            '"' | '\'' | '`' => {
                at = start + text(rest, letter);
                Kind::Other
            }
            '#' if rest.starts_with("#{") => {
                at += 1;
                Kind::Open
            }
            '=' if rest.starts_with("=>") => {
                at += 1;
                Kind::Arrow
            }
            '{' => Kind::Block,
            '(' | '[' => Kind::Open,
            '}' | ')' | ']' => Kind::Close,
            ',' => Kind::Comma,
            _ if letter.is_alphanumeric() || letter == '_' => {
                let word = |letter: char| letter.is_alphanumeric() || letter == '_';
                at = start + rest.find(|letter| !word(letter)).unwrap_or(rest.len());
                Kind::Word
            }
            _ => Kind::Other,
        };
        tokens.push(Token { kind, start, end: at });
    }
    tokens
}

/// How long a comment is that may hold others.
fn comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if here.starts_with("*/") {
            (depth, at) = (depth.saturating_sub(1), at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// How long a text is, its quotes included.
fn text(rest: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(letter) = rest[at..].chars().next() {
        match letter {
            // Between backticks a backslash is a letter like any other.
            '\\' if quote != '`' => at += 1 + rest[at + 1..].chars().next().map_or(0, char::len_utf8),
            '$' if quote == '`' && rest[at..].starts_with("${") => at += 2 + inserted(&rest[at + 2..]),
            _ => at += letter.len_utf8(),
        }
        if letter == quote {
            return at;
        }
    }
    rest.len()
}

/// How long the code in `${…}` is, the closing bracket included.
fn inserted(rest: &str) -> usize {
    let (mut depth, mut at) = (1_usize, 0);
    while let Some(letter) = rest[at..].chars().next() {
        match letter {
            '"' | '\'' | '`' => {
                at += text(&rest[at..], letter);
                continue;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        at += letter.len_utf8();
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_cases_and_missing_elses_are_marked_where_they_stand() {
        let source = "fn f(t) {\n  if t { 1 } else if g(#{ a: 1 }) { 2 }\n  switch t { 1 | 2 if t > 0 => 3, // {\n  _ => { `${if t { \"}\" } else { 5 }}` } }\n}";

        let (marked, branches) = mark(source);

        assert_eq!(
            marked.replace(MARK, "M"),
            "fn f(t) { M(0);\n  if t { M(1); 1 } else if g(#{ a: 1 }) { M(2); 2 } else { M(3); }\n  switch t { 1 | 2 if t > 0 => { M(4); 3 }, // {\n  _ => { M(5); `${if t { \"}\" } else { 5 }}` } }\n}"
        );
        let places: Vec<_> = branches.iter().map(|branch| (branch.line, branch.column, branch.what.as_str())).collect();
        assert_eq!(
            places,
            [
                (1, 1, "the function `f`"),
                (2, 3, "the branch of `if`"),
                (2, 19, "the branch of `if`"),
                (2, 19, "`if` whose condition does not hold"),
                (3, 14, "the case `1 | 2 if t > 0`"),
                (4, 3, "the case `_`"),
            ]
        );
    }

    #[test]
    fn whatever_is_no_script_does_no_harm() {
        for source in
            ["", "}", "{", "if", "switch { => ", "`${", "\"\\", "fn", "/* /* */", "switch x { 1 => } }", "#{ '"]
        {
            mark(source);
        }
    }
}
