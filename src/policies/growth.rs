//! How much of a script there is once its constants stand where they are named.
//!
//! Rhai puts the value of a constant in the place of its name before anything runs, and counts that against no limit: ten
//! lines, each of which names the one before it four times, are a million values. So it is counted here first, on the
//! tree as it was written.

use std::collections::HashMap;

use rhai::{AST, ASTFlags, ASTNode, Expr, Position, Stmt};

use super::syntax::nodes::{introduced, variable};

/// So many values may come in the place of names, all together.
const MOST_VALUES: u64 = 50_000;

/// Where it becomes too much, and that.
pub(super) fn too_large(written: &AST) -> Option<(Position, String)> {
    let mut growth = Growth { sizes: HashMap::new(), open: Vec::new(), all: 0 };
    let mut place = None;
    written.walk(&mut |path: &[ASTNode]| {
        growth.node(path);
        if growth.all > MOST_VALUES {
            place = path.last().map(ASTNode::position);
        }
        place.is_none()
    });
    let message =
        format!("the constants take more than {MOST_VALUES} values where they are named; name them less often");
    place.map(|place| (place, message))
}

struct Growth {
    /// The values in each constant; where several have one name, in the largest.
    sizes: HashMap<String, u64>,
    /// Constants that are being declared, one in the other: the name, how deep it stands, the values so far.
    open: Vec<(String, usize, u64)>,
    /// The values that come in the place of names.
    all: u64,
}

impl Growth {
    fn node(&mut self, path: &[ASTNode]) {
        while let Some((name, _, size)) = self.open.pop_if(|(_, depth, _)| path.len() <= *depth) {
            let known = self.sizes.entry(name).or_default();
            *known = size.max(*known);
        }
        let Some(node) = path.last() else { return };
        let named = match node {
            ASTNode::Expr(expr @ Expr::Variable(..)) => variable(expr).and_then(|name| self.sizes.get(name)).copied(),
            _ => None,
        };
        self.all = self.all.saturating_add(named.unwrap_or(0));
        for (_, _, size) in &mut self.open {
            *size = size.saturating_add(named.unwrap_or(1));
        }
        if let ASTNode::Stmt(Stmt::Var(_, flags, _)) = node
            && flags.contains(ASTFlags::CONSTANT)
        {
            self.open.extend(introduced(node).into_iter().map(|name| (name, path.len(), 0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use rhai::{Module, OptimizationLevel};

    use super::*;
    use crate::policies::engine::{Containers, sandbox};

    fn refused(script: &str) -> Option<(Option<usize>, Option<usize>)> {
        let mut engine = sandbox(Module::new(), Containers::Read);
        engine.set_optimization_level(OptimizationLevel::None);
        let found = too_large(&engine.compile(script).unwrap());
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
    fn a_name_that_is_used_again_grows_with_each_use() {
        let again = "const A = [A, A, A];\n".repeat(20);
        assert!(refused(&format!("const A = [1];\n{again}")).is_some());
    }
}
