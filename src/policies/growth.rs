//! How much of a script there is once its constants stand where they are named.
//!
//! Rhai puts the value of a constant in the place of its name before anything runs, and counts that against no limit: ten
//! lines, each of which names the one before it four times, are a million values. So it is counted here first, on the
//! tree as it was written.

use std::collections::HashMap;
use std::ops::AddAssign;

use rhai::{AST, ASTNode, Dynamic, Expr, Position, Scope, Stmt};

use super::syntax::nodes::{introduced, is_constant, variable};

/// So many values may come in the place of names, all together,
const MOST_VALUES: u64 = 50_000;
/// and so many bytes of texts that are put together.
const MOST_BYTES: u64 = 2 << 20;

/// Where it becomes too much, and that.
///
/// - `written`: the tree, not simplified.
/// - `constants`: what is declared outside of functions.
pub(super) fn too_large(written: &AST, constants: &Scope<'_>) -> Option<(Position, String)> {
    let sizes = constants.iter().map(|(name, _, value)| (name.to_owned(), Size::of(&value))).collect();
    let mut growth = Growth { sizes, open: Vec::new(), all: Size::default() };
    let mut place = None;
    written.walk(&mut |path: &[ASTNode]| {
        growth.node(path);
        if growth.all.values > MOST_VALUES || growth.all.bytes > MOST_BYTES {
            place = path.last().map(ASTNode::position);
        }
        place.is_none()
    });
    let message = format!(
        "the constants take more than {MOST_VALUES} values, or {MOST_BYTES} bytes of texts that are put together, where they are named; name them less often"
    );
    place.map(|place| (place, message))
}

/// What a value takes.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    /// How many values there are, in arrays and maps too.
    values: u64,
    /// How long all of its texts are.
    bytes: u64,
}

impl Size {
    /// What a value takes that was computed within the limits of a run.
    fn of(value: &Dynamic) -> Self {
        let mut size = Self { values: 1, bytes: 0 };
        if let Ok(text) = value.as_immutable_string_ref() {
            size.bytes = text.len() as u64;
        }
        if let Ok(array) = value.as_array_ref() {
            array.iter().for_each(|item| size += Self::of(item));
        }
        if let Ok(map) = value.as_map_ref() {
            map.values().for_each(|item| size += Self::of(item));
        }
        size
    }

    /// What a node takes by itself.
    fn of_node(node: &ASTNode) -> Self {
        let text = if let ASTNode::Expr(Expr::StringConstant(text, _)) = node { text.len() } else { 0 };
        Self { values: 1, bytes: text as u64 }
    }

    fn max(self, other: Self) -> Self {
        Self { values: self.values.max(other.values), bytes: self.bytes.max(other.bytes) }
    }
}

impl AddAssign for Size {
    fn add_assign(&mut self, other: Self) {
        self.values = self.values.saturating_add(other.values);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

struct Growth {
    /// Of each constant; where several have one name, of the largest.
    sizes: HashMap<String, Size>,
    /// Constants that are being declared, one in the other: the name, how deep it stands, the size so far.
    open: Vec<(String, usize, Size)>,
    /// What comes in the place of names.
    all: Size,
}

impl Growth {
    fn node(&mut self, path: &[ASTNode]) {
        while let Some((name, _, size)) = self.open.pop_if(|(_, depth, _)| path.len() <= *depth) {
            let known = self.sizes.entry(name).or_default();
            *known = known.max(size);
        }
        let Some((node, above)) = path.split_last() else { return };
        let named = match node {
            ASTNode::Expr(expr @ Expr::Variable(..)) => variable(expr).and_then(|name| self.sizes.get(name)).copied(),
            _ => None,
        };
        if let Some(size) = named {
            // A text is shared, unless another is made of it.
            let bytes = if above.iter().any(puts_together) { size.bytes } else { 0 };
            self.all += Size { bytes, ..size };
        }
        let size = named.unwrap_or_else(|| Size::of_node(node));
        self.open.iter_mut().for_each(|(.., so_far)| *so_far += size);
        if is_constant(node) {
            self.open.extend(introduced(node).into_iter().map(|name| (name, path.len(), Size::default())));
        }
    }
}

const fn puts_together(node: &ASTNode<'_>) -> bool {
    matches!(node, ASTNode::Expr(Expr::InterpolatedString(..) | Expr::FnCall(..)) | ASTNode::Stmt(Stmt::FnCall(..)))
}

#[cfg(test)]
mod tests {
    use rhai::{Module, OptimizationLevel};

    use super::*;
    use crate::policies::engine::{Containers, sandbox};

    fn refused(script: &str) -> Option<(Option<usize>, Option<usize>)> {
        let mut engine = sandbox(Module::new(), Containers::Read);
        engine.set_optimization_level(OptimizationLevel::None);
        let found = too_large(&engine.compile(script).unwrap(), &Scope::new());
        found.map(|(place, _)| (place.line(), place.position()))
    }

    fn nested(levels: usize, value: &str) -> String {
        let level = |level: usize| format!("const A{} = {};\n", level + 1, value.replace('A', &format!("A{level}")));
        std::iter::once("const A0 = [1, 2, 3, 4];\n".to_owned()).chain((0..levels).map(level)).collect()
    }

    #[test]
    fn constants_of_constants_are_refused_where_they_become_too_many() {
        assert_eq!(refused(&nested(5, "[A, A, A, A]")), None);
        for value in ["[A, A, A, A]", "#{ a: A, b: A, c: [A, A] }", "[[A, A], [[A, A]]]"] {
            let script = nested(30, value);
            assert!(refused(&script).unwrap().0.unwrap() < 12, "{value}");
            let inside = format!("fn score(task, ctx) {{\n{script} A30[0][1] }}");
            assert!(refused(&inside).unwrap().0.unwrap() < 12, "{value}");
        }
    }

    #[test]
    fn one_constant_may_be_named_often_and_variables_as_often_as_there_is_room() {
        let often = |keyword: &str| {
            let named = "sum += A.a;".repeat(900);
            format!(
                "{keyword} A = #{{ a: 1, b: 2, c: 3, d: [4, 5] }};\nfn score(task, ctx) {{ let sum = 0; {named} sum }}"
            )
        };
        assert_eq!(refused(&often("const")), None);
        assert_eq!(refused(&nested(30, "[A, A, A, A]").replace("const", "let")), None);
    }

    #[test]
    fn texts_that_are_put_together_of_constants_are_counted_and_others_are_shared() {
        assert!(refused(&nested(30, "`${A}${A}`").replace("[1, 2, 3, 4]", "\"text\"")).is_some());
        let text = "x".repeat(8_000);
        let with = |body: &str| format!("const A = \"{text}\";\nfn score(task, ctx) {{ {} 1 }}", body.repeat(500));
        assert!(refused(&with("let t = A + \"y\";")).is_some());
        assert_eq!(refused(&with("let t = A;")), None);
    }

    #[test]
    fn what_is_computed_counts_as_it_is() {
        let mut engine = sandbox(Module::new(), Containers::Read);
        engine.set_optimization_level(OptimizationLevel::None);
        let named = "[A, A, A, A],".repeat(60);
        let written =
            engine.compile(format!("const A = [1].pad(250, 2);\nfn score(task, ctx) {{ [{named}]; 1 }}")).unwrap();
        let mut computed = Scope::new();
        computed.push_constant("A", vec![Dynamic::ONE; 250]);

        assert!(too_large(&written, &Scope::new()).is_none());
        assert!(too_large(&written, &computed).is_some());
    }

    #[test]
    fn a_name_that_is_used_again_grows_with_each_use() {
        let again = "const A = [A, A, A];\n".repeat(20);
        assert!(refused(&format!("const A = [1];\n{again}")).is_some());
    }
}
