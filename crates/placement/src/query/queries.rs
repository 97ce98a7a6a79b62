//! Expressions that were read lately, by their texts: reading one again costs a look-up instead of
//! up to 10 ms.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use super::pattern::MAX_PATTERN_SIZE;
use super::{Query, QueryError};

/// How many bytes the expressions of one generation may take, each pattern reckoned as the largest
/// that there may be: half of what is kept at the most.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Expressions that were read lately. Those that are not asked for while others fill a generation
/// are forgotten.
#[derive(Debug, Default)]
pub struct Queries {
    /// Asked for since the last generation was full.
    young: HashMap<Arc<str>, Query>,
    /// How many bytes they take.
    young_bytes: usize,
    /// The generation before.
    old: HashMap<Arc<str>, Query>,
}

impl Queries {
    /// The expression that a text is, if it was read lately.
    fn get(&mut self, text: &str) -> Option<Query> {
        if let Some(known) = self.young.get(text) {
            return Some(known.clone());
        }
        let query = self.old.remove(text)?;
        self.keep(query.clone());
        Some(query)
    }

    /// Keeps an expression for the next time.
    fn keep(&mut self, query: Query) {
        let bytes = query.bytes();
        if self.young_bytes + bytes > MAX_BYTES {
            self.old = mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        if self.young.insert(Arc::clone(&query.text), query).is_none() {
            self.young_bytes += bytes;
        }
    }

    /// The expression that a text is, read now unless it was lately.
    pub fn parse(&mut self, text: &str) -> Result<Query, QueryError> {
        match self.get(text) {
            Some(query) => Ok(query),
            None => {
                let query = Query::parse(text)?;
                self.keep(query.clone());
                Ok(query)
            }
        }
    }
}

impl Query {
    /// What it takes at the most.
    pub(crate) fn bytes(&self) -> usize {
        // A predicate takes some 10 bytes of text at least and less than 200 in memory.
        256 + 20 * self.text.len() + self.expression.patterns() * MAX_PATTERN_SIZE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_read_once() {
        let mut queries = Queries::default();
        let first = queries.parse("attribute:a =~ b").unwrap();
        let again = queries.parse("attribute:a =~ b").unwrap();
        assert_eq!(first, again);
        assert!(Arc::ptr_eq(&first.expression, &again.expression));
        assert!(queries.parse("attribute:a =~").is_err());
        assert_eq!(queries.get("attribute:a =~"), None);
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_is_forgotten() {
        let mut queries = Queries::default();
        let often = queries.parse("attribute:often =~ b").unwrap();
        let most = MAX_BYTES / MAX_PATTERN_SIZE;
        for number in 0..4 * most {
            queries.parse(&format!("attribute:a{number} =~ b")).unwrap();
            let known = queries.get("attribute:often =~ b").unwrap();
            assert!(Arc::ptr_eq(&often.expression, &known.expression));
            assert!(queries.young.len() + queries.old.len() <= 2 * most);
        }
        assert_eq!(queries.get("attribute:a0 =~ b"), None);
        assert!(queries.get(&format!("attribute:a{} =~ b", 4 * most - 1)).is_some());
    }
}
