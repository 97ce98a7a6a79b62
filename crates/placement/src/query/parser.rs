//! Tokens to an expression, by recursive descent: `not` binds tighter than `and`, and `and` tighter
//! than `or`.

use longshore_model::Timestamp;

use super::expression::{Expression, Predicate, Relation, Test, Texts};
use super::lexer::{Lexer, Token};
use super::pattern::Pattern;
use super::version::Version;
use super::{Fault, MAX_DEPTH, Subject};

/// The most patterns of one expression: the largest takes some milliseconds to compile.
const MAX_PATTERNS: usize = 16;

pub(super) fn parse(text: &str) -> Result<Expression, Fault> {
    let mut parser = Parser { lexer: Lexer::new(text), depth: 0, patterns: 0 };
    let expression = parser.or()?;
    match parser.lexer.peek()? {
        Token::End => Ok(expression),
        _ => Err(parser.expected("'and', 'or' or the end")),
    }
}

/// The one rule for names of attributes.
pub(crate) fn is_attribute_name(name: &str) -> bool {
    let allowed = |it: u8| it.is_ascii_alphanumeric() || b"._/\\-".contains(&it);
    (1..=128).contains(&name.len()) && name.bytes().all(allowed)
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// Parentheses and negations that are open here.
    depth: usize,
    /// Patterns so far.
    patterns: usize,
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    Exists,
    NotExists,
    In,
    NotIn,
    Matches,
    NotMatches,
    Relation(Relation),
}

impl<'a> Parser<'a> {
    fn expected(&self, what: &str) -> Fault {
        Fault::new(self.lexer.offset(), what)
    }

    fn or(&mut self) -> Result<Expression, Fault> {
        let first = self.and()?;
        let mut parts = vec![first];
        while self.take_connective("||", "or")? {
            parts.push(self.and()?);
        }
        Ok(one_or_all(parts, Expression::Or))
    }

    fn and(&mut self) -> Result<Expression, Fault> {
        let first = self.unary()?;
        let mut parts = vec![first];
        while self.take_connective("&&", "and")? {
            parts.push(self.unary()?);
        }
        Ok(one_or_all(parts, Expression::And))
    }

    fn unary(&mut self) -> Result<Expression, Fault> {
        if self.take_connective("!", "not")? {
            let negated = self.nested(Self::unary)?;
            Ok(Expression::Not(Box::new(negated)))
        } else if self.take_symbol("(")? {
            let inner = self.nested(Self::or)?;
            match self.take_symbol(")")? {
                true => Ok(inner),
                false => Err(self.expected("'and', 'or' or a closing )")),
            }
        } else {
            self.predicate()
        }
    }

    fn nested(
        &mut self,
        inner: fn(&mut Self) -> Result<Expression, Fault>,
    ) -> Result<Expression, Fault> {
        if self.depth == MAX_DEPTH {
            return Err(self.expected("at most 64 levels of parentheses and negations"));
        }
        self.depth += 1;
        let expression = inner(self)?;
        self.depth -= 1;
        Ok(expression)
    }

    /// Takes a connective, spelled as a symbol or as a word of any case.
    fn take_connective(&mut self, symbol: &str, word: &str) -> Result<bool, Fault> {
        let found = match self.lexer.peek()? {
            Token::Symbol(it) => it == symbol,
            Token::Word(it) => it.eq_ignore_ascii_case(word),
            Token::Quoted(_) | Token::Stray | Token::End => false,
        };
        if found {
            self.lexer.next()?;
        }
        Ok(found)
    }

    fn take_symbol(&mut self, symbol: &str) -> Result<bool, Fault> {
        let found = matches!(self.lexer.peek()?, Token::Symbol(it) if it == symbol);
        if found {
            self.lexer.next()?;
        }
        Ok(found)
    }

    fn predicate(&mut self) -> Result<Expression, Fault> {
        let subject = self.subject()?;
        let misplaced = self.expected(subject.operators());
        let operator = self.operator()?;
        Ok(Expression::Predicate(match (subject, operator) {
            (Subject::Attribute(name), Operator::Exists) => Predicate::AttributeExists(name.into()),
            (Subject::Attribute(name), Operator::NotExists) => {
                let exists = Expression::Predicate(Predicate::AttributeExists(name.into()));
                return Ok(Expression::Not(Box::new(exists)));
            }
            (Subject::Attribute(name), Operator::Relation(it)) if it.is_order() => {
                Predicate::AttributeOrder(name.into(), it, self.value()?.into())
            }
            (Subject::Attribute(name), _) => {
                Predicate::Attribute(name.into(), self.test(operator, misplaced)?)
            }
            (Subject::TaskGroup, _) => Predicate::TaskGroup(self.test(operator, misplaced)?),
            (Subject::AgentConnected, _) => {
                Predicate::AgentConnected(self.test(operator, misplaced)?)
            }
            (Subject::Ec2InstanceId, _) => {
                Predicate::Ec2InstanceId(self.test(operator, misplaced)?)
            }
            (Subject::AgentVersion, _) => {
                let expected = "a version such as 1.14.3";
                let (relation, it) =
                    self.comparison(operator, misplaced, Version::parse, expected)?;
                Predicate::AgentVersion(relation, it)
            }
            (Subject::RegisteredAt, _) => {
                let expected = "a date such as 2018-06-18T22:28:28Z";
                let (relation, it) = self.comparison(operator, misplaced, instant, expected)?;
                Predicate::RegisteredAt(relation, it)
            }
            (Subject::RunningTasksCount, _) => {
                let number = |text: &str| text.parse().ok();
                let (relation, it) =
                    self.comparison(operator, misplaced, number, "a whole number")?;
                Predicate::RunningTasksCount(relation, it)
            }
        }))
    }

    fn subject(&mut self) -> Result<Subject<'a>, Fault> {
        let expected = self.expected("a subject such as attribute:NAME or task:group");
        let Token::Word(word) = self.lexer.peek()? else { return Err(expected) };
        let subject = match word {
            "task:group" => Subject::TaskGroup,
            "agentConnected" => Subject::AgentConnected,
            "agentVersion" => Subject::AgentVersion,
            "ec2InstanceId" => Subject::Ec2InstanceId,
            "registeredAt" => Subject::RegisteredAt,
            "runningTasksCount" => Subject::RunningTasksCount,
            _ => match word.strip_prefix("attribute:") {
                Some(name) if is_attribute_name(name) => Subject::Attribute(name),
                Some(_) => return Err(self.expected("the name of an attribute")),
                None => return Err(expected),
            },
        };
        self.lexer.next()?;
        Ok(subject)
    }

    fn operator(&mut self) -> Result<Operator, Fault> {
        let expected = self.expected("an operator such as == or exists");
        match self.lexer.next()? {
            Token::Symbol("!") => match self.lexer.next()? {
                Token::Word("exists") => Ok(Operator::NotExists),
                Token::Word("in") => Ok(Operator::NotIn),
                _ => Err(expected),
            },
            Token::Symbol(text) | Token::Word(text) => Operator::parse(text).ok_or(expected),
            Token::Quoted(_) | Token::Stray | Token::End => Err(expected),
        }
    }

    /// What follows an operator on texts; any other is misplaced.
    fn test(&mut self, operator: Operator, misplaced: Fault) -> Result<Test, Fault> {
        let (texts, is_negated) = match operator {
            Operator::Relation(Relation::Equal) => (self.one()?, false),
            Operator::Relation(Relation::NotEqual) => (self.one()?, true),
            Operator::In => (self.list()?, false),
            Operator::NotIn => (self.list()?, true),
            Operator::Matches => (self.pattern()?, false),
            Operator::NotMatches => (self.pattern()?, true),
            Operator::Exists | Operator::NotExists | Operator::Relation(_) => {
                return Err(misplaced);
            }
        };
        Ok(Test { texts, is_negated })
    }

    /// What follows a comparison of ordered values; any other operator is misplaced.
    fn comparison<T>(
        &mut self,
        operator: Operator,
        misplaced: Fault,
        read: impl FnOnce(&str) -> Option<T>,
        expected: &str,
    ) -> Result<(Relation, T), Fault> {
        let Operator::Relation(relation) = operator else { return Err(misplaced) };
        let unreadable = self.expected(expected);
        let value = read(self.value()?).ok_or(unreadable)?;
        Ok((relation, value))
    }

    fn value(&mut self) -> Result<&'a str, Fault> {
        let expected = self.expected("a value");
        match self.lexer.next()? {
            Token::Word(text) | Token::Quoted(text) => Ok(text),
            Token::Symbol(_) | Token::Stray | Token::End => Err(expected),
        }
    }

    fn one(&mut self) -> Result<Texts, Fault> {
        Ok(Texts::Among(vec![self.value()?.into()]))
    }

    fn list(&mut self) -> Result<Texts, Fault> {
        if !self.take_symbol("[")? {
            return Err(self.expected("a list in square brackets"));
        }
        let mut values = vec![self.value()?.to_owned()];
        while self.take_symbol(",")? {
            values.push(self.value()?.to_owned());
        }
        match self.take_symbol("]")? {
            true => Ok(Texts::Among(values)),
            false => Err(self.expected("a comma or a closing ]")),
        }
    }

    fn pattern(&mut self) -> Result<Texts, Fault> {
        let expected = self.expected("a pattern, in quotes if it has parentheses");
        let offset = self.lexer.offset();
        self.patterns += 1;
        if self.patterns > MAX_PATTERNS {
            return Err(self.expected("at most 16 patterns"));
        }
        match self.lexer.next_pattern()? {
            Token::Word(pattern) | Token::Quoted(pattern) => Pattern::parse(pattern)
                .map(Texts::Matching)
                .map_err(|expected| Fault::new(offset, expected)),
            Token::Symbol(_) | Token::Stray | Token::End => Err(expected),
        }
    }
}

fn one_or_all(mut parts: Vec<Expression>, all: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            all(parts)
        }
        None => all(parts),
    }
}

/// RFC 3339, or without a zone or a time of day: then it is UTC, and midnight.
fn instant(text: &str) -> Option<Timestamp> {
    let zoned = || text.parse::<jiff::Timestamp>().ok();
    let civil = || {
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        jiff::tz::Offset::UTC.to_timestamp(civil).ok()
    };
    Some(Timestamp::from_millis(zoned().or_else(civil)?.as_millisecond()))
}

impl Operator {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "exists" => Self::Exists,
            "not_exists" => Self::NotExists,
            "in" => Self::In,
            "not_in" => Self::NotIn,
            "=~" | "matches" => Self::Matches,
            "!~" | "not_matches" => Self::NotMatches,
            "==" | "equals" => Self::Relation(Relation::Equal),
            "!=" | "not_equals" => Self::Relation(Relation::NotEqual),
            ">" | "greater_than" => Self::Relation(Relation::Greater),
            ">=" | "greater_than_equal" => Self::Relation(Relation::GreaterOrEqual),
            "<" | "less_than" => Self::Relation(Relation::Less),
            "<=" | "less_than_equal" => Self::Relation(Relation::LessOrEqual),
            _ => return None,
        })
    }
}

impl Relation {
    fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

impl Subject<'_> {
    /// The operators that it takes, as a hint.
    fn operators(self) -> &'static str {
        match self {
            Self::Attribute(_) => "an operator such as == or exists",
            Self::TaskGroup | Self::AgentConnected | Self::Ec2InstanceId => {
                "one of == != in !in =~ !~"
            }
            Self::AgentVersion | Self::RegisteredAt | Self::RunningTasksCount => {
                "one of == != > >= < <="
            }
        }
    }
}
