//! What a node comes to before any task is seen.

use super::graph::{Bits, Graph, Id, Node};
use super::numbers;

/// What an operation comes to.
pub(super) enum Folded {
    /// A node that is there already.
    Same(Id),
    /// A simpler operation, or the same.
    Node(Node),
}

/// The simplest node that computes the same.
pub(super) fn folded(graph: &Graph, node: Node) -> Folded {
    if let Some(folded) = logic(graph, &node) {
        return folded;
    }
    Folded::Node(constant(graph, &node).unwrap_or(node))
}

/// What truth values make superfluous.
fn logic(graph: &Graph, node: &Node) -> Option<Folded> {
    match node {
        Node::Not(a) => match graph.node(*a) {
            Node::Not(inner) => Some(Folded::Same(*inner)),
            _ => None,
        },
        Node::And(a, b) => both_or_either(graph, *a, *b, true),
        Node::Or(a, b) => both_or_either(graph, *a, *b, false),
        Node::Select(condition, yes, no) => match (graph.known_bool(*condition), graph.node(*yes), graph.node(*no)) {
            (Some(true), ..) => Some(Folded::Same(*yes)),
            (Some(false), ..) => Some(Folded::Same(*no)),
            _ if yes == no => Some(Folded::Same(*yes)),
            (_, Node::Bool(true), Node::Bool(false)) => Some(Folded::Same(*condition)),
            (_, Node::Bool(false), Node::Bool(true)) => Some(Folded::Node(Node::Not(*condition))),
            (_, Node::Bool(true), _) => Some(Folded::Node(Node::Or(*condition, *no))),
            (_, _, Node::Bool(false)) => Some(Folded::Node(Node::And(*condition, *yes))),
            _ => None,
        },
        _ => None,
    }
}

/// `and` where `neutral` is true, `or` where it is false.
fn both_or_either(graph: &Graph, a: Id, b: Id, neutral: bool) -> Option<Folded> {
    match (graph.known_bool(a), graph.known_bool(b)) {
        (Some(a), _) if a == neutral => Some(Folded::Same(b)),
        (_, Some(b)) if b == neutral => Some(Folded::Same(a)),
        (Some(_), _) | (_, Some(_)) => Some(Folded::Node(Node::Bool(!neutral))),
        _ if a == b => Some(Folded::Same(a)),
        _ => None,
    }
}

/// The result of an operation on constants.
fn constant(graph: &Graph, node: &Node) -> Option<Node> {
    let whole = |id: &Id| if let Node::Whole(value) = graph.node(*id) { Some(*value) } else { None };
    let float = |id: &Id| if let Node::Float(value) = graph.node(*id) { Some(value.float()) } else { None };
    let text = |id: &Id| if let Node::Text(symbol) = graph.node(*id) { Some(*symbol) } else { None };
    let floats = |value: f64| Node::Float(Bits::of(value));
    match node {
        Node::Not(a) => Some(Node::Bool(!graph.known_bool(*a)?)),
        Node::Whole2(op, a, b) => Some(Node::Whole(numbers::whole(*op, whole(a)?, whole(b)?))),
        Node::Overflows(op, a, b) => Some(Node::Bool(numbers::overflows(*op, whole(a)?, whole(b)?))),
        Node::Float2(op, a, b) => Some(floats(numbers::float(*op, float(a)?, float(b)?))),
        Node::Float1(function, a) => Some(floats(numbers::function(*function, float(a)?))),
        Node::ToFloat(a) => Some(floats(numbers::to_float(whole(a)?))),
        Node::CompareWhole(op, a, b) => Some(Node::Bool(numbers::compare_whole(*op, whole(a)?, whole(b)?))),
        Node::CompareFloat(op, a, b) => Some(Node::Bool(numbers::compare_float(*op, float(a)?, float(b)?))),
        Node::SameBool(a, b) => Some(Node::Bool(graph.known_bool(*a)? == graph.known_bool(*b)?)),
        Node::SameText(a, b) => Some(Node::Bool(text(a)? == text(b)?)),
        Node::Lookup(key, table) => Some(table.entry(text(key)?)),
        _ => None,
    }
}
