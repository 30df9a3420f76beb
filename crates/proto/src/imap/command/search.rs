//! SEARCH and its keys (RFC 3501 §6.4.4, RFC 7162 §3.1.5), as a flat program that is evaluated without
//! recursion.

use super::{Date, Flag, SequenceSet};

/// SEARCH or UID SEARCH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Whether UIDs are to be answered.
    pub uid: bool,
    pub program: SearchProgram,
}

/// One test of one message. Texts are UTF-8, whatever the client's charset; each matches as a substring
/// without regard to case, and an empty one matches wherever the field is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchKey {
    All,
    /// ANSWERED, SEEN, KEYWORD x ...
    Has(Flag),
    /// UNANSWERED, UNSEEN, UNKEYWORD x ...
    Lacks(Flag),
    Recent,
    /// RECENT UNSEEN.
    New,
    /// NOT RECENT.
    Old,
    Sequence(SequenceSet),
    Uid(SequenceSet),
    /// Octets.
    Larger(u64),
    Smaller(u64),
    /// INTERNALDATE, without its time and zone.
    Before(Date),
    On(Date),
    Since(Date),
    /// The Date header, without its time and zone.
    SentBefore(Date),
    SentOn(Date),
    SentSince(Date),
    From(String),
    To(String),
    Cc(String),
    Bcc(String),
    Subject(String),
    Header {
        name: String,
        value: String,
    },
    Body(String),
    /// Header or body.
    Text(String),
    /// Changed at this mod-sequence or later.
    ModSeq(u64),
}

/// Nodes in prefix order: an operator stands in front of its operands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchNode {
    Key(SearchKey),
    /// All operands up to `end`, an index into the program.
    And {
        end: usize,
    },
    /// Either of the two operands up to `end`.
    Or {
        end: usize,
    },
    /// The one operand that follows.
    Not,
}

/// What a message must match: all the nodes at the top. Whole by construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchProgram(Vec<SearchNode>);

impl SearchProgram {
    pub fn nodes(&self) -> &[SearchNode] {
        &self.0
    }

    /// Every key, wherever it stands.
    pub fn keys(&self) -> impl Iterator<Item = &SearchKey> {
        self.0.iter().filter_map(|node| match node {
            SearchNode::Key(key) => Some(key),
            _ => None,
        })
    }

    /// Whether a message matches. `test` is given a key and its index in [`nodes`](Self::nodes); it may answer `None` for a key that it cannot tell yet (one that needs
    /// the body, say): the result is `None` only if such a key decides. Operands that cannot change the result
    /// are not tested. So the cheap keys can go first over all messages, and the dear ones over what is left.
    pub fn evaluate(&self, mut test: impl FnMut(usize, &SearchKey) -> Option<bool>) -> Option<bool> {
        let mut open = vec![Frame { operator: Operator::And, end: self.0.len(), value: Some(true) }];
        let mut at = 0;
        while let Some(node) = self.0.get(at) {
            at += 1;
            let mut value = match node {
                SearchNode::And { end } => {
                    open.push(Frame { operator: Operator::And, end: *end, value: Some(true) });
                    continue;
                }
                SearchNode::Or { end } => {
                    open.push(Frame { operator: Operator::Or, end: *end, value: Some(false) });
                    continue;
                }
                SearchNode::Not => {
                    open.push(Frame { operator: Operator::Not, end: at, value: None });
                    continue;
                }
                SearchNode::Key(key) => test(at - 1, key),
            };
            // An operand is known: fold it into its operator, and that into its own if it is complete or
            // decided.
            while let Some(frame) = open.last_mut() {
                let decided = match frame.operator {
                    Operator::And => {
                        frame.value = both(frame.value, value);
                        frame.value == Some(false)
                    }
                    Operator::Or => {
                        frame.value = either(frame.value, value);
                        frame.value == Some(true)
                    }
                    Operator::Not => {
                        frame.value = value.map(|value| !value);
                        frame.end = at;
                        false
                    }
                };
                if decided {
                    at = frame.end;
                }
                if at < frame.end {
                    break;
                }
                value = frame.value;
                open.pop();
            }
            if open.is_empty() {
                return value;
            }
        }
        None
    }
}

/// Builds a program from its tokens in the order they stand in the command.
#[derive(Debug)]
pub struct SearchBuilder {
    nodes: Vec<SearchNode>,
    open: Vec<Pending>,
    max_depth: usize,
}

/// What a token cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchShapeError {
    /// Operators and parentheses stand more deeply in each other than allowed.
    TooDeep,
    /// A group or an operator lacks an operand, or a parenthesis its partner.
    Incomplete,
}

impl SearchBuilder {
    pub fn new(max_depth: usize) -> Self {
        Self { nodes: Vec::new(), open: Vec::new(), max_depth }
    }

    pub fn key(&mut self, key: SearchKey) {
        self.nodes.push(SearchNode::Key(key));
        self.operand_done();
    }

    /// `(`
    pub fn open(&mut self) -> Result<(), SearchShapeError> {
        self.push(SearchNode::And { end: 0 }, Operator::And, usize::MAX)
    }

    /// `)`
    pub fn close(&mut self) -> Result<(), SearchShapeError> {
        match self.open.last() {
            Some(pending) if pending.operator == Operator::And && pending.at + 1 < self.nodes.len() => {
                self.finish_last();
                self.operand_done();
                Ok(())
            }
            _ => Err(SearchShapeError::Incomplete),
        }
    }

    pub fn or(&mut self) -> Result<(), SearchShapeError> {
        self.push(SearchNode::Or { end: 0 }, Operator::Or, 2)
    }

    pub fn not(&mut self) -> Result<(), SearchShapeError> {
        self.push(SearchNode::Not, Operator::Not, 1)
    }

    pub fn finish(self) -> Result<SearchProgram, SearchShapeError> {
        if self.nodes.is_empty() || !self.open.is_empty() {
            return Err(SearchShapeError::Incomplete);
        }
        Ok(SearchProgram(self.nodes))
    }

    fn push(&mut self, node: SearchNode, operator: Operator, missing: usize) -> Result<(), SearchShapeError> {
        if self.open.len() >= self.max_depth {
            return Err(SearchShapeError::TooDeep);
        }
        self.open.push(Pending { operator, at: self.nodes.len(), missing });
        self.nodes.push(node);
        Ok(())
    }

    fn operand_done(&mut self) {
        while let Some(pending) = self.open.last_mut() {
            pending.missing -= 1;
            if pending.missing > 0 {
                break;
            }
            self.finish_last();
        }
    }

    fn finish_last(&mut self) {
        let here = self.nodes.len();
        if let Some(pending) = self.open.pop()
            && let Some(SearchNode::And { end } | SearchNode::Or { end }) = self.nodes.get_mut(pending.at)
        {
            *end = here;
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    And,
    Or,
    Not,
}

/// An operator under evaluation.
struct Frame {
    operator: Operator,
    end: usize,
    value: Option<bool>,
}

/// An operator that is being built.
#[derive(Debug)]
struct Pending {
    operator: Operator,
    at: usize,
    /// Operands to come; without end for a group.
    missing: usize,
}

fn both(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn either(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same as a tree, evaluated the plain way.
    #[derive(Clone, Debug)]
    enum Tree {
        Key(u64),
        And(Vec<Tree>),
        Or(Box<Tree>, Box<Tree>),
        Not(Box<Tree>),
    }

    impl Tree {
        fn build(&self, builder: &mut SearchBuilder) {
            match self {
                Self::Key(n) => builder.key(SearchKey::Larger(*n)),
                Self::And(all) => {
                    builder.open().unwrap();
                    all.iter().for_each(|tree| tree.build(builder));
                    builder.close().unwrap();
                }
                Self::Or(a, b) => {
                    builder.or().unwrap();
                    a.build(builder);
                    b.build(builder);
                }
                Self::Not(a) => {
                    builder.not().unwrap();
                    a.build(builder);
                }
            }
        }

        fn evaluate(&self, values: &[Option<bool>]) -> Option<bool> {
            match self {
                Self::Key(n) => values[*n as usize],
                Self::And(all) => all.iter().map(|t| t.evaluate(values)).fold(Some(true), both),
                Self::Or(a, b) => either(a.evaluate(values), b.evaluate(values)),
                Self::Not(a) => a.evaluate(values).map(|v| !v),
            }
        }
    }

    fn tree() -> impl Strategy<Value = Tree> {
        (0u64..4).prop_map(Tree::Key).prop_recursive(5, 40, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(Tree::And),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| Tree::Or(a.into(), b.into())),
                inner.prop_map(|a| Tree::Not(a.into())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_program_answers_as_the_tree_it_was_built_from(
            trees in prop::collection::vec(tree(), 1..4),
            values in prop::collection::vec(prop::option::of(any::<bool>()), 4),
        ) {
            let mut builder = SearchBuilder::new(100);
            trees.iter().for_each(|tree| tree.build(&mut builder));
            let program = builder.finish().unwrap();
            let test = |_: usize, key: &SearchKey| match key {
                SearchKey::Larger(n) => values[*n as usize],
                _ => unreachable!(),
            };
            prop_assert_eq!(program.evaluate(test), Tree::And(trees).evaluate(&values));
        }
    }

    #[test]
    fn depth_is_allowed_up_to_the_limit_and_not_one_more() {
        let mut builder = SearchBuilder::new(100);
        for _ in 0..50 {
            builder.not().unwrap();
            builder.open().unwrap();
        }
        assert_eq!(builder.or(), Err(SearchShapeError::TooDeep));
        builder.key(SearchKey::All);
        for _ in 0..50 {
            builder.close().unwrap();
        }
        assert_eq!(builder.finish().unwrap().evaluate(|_, _| Some(true)), Some(true));
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        assert!(SearchBuilder::new(9).finish().is_err());
        let mut builder = SearchBuilder::new(9);
        assert_eq!(builder.close(), Err(SearchShapeError::Incomplete));
        builder.open().unwrap();
        assert_eq!(builder.close(), Err(SearchShapeError::Incomplete));
        builder.or().unwrap();
        builder.key(SearchKey::All);
        assert_eq!(builder.close(), Err(SearchShapeError::Incomplete));
        builder.key(SearchKey::All);
        builder.close().unwrap();
        builder.not().unwrap();
        assert!(builder.finish().is_err());
    }

    #[test]
    fn a_decided_operator_skips_its_other_operands() {
        let mut builder = SearchBuilder::new(9);
        builder.key(SearchKey::Larger(1));
        builder.or().unwrap();
        builder.key(SearchKey::Larger(2));
        builder.key(SearchKey::Larger(3));
        let program = builder.finish().unwrap();
        let mut asked = Vec::new();
        let result = program.evaluate(|at, key| {
            assert_eq!(program.nodes()[at], SearchNode::Key(key.clone()));
            asked.push(key.clone());
            Some(true)
        });
        assert_eq!(result, Some(true));
        assert_eq!(asked, [SearchKey::Larger(1), SearchKey::Larger(2)]);
    }
}
