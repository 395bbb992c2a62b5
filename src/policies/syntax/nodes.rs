//! Nodes of Rhai's syntax tree, in the few ways in which they are looked at.

use rhai::{ASTFlags, ASTNode, Expr, FnCallExpr, Position, Stmt};

pub(super) fn call_of<'a>(node: &ASTNode<'a>) -> Option<&'a FnCallExpr> {
    match node {
        ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)) => Some(call),
        _ => None,
    }
}

pub(in crate::policies) fn variable(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Variable(variable, ..) if variable.2.is_empty() => Some(variable.1.as_str()),
        _ => None,
    }
}

/// That of which a part is assigned to: a variable, or the value that Rhai put in the place of a constant of the function.
pub(super) fn changed<'a>(node: &ASTNode<'a>) -> Option<&'a Expr> {
    let ASTNode::Stmt(Stmt::Assignment(assignment)) = node else { return None };
    match &assignment.1.lhs {
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => Some(&chain.lhs),
        other => Some(other).filter(|lhs| variable(lhs).is_none()),
    }
}

/// Whether a statement declares a constant.
pub(in crate::policies) fn is_constant(node: &ASTNode) -> bool {
    matches!(node, ASTNode::Stmt(Stmt::Var(_, flags, _)) if flags.contains(ASTFlags::CONSTANT))
}

/// The line and the column, which can be compared.
pub(super) fn place_of(position: Position) -> (usize, usize) {
    (position.line().unwrap_or(0), position.position().unwrap_or(0))
}

/// The name of a link such as `.a` or `["a"]`, and where it stands.
pub(super) fn named(link: &Expr) -> Option<(&str, Position)> {
    match link {
        Expr::Property(property, position) => Some((property.2.as_str(), *position)),
        Expr::StringConstant(name, position) => Some((name.as_str(), *position)),
        _ => None,
    }
}

/// The first link of the chain `task.a.b` or `task["a"].b`; `whole` when the chain ends after the index.
pub(super) fn first_access(rhs: &Expr, whole: bool) -> &Expr {
    match rhs {
        Expr::Dot(pair, ..) | Expr::Index(pair, ..) if !whole => &pair.lhs,
        other => other,
    }
}

/// The names that a statement introduces.
pub(in crate::policies) fn introduced(node: &ASTNode) -> Vec<String> {
    match node {
        ASTNode::Stmt(Stmt::Var(var, ..)) => vec![var.0.name.to_string()],
        ASTNode::Stmt(Stmt::For(parts, _)) => {
            std::iter::once(&parts.0).chain(parts.1.as_ref()).map(|ident| ident.name.to_string()).collect()
        }
        ASTNode::Stmt(Stmt::TryCatch(parts, _)) => variable(&parts.expr).map(ToOwned::to_owned).into_iter().collect(),
        _ => Vec::new(),
    }
}
