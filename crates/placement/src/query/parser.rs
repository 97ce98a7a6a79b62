//! Tokens to an expression: `not` binds tighter than `and`, and `and` tighter than `or`.

use regex::RegexBuilder;

use super::lexer::{Spanned, Token, tokens};
use super::{Expression, Fault, MAX_DEPTH, Operand, Order, Subject, Test};

/// How large a compiled pattern may get, in bytes.
const MAX_PATTERN: usize = 256 * 1024;

pub(super) fn parse(text: &str) -> Result<Expression, Fault> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, end: text.len(), depth: 0 };
    let expression = parser.or()?;
    match parser.peek() {
        None => Ok(expression),
        Some(_) => Err(parser.expected("`and`, `or` or the end")),
    }
}

struct Parser<'a> {
    tokens: &'a [Spanned],
    end: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.first().map(|it| &it.token)
    }

    fn advance(&mut self) {
        self.tokens = self.tokens.get(1..).unwrap_or_default();
    }

    fn offset(&self) -> usize {
        self.tokens.first().map_or(self.end, |it| it.offset)
    }

    fn expected(&self, what: &str) -> Fault {
        Fault { offset: self.offset(), expected: what.into() }
    }

    fn take_symbol(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(it)) if *it == wanted);
        if found {
            self.advance();
        }
        found
    }

    /// Takes a connective, spelled as a symbol or as a word of any case.
    fn take_connective(&mut self, symbol: &str, word: &str) -> bool {
        let found = match self.peek() {
            Some(Token::Symbol(it)) => *it == symbol,
            Some(Token::Word(it)) => it.eq_ignore_ascii_case(word),
            Some(Token::Quoted(_)) | None => false,
        };
        if found {
            self.advance();
        }
        found
    }

    fn or(&mut self) -> Result<Expression, Fault> {
        let mut parts = vec![self.and()?];
        while self.take_connective("||", "or") {
            parts.push(self.and()?);
        }
        Ok(one_or(parts, Expression::Or))
    }

    fn and(&mut self) -> Result<Expression, Fault> {
        let mut parts = vec![self.unary()?];
        while self.take_connective("&&", "and") {
            parts.push(self.unary()?);
        }
        Ok(one_or(parts, Expression::And))
    }

    fn unary(&mut self) -> Result<Expression, Fault> {
        if self.depth >= MAX_DEPTH {
            return Err(self.expected("at most 64 levels of parentheses and negations"));
        }
        self.depth += 1;
        let expression = if self.take_connective("!", "not") {
            self.unary().map(|it| Expression::Not(Box::new(it)))
        } else if self.take_symbol("(") {
            self.or().and_then(|inner| match self.take_symbol(")") {
                true => Ok(inner),
                false => Err(self.expected("`and`, `or` or `)`")),
            })
        } else {
            self.predicate()
        };
        self.depth -= 1;
        expression
    }

    fn predicate(&mut self) -> Result<Expression, Fault> {
        let subject = self.subject()?;
        let test = self.test(&subject)?;
        Ok(Expression::Predicate { subject, test })
    }

    fn subject(&mut self) -> Result<Subject, Fault> {
        let expected = "a subject such as attribute:NAME, task:group or agentConnected";
        let Some(Token::Word(word)) = self.peek() else { return Err(self.expected(expected)) };
        let subject = match word.as_str() {
            "task:group" => Subject::TaskGroup,
            "agentConnected" => Subject::AgentConnected,
            "agentVersion" => Subject::AgentVersion,
            "ec2InstanceId" => Subject::Ec2InstanceId,
            "registeredAt" => Subject::RegisteredAt,
            "runningTasksCount" => Subject::RunningTasksCount,
            word => match word.strip_prefix("attribute:") {
                Some(name) if is_attribute_name(name) => Subject::Attribute(name.into()),
                Some(_) => return Err(self.expected("an attribute's name after `attribute:`")),
                None => return Err(self.expected(expected)),
            },
        };
        self.advance();
        Ok(subject)
    }

    fn test(&mut self, subject: &Subject) -> Result<Test, Fault> {
        let at = self.offset();
        let operator = self.operator()?;
        if !subject.takes(operator) {
            let expected = format!("an operator that {} takes", subject.name());
            return Err(Fault { offset: at, expected });
        }
        match operator {
            Operator::Exists => Ok(Test::Exists),
            Operator::NotExists => Ok(Test::NotExists),
            Operator::In => self.list().map(Test::In),
            Operator::NotIn => self.list().map(Test::NotIn),
            Operator::Matches => self.pattern().map(Test::Matches),
            Operator::NotMatches => self.pattern().map(Test::NotMatches),
            Operator::Order(order) => self.comparison(subject, order),
        }
    }

    fn operator(&mut self) -> Result<Operator, Fault> {
        let expected = || self.expected("an operator such as == or exists");
        let operator = match self.peek() {
            Some(Token::Symbol("!")) => match self.tokens.get(1).map(|it| &it.token) {
                Some(Token::Word(word)) if word == "exists" => Operator::NotExists,
                Some(Token::Word(word)) if word == "in" => Operator::NotIn,
                _ => return Err(expected()),
            },
            Some(Token::Symbol(text)) => Operator::parse(text).ok_or_else(expected)?,
            Some(Token::Word(text)) => Operator::parse(text).ok_or_else(expected)?,
            Some(Token::Quoted(_)) | None => return Err(expected()),
        };
        if matches!(self.peek(), Some(Token::Symbol("!"))) {
            self.advance();
        }
        self.advance();
        Ok(operator)
    }

    fn value(&mut self) -> Result<&'a str, Fault> {
        match self.peek() {
            Some(Token::Word(text) | Token::Quoted(text)) => {
                self.advance();
                Ok(text)
            }
            Some(Token::Symbol(_)) | None => Err(self.expected("a value")),
        }
    }

    fn list(&mut self) -> Result<Vec<String>, Fault> {
        if !self.take_symbol("[") {
            return Err(self.expected("a list in square brackets"));
        }
        let mut values = vec![self.value()?.to_owned()];
        while self.take_symbol(",") {
            values.push(self.value()?.to_owned());
        }
        if self.take_symbol("]") { Ok(values) } else { Err(self.expected("`,` or `]`")) }
    }

    /// A pattern matches the whole value.
    fn pattern(&mut self) -> Result<regex::Regex, Fault> {
        let offset = self.offset();
        let pattern = self.value()?;
        RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(MAX_PATTERN).build().map_err(
            |error| Fault {
                offset,
                expected: match error {
                    regex::Error::CompiledTooBig(_) => "a smaller pattern".into(),
                    _ => "a regular expression without look-around and back-references".into(),
                },
            },
        )
    }

    fn comparison(&mut self, subject: &Subject, order: Order) -> Result<Test, Fault> {
        let offset = self.offset();
        let value = self.value()?;
        let fault = |expected: &str| Fault { offset, expected: expected.into() };
        let operand = match subject {
            Subject::AgentVersion => {
                Operand::Version(version(value).ok_or_else(|| fault("a version such as 1.14.3"))?)
            }
            Subject::RegisteredAt => Operand::Millis(
                instant(value).ok_or_else(|| fault("a date such as 2018-06-18T22:28:28Z"))?,
            ),
            Subject::RunningTasksCount => {
                Operand::Count(value.parse().map_err(|_| fault("a whole number"))?)
            }
            Subject::Attribute(_)
            | Subject::TaskGroup
            | Subject::AgentConnected
            | Subject::Ec2InstanceId => match order {
                Order::Equal => return Ok(Test::Equals(value.into())),
                Order::NotEqual => return Ok(Test::NotEquals(value.into())),
                _ => Operand::Text(value.into()),
            },
        };
        Ok(Test::Ordered(order, operand))
    }
}

fn one_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            many(parts)
        }
        None => many(parts),
    }
}

fn is_attribute_name(name: &str) -> bool {
    let allowed = |it: char| it.is_ascii_alphanumeric() || "._/\\-".contains(it);
    (1..=128).contains(&name.len()) && name.chars().all(allowed)
}

/// Numbers with dots between them; what follows a hyphen or plus does not count.
pub(super) fn version(text: &str) -> Option<Vec<u64>> {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    core.split('.').map(|it| it.parse().ok()).collect()
}

/// Milliseconds since the epoch; without a zone it is UTC.
fn instant(text: &str) -> Option<i64> {
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Some(timestamp.as_millisecond());
    }
    let civil = text.parse::<jiff::civil::DateTime>().ok()?;
    let timestamp = jiff::tz::Offset::UTC.to_timestamp(civil).ok()?;
    Some(timestamp.as_millisecond())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    NotExists,
    In,
    NotIn,
    Matches,
    NotMatches,
    Order(Order),
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
            "==" | "equals" => Self::Order(Order::Equal),
            "!=" | "not_equals" => Self::Order(Order::NotEqual),
            ">" | "greater_than" => Self::Order(Order::Greater),
            ">=" | "greater_than_equal" => Self::Order(Order::GreaterOrEqual),
            "<" | "less_than" => Self::Order(Order::Less),
            "<=" | "less_than_equal" => Self::Order(Order::LessOrEqual),
            _ => return None,
        })
    }
}

impl Subject {
    fn name(&self) -> &str {
        match self {
            Self::Attribute(_) => "an attribute",
            Self::TaskGroup => "task:group",
            Self::AgentConnected => "agentConnected",
            Self::AgentVersion => "agentVersion",
            Self::Ec2InstanceId => "ec2InstanceId",
            Self::RegisteredAt => "registeredAt",
            Self::RunningTasksCount => "runningTasksCount",
        }
    }

    fn takes(&self, operator: Operator) -> bool {
        let equality = matches!(operator, Operator::Order(Order::Equal | Order::NotEqual));
        match self {
            Self::Attribute(_) => true,
            Self::TaskGroup | Self::AgentConnected | Self::Ec2InstanceId => {
                equality
                    || matches!(
                        operator,
                        Operator::In | Operator::NotIn | Operator::Matches | Operator::NotMatches
                    )
            }
            Self::AgentVersion | Self::RegisteredAt | Self::RunningTasksCount => {
                matches!(operator, Operator::Order(_))
            }
        }
    }
}
