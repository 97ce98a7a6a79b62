//! Regular expressions that match a whole text, in one step for each of its bytes.
//!
//! A pattern is made into its automaton at once, and refused when that is large. Engines that make
//! it while they match, or go without, take some 1,000 steps a byte for a hostile one: with 16 of
//! them and a different value on each of 10,000 instances that is a minute, and a server that waits.
//!
//! As in Java, whose patterns ECS takes, `\w`, `\d`, `\s`, `\b` and `(?i)` are about ASCII. Other
//! letters are their bytes in UTF-8; attributes have none.

use std::fmt;
use std::sync::Arc;

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::{Anchored, Input};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, Look};

/// How large a pattern's automaton may get, in bytes: one of a few letters can ask for gigabytes.
/// It takes some milliseconds to make the largest; usual ones have some 1,000.
pub(super) const MAX_PATTERN_SIZE: usize = 64 * 1024;

/// A pattern and its automaton. Cheap to clone.
#[derive(Clone)]
pub(super) struct Pattern {
    text: Arc<str>,
    automaton: Arc<dense::DFA<Vec<u32>>>,
}

impl Pattern {
    /// Reads a pattern; an error is what was expected.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let pattern = ParserBuilder::new().unicode(false).utf8(false).build().parse(text);
        let pattern = pattern.map_err(|error| {
            let text = error.to_string();
            let cause = text.lines().find_map(|it| it.strip_prefix("error: "));
            format!("a regular expression ({})", cause.unwrap_or("this is none"))
        })?;
        let whole = Hir::concat(vec![Hir::look(Look::Start), pattern, Hir::look(Look::End)]);
        let automaton = automaton(&whole).ok_or("a smaller pattern")?;
        Ok(Self { text: text.into(), automaton: automaton.into() })
    }

    /// As it was written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches all of a text.
    pub(super) fn is_match(&self, text: &str) -> bool {
        let input = Input::new(text).anchored(Anchored::Yes).earliest(true);
        // There is no error: it was made for searches that begin here, and to give up at no byte.
        matches!(self.automaton.try_search_fwd(&input), Ok(Some(_)))
    }
}

/// `None` where it gets too large, or asks where words of other letters end.
fn automaton(pattern: &Hir) -> Option<dense::DFA<Vec<u32>>> {
    let most = Some(MAX_PATTERN_SIZE);
    let nfa =
        thompson::Config::new().which_captures(thompson::WhichCaptures::None).nfa_size_limit(most);
    let nfa = thompson::Compiler::new().configure(nfa).build_from_hir(pattern).ok()?;
    let dfa = dense::Config::new()
        .start_kind(StartKind::Anchored)
        .accelerate(false)
        .dfa_size_limit(most)
        .determinize_size_limit(most);
    dense::Builder::new().configure(dfa).build_from_nfa(&nfa).ok()
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, whole: &[&str], others: &[&str]) {
        let pattern = Pattern::parse(pattern).unwrap();
        for text in whole {
            assert!(pattern.is_match(text), "{pattern:?} {text}");
        }
        for text in others {
            assert!(!pattern.is_match(text), "{pattern:?} {text}");
        }
    }

    #[test]
    fn a_pattern_matches_a_whole_text() {
        check("t2.*", &["t2.", "t2.small", "t2"], &["at2.small", "m4.t2", ""]);
        check("a|ab", &["a", "ab"], &["abb", "b", "aab"]);
        check("", &[""], &["a"]);
        check("(?i)web[0-9]{2}", &["WEB12", "web00"], &["web1", "xweb12"]);
        check("a$|^b", &["a", "b"], &["ab"]);
        check("\\w+-\\d", &["a_1-2"], &["é-2", "a-٣"]);
        check("\\bprod\\b.*", &["prod-1", "prod"], &["production"]);
        check("(?s).*", &["", "a\nb", "é"], &[]);
        check(".*é", &["é", "xé"], &["e"]);
    }

    #[test]
    fn patterns_of_any_use_are_small_and_hostile_ones_refused() {
        for usual in [
            "(?i)us-(east|west)-[12][a-f]",
            "(t2|m4|m5|c5|r5)\\.(nano|micro|small|medium|large|xlarge|2xlarge|4xlarge)",
            ".*web.*api.*v[0-9]+.*",
            "[a-z0-9-]{1,60}",
            "(\\w+\\.){3}\\w+",
            "\\d{4}-\\d{2}-\\d{2}T.*",
            "i-[0-9a-f]{17}",
        ] {
            let size = Pattern::parse(usual).unwrap().automaton.memory_usage();
            assert!(size < MAX_PATTERN_SIZE / 4, "{usual}: {size}");
        }
        for hostile in [
            "[ab]*a[ab]{100}c",
            "(a?){1000}b",
            "([ab]?){900}c",
            "(a|b|ab|ba|aab|bba|aaa){0,200}c",
            "((\\w{50}){50}){50}",
        ] {
            assert_eq!(Pattern::parse(hostile).unwrap_err(), "a smaller pattern", "{hostile}");
        }
    }
}
