//! Text to tokens, one at a time, since what a letter means depends on what the parser waits for:
//! in a pattern, brackets and most symbols mean themselves.

use super::Fault;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A run of letters and whatever else names and values are made of.
    Word(&'a str),
    /// A text in quotes, which are not part of it: never a keyword.
    Quoted(&'a str),
    /// `==`, `!`, `(`, `&&` and the like.
    Symbol(&'static str),
    /// A letter that begins no token, such as a single `=`.
    Stray,
    /// Nothing is left.
    End,
}

/// Those that begin alike: the longer one first.
const SYMBOLS: [&str; 16] =
    ["==", "!=", ">=", "<=", "=~", "!~", "&&", "||", ">", "<", "!", "(", ")", "[", "]", ","];

/// A text and how far it has been read. Stands at the beginning of a token, never in blanks.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, rest: text.trim_start() }
    }

    /// Where the next token begins, in bytes.
    pub(super) fn offset(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    /// The next token, which stays.
    pub(super) fn peek(&self) -> Result<Token<'a>, Fault> {
        self.clone().next()
    }

    /// The next token, which is taken.
    pub(super) fn next(&mut self) -> Result<Token<'a>, Fault> {
        let symbol = SYMBOLS.into_iter().find(|it| self.rest.starts_with(it));
        match symbol {
            Some(symbol) => {
                self.take(symbol.len());
                Ok(Token::Symbol(symbol))
            }
            None => self.text(ends_word),
        }
    }

    /// The next token where a pattern is due.
    pub(super) fn next_pattern(&mut self) -> Result<Token<'a>, Fault> {
        self.text(ends_pattern)
    }

    /// A text in quotes, or a run of letters up to one that ends it.
    fn text(&mut self, ends: fn(char) -> bool) -> Result<Token<'a>, Fault> {
        let Some(first) = self.rest.chars().next() else { return Ok(Token::End) };
        if matches!(first, '\'' | '"') {
            return self.quoted(first);
        }
        let ends_here = |(at, letter): (usize, char)| {
            let rest = self.rest.get(at..).unwrap_or_default();
            (ends(letter) || rest.starts_with("&&") || rest.starts_with("||")).then_some(at)
        };
        let length = self.rest.char_indices().find_map(ends_here).unwrap_or(self.rest.len());
        Ok(if length == 0 { Token::Stray } else { Token::Word(self.take(length)) })
    }

    fn quoted(&mut self, quote: char) -> Result<Token<'a>, Fault> {
        let inner = self.rest.get(1..).unwrap_or_default();
        let Some(length) = inner.find(quote) else {
            return Err(Fault::new(self.text.len(), format!("a closing {quote}")));
        };
        let taken = self.take(length + 2);
        Ok(Token::Quoted(taken.get(1..=length).unwrap_or_default()))
    }

    /// Takes so many bytes and the blanks after them.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest.trim_start();
        taken
    }
}

fn ends_word(letter: char) -> bool {
    ends_pattern(letter) || matches!(letter, '[' | ']' | '=' | '!' | '<' | '>')
}

fn ends_pattern(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '(' | ')' | ',' | '\'' | '"')
}
