//! Text to tokens, each with its offset.

use super::Fault;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A run of letters and whatever else values are made of.
    Word(String),
    /// A text in quotes: never a keyword.
    Quoted(String),
    /// `==`, `!`, `(`, `&&` and the like.
    Symbol(&'static str),
}

#[derive(Clone, Debug)]
pub(super) struct Spanned {
    pub(super) token: Token,
    pub(super) offset: usize,
}

/// The longer ones first.
const SYMBOLS: &[&str] =
    &["==", "!=", ">=", "<=", "=~", "!~", "&&", "||", ">", "<", "!", "(", ")", "[", "]", ","];

pub(super) fn tokens(text: &str) -> Result<Vec<Spanned>, Fault> {
    let mut tokens = Vec::new();
    let mut offset = 0;
    while let Some(first) = text.get(offset..).and_then(|it| it.chars().next()) {
        let rest = &text[offset..];
        if first.is_whitespace() {
            offset += first.len_utf8();
            continue;
        }
        let pattern_follows = tokens.last().is_some_and(is_match_operator);
        let (token, length) = if first == '\'' || first == '"' {
            quoted(rest, first, offset)?
        } else if let Some(symbol) = symbol(rest, pattern_follows) {
            (Token::Symbol(symbol), symbol.len())
        } else {
            let word = word(rest, pattern_follows);
            if word.is_empty() {
                let expected = "a name, an operator or a value".into();
                return Err(Fault { offset, expected });
            }
            (Token::Word(word.into()), word.len())
        };
        tokens.push(Spanned { token, offset });
        offset += length;
    }
    Ok(tokens)
}

/// After these a pattern stands, in which brackets and most symbols mean themselves.
fn is_match_operator(it: &Spanned) -> bool {
    match &it.token {
        Token::Symbol(symbol) => matches!(*symbol, "=~" | "!~"),
        Token::Word(word) => matches!(word.as_str(), "matches" | "not_matches"),
        Token::Quoted(_) => false,
    }
}

fn quoted(rest: &str, quote: char, offset: usize) -> Result<(Token, usize), Fault> {
    let inner = &rest[1..];
    match inner.find(quote) {
        Some(end) => Ok((Token::Quoted(inner[..end].into()), end + 2)),
        None => {
            let offset = offset + rest.len();
            Err(Fault { offset, expected: format!("a closing {quote}") })
        }
    }
}

fn symbol(rest: &str, pattern_follows: bool) -> Option<&'static str> {
    if pattern_follows {
        return ["(", ")", ","].into_iter().find(|it| rest.starts_with(it));
    }
    SYMBOLS.iter().copied().find(|it| rest.starts_with(it))
}

fn word(rest: &str, is_pattern: bool) -> &str {
    let ends = |(at, letter): (usize, char)| {
        let after = rest.get(at..).unwrap_or_default();
        let stop = letter.is_whitespace()
            || matches!(letter, ')' | '(' | ',' | '\'' | '"')
            || after.starts_with("&&")
            || after.starts_with("||");
        let symbol = matches!(letter, ']' | '[' | '=' | '!' | '<' | '>');
        (stop || (symbol && !is_pattern)).then_some(at)
    };
    let end = rest.char_indices().find_map(ends).unwrap_or(rest.len());
    &rest[..end]
}
