//! Where expressions and requests from strangers enter, and what must hold for each of them: any
//! bytes may be given, and nothing panics. The fuzz targets in `fuzz/` and the smoke test beside this folder
//! feed the same functions.

#![allow(dead_code, unused_imports, reason = "each fuzz target uses one of them")]

mod history;
mod sample;

use std::collections::BTreeMap;

use longshore_placement::query::Index;
use longshore_placement::{Candidate, Query};

pub(crate) use history::run as history;
use sample::Source;

/// Any text as an expression, asked of an instance.
pub(crate) fn query(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Query::parse(&text) {
        Ok(query) => {
            assert_eq!(Query::parse(&query.to_string()).as_ref(), Ok(&query));
            let mut source = Source::new(bytes);
            let candidates = BTreeMap::from([(0, source.candidate(0)), (1, source.candidate(1))]);
            check_all(&query, &indexed(&candidates), &candidates);
        }
        Err(error) => assert!(text.is_char_boundary(error.offset())),
    }
}

/// Expressions asked of instances that come, change and go, all made up from the bytes: each
/// answer for all at once is what the instances say one by one.
pub(crate) fn evaluation(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let mut candidates = BTreeMap::new();
    let mut index = Index::new();
    let changes = usize::from(source.next());
    let width = source.next().max(1);
    for _ in 0..changes {
        let slot = u32::from(source.next() % width);
        if source.next() < 64 {
            candidates.remove(&slot);
            index.follow(slot, None);
        } else {
            let candidate = source.candidate(slot);
            index.follow(slot, Some(&candidate.instance));
            candidates.insert(slot, candidate);
        }
        if source.next() < 8 {
            check_all(&parsed(&source.expression(3)), &index, &candidates);
        }
    }
    for _ in 0..4 {
        check_all(&parsed(&source.expression(4)), &index, &candidates);
    }
}

fn parsed(text: &str) -> Query {
    Query::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn indexed(candidates: &BTreeMap<u32, Candidate>) -> Index {
    let mut index = Index::new();
    candidates.iter().for_each(|(slot, it)| index.follow(*slot, Some(&it.instance)));
    index
}

/// The parts of an expression say together what the whole says, and the index what each instance
/// does.
fn check_all(query: &Query, index: &Index, candidates: &BTreeMap<u32, Candidate>) {
    let split = query.split();
    let by_index = split.record.as_ref().map(|it| {
        index.evaluate(it).unwrap_or_else(|| panic!("{query}: its record part asks about tasks"))
    });
    if let Some(found) = &by_index {
        assert!(found.iter().all(|it| candidates.contains_key(&it)), "{query}: an empty slot");
    }
    for (slot, candidate) in candidates {
        let holds = |part: &Option<Query>| part.as_ref().is_none_or(|it| it.matches(candidate));
        let whole = query.matches(candidate);
        let record = holds(&split.record);
        assert_eq!(record && holds(&split.tasks), whole, "{query}: the parts at {slot}");
        let found = by_index.as_ref().is_none_or(|it| it.contains(*slot));
        assert_eq!(found, record, "{query}: the index at {slot}");
    }
}
