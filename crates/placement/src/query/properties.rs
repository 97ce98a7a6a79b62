//! Expressions made up at random, against an evaluation of their own.

use proptest::prelude::*;

use super::*;
use crate::candidate::Candidate;
use crate::testing;

/// An expression over the attributes `a` and `b` and groups, as one can think of it.
#[derive(Clone, Debug)]
enum Tree {
    Or(Box<Tree>, Box<Tree>),
    And(Box<Tree>, Box<Tree>),
    Not(Box<Tree>),
    Exists(&'static str),
    Equal(&'static str, &'static str),
    NotEqual(&'static str, &'static str),
    In(&'static str, Vec<&'static str>),
    NotIn(&'static str, Vec<&'static str>),
    BeginsWith(&'static str, &'static str),
    Greater(&'static str, &'static str),
    HasGroup(&'static str),
    LacksGroup(&'static str),
}

/// What an instance has.
#[derive(Clone, Debug)]
struct Facts {
    a: Option<&'static str>,
    b: Option<&'static str>,
    groups: Vec<&'static str>,
}

impl Facts {
    fn get(&self, name: &str) -> Option<&'static str> {
        if name == "a" { self.a } else { self.b }
    }

    fn candidate(&self) -> Candidate {
        let attribute =
            |name, value: Option<_>| value.map(|it| format!("@{name}={it} ")).unwrap_or_default();
        let groups = match self.groups.is_empty() {
            true => String::new(),
            false => format!("tasks={}", self.groups.join(",")),
        };
        let (a, b) = (attribute("a", self.a), attribute("b", self.b));
        testing::candidate(&format!("I {a}{b}{groups}"))
    }
}

impl Tree {
    fn is_true_for(&self, facts: &Facts) -> bool {
        match self {
            Self::Or(one, other) => one.is_true_for(facts) | other.is_true_for(facts),
            Self::And(one, other) => one.is_true_for(facts) & other.is_true_for(facts),
            Self::Not(inner) => !inner.is_true_for(facts),
            Self::Exists(name) => facts.get(name).is_some(),
            Self::Equal(name, value) => facts.get(name) == Some(value),
            Self::NotEqual(name, value) => facts.get(name).is_some_and(|it| it != *value),
            Self::In(name, values) => facts.get(name).is_some_and(|it| values.contains(&it)),
            Self::NotIn(name, values) => facts.get(name).is_some_and(|it| !values.contains(&it)),
            Self::BeginsWith(name, value) => {
                facts.get(name).is_some_and(|it| it.starts_with(value))
            }
            Self::Greater(name, value) => facts.get(name).is_some_and(|it| it > *value),
            Self::HasGroup(group) => facts.groups.contains(group),
            Self::LacksGroup(group) => !facts.groups.contains(group),
        }
    }

    /// The expression with as few parentheses as it can do with, spelled as the bits say.
    fn print(&self, parent: u8, spelling: &mut u64) -> String {
        *spelling = spelling.rotate_right(1);
        let is_short = *spelling & 1 == 0;
        let pick = |short: &str, long: &str| if is_short { short } else { long }.to_owned();
        let (binding, text) = match self {
            Self::Or(one, other) => {
                (1, [one.print(1, spelling), other.print(1, spelling)].join(&pick("||", " oR ")))
            }
            Self::And(one, other) => {
                (2, [one.print(2, spelling), other.print(2, spelling)].join(&pick("&&", "\nand\t")))
            }
            Self::Not(inner) => (3, pick("!", "Not ") + &inner.print(3, spelling)),
            Self::Exists(name) => (4, format!("attribute:{name} exists")),
            Self::Equal(name, value) => {
                (4, format!("attribute:{name}{}{value}", pick("==", " equals ")))
            }
            Self::NotEqual(name, value) => {
                (4, format!("attribute:{name}{}'{value}'", pick("!=", " not_equals ")))
            }
            Self::In(name, values) => {
                (4, format!("attribute:{name} in [{}]", values.join(&pick(",", " , "))))
            }
            Self::NotIn(name, values) => {
                let values: Vec<_> = values.iter().map(|it| format!("\"{it}\"")).collect();
                (4, format!("attribute:{name} {}[{}]", pick("!in", "not_in"), values.join(",")))
            }
            Self::BeginsWith(name, value) => {
                (4, format!("attribute:{name}{}{value}.*", pick("=~", " matches ")))
            }
            Self::Greater(name, value) => {
                (4, format!("attribute:{name}{}{value}", pick(">", " greater_than ")))
            }
            Self::HasGroup(group) => (4, format!("task:group{}{group}", pick("==", " equals "))),
            Self::LacksGroup(group) => {
                (4, format!("task:group{}{group}", pick("!=", " not_equals ")))
            }
        };
        if binding < parent { format!("({text})") } else { text }
    }
}

fn words() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["x", "xy", "y", "yx", "and", "not", "exists", "matches"])
}

fn names() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b"])
}

fn trees() -> impl Strategy<Value = Tree> {
    let lists = || prop::collection::vec(words(), 1..4);
    let leaf = prop_oneof![
        names().prop_map(Tree::Exists),
        (names(), words()).prop_map(|(name, value)| Tree::Equal(name, value)),
        (names(), words()).prop_map(|(name, value)| Tree::NotEqual(name, value)),
        (names(), lists()).prop_map(|(name, values)| Tree::In(name, values)),
        (names(), lists()).prop_map(|(name, values)| Tree::NotIn(name, values)),
        (names(), words()).prop_map(|(name, value)| Tree::BeginsWith(name, value)),
        (names(), words()).prop_map(|(name, value)| Tree::Greater(name, value)),
        words().prop_map(Tree::HasGroup),
        words().prop_map(Tree::LacksGroup),
    ];
    leaf.prop_recursive(5, 24, 2, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            (boxed(), boxed()).prop_map(|(one, other)| Tree::Or(one, other)),
            (boxed(), boxed()).prop_map(|(one, other)| Tree::And(one, other)),
            boxed().prop_map(Tree::Not),
        ]
    })
}

fn facts() -> impl Strategy<Value = Facts> {
    let value = || prop::option::of(words());
    (value(), value(), prop::collection::vec(words(), 0..3)).prop_map(|(a, b, groups)| Facts {
        a,
        b,
        groups,
    })
}

/// Texts that begin like expressions more often than others do.
fn soups() -> impl Strategy<Value = String> {
    let tokens = vec![
        "attribute:a",
        "task:group",
        "agentVersion",
        "registeredAt",
        "runningTasksCount",
        "==",
        "!=",
        ">",
        "=~",
        "!",
        "exists",
        "in",
        "not",
        "and",
        "or",
        "&&",
        "||",
        "(",
        ")",
        "[",
        "]",
        ",",
        "'",
        "\"",
        "x",
        "1.2",
        "2018-06-18",
        "\\",
        "é",
        "\u{2003}",
        "[a-",
        "{",
        "=",
        " ",
    ];
    prop::collection::vec(prop::sample::select(tokens), 0..24).prop_map(|it| it.join(" "))
}

fn check_any(text: &str) {
    match Query::parse(text) {
        Ok(query) => {
            query.matches(&testing::candidate("I @a=x tasks=web version=1.2 running=1"));
            assert_eq!(query.to_string(), text);
            assert_eq!(Query::parse(&query.to_string()), Ok(query));
        }
        Err(error) => {
            assert!(text.is_char_boundary(error.offset()), "{error:?}");
            assert!(error.to_string().starts_with("Invalid expression: "));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_query_is_true_where_its_expression_is(
        tree in trees(), facts in facts(), mut spelling in any::<u64>(),
    ) {
        let text = tree.print(0, &mut spelling);
        let query = Query::parse(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let candidate = facts.candidate();
        prop_assert_eq!(query.matches(&candidate), tree.is_true_for(&facts), "{}", text);

        let Split { record, tasks } = query.split();
        let holds = |part: &Option<Query>| part.as_ref().is_none_or(|it| it.matches(&candidate));
        prop_assert_eq!(holds(&record) && holds(&tasks), query.matches(&candidate), "{}", text);
        prop_assert!(record.is_none_or(|it| !it.looks_at_tasks()), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        check_any(&text);
    }

    #[test]
    fn any_soup_of_tokens_is_read_or_refused(text in soups()) {
        check_any(&text);
        check_any(&text.replace(' ', ""));
    }
}
