use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, PartialEq)]
struct Numbered(u32, u32);

impl Order<Numbered> for ById {
    type Key = u32;

    fn key(record: &Numbered) -> u32 {
        record.0
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put(u32, u32),
    Remove(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..400_u32, any::<u32>()).prop_map(|(id, value)| Step::Put(id, value)),
        2 => (0..400_u32).prop_map(Step::Remove),
    ]
}

fn rows<'a>(records: impl Iterator<Item = &'a Arc<Numbered>>) -> Vec<(u32, u32)> {
    records.map(|it| (it.0, it.1)).collect()
}

#[track_caller]
fn check(table: &Table<Numbered>, expected: &BTreeMap<u32, u32>) {
    let all: Vec<_> = expected.iter().map(|(id, value)| (*id, *value)).collect();
    assert_eq!(rows(table.iter()), all);
    assert_eq!(table.len(), all.len());
    for id in 0..400 {
        assert_eq!(table.get(id).map(|it| it.1), expected.get(&id).copied(), "{id}");
        if id % 37 == 0 {
            let after: Vec<_> = all.iter().copied().filter(|it| it.0 > id).collect();
            assert_eq!(rows(table.after(Some(id))), after, "after {id}");
            let below: Vec<_> = all.iter().copied().filter(|it| it.0 < id).collect();
            assert_eq!(rows(table.below(id)), below, "below {id}");
        }
    }
}

proptest! {
    #[test]
    fn a_table_is_an_ordered_map_and_its_clones_do_not_change(
        steps in prop::collection::vec(step(), 0..600),
    ) {
        let mut table: Table<Numbered> = Table::default();
        let mut expected = BTreeMap::new();
        let mut earlier = None;
        for (at, step) in steps.into_iter().enumerate() {
            match step {
                Step::Put(id, value) => {
                    table.put(Arc::new(Numbered(id, value)));
                    expected.insert(id, value);
                }
                Step::Remove(id) => {
                    table.remove(id);
                    expected.remove(&id);
                }
            }
            if at == 250 {
                earlier = Some((table.clone(), expected.clone()));
            }
        }
        check(&table, &expected);
        if let Some((table, expected)) = earlier {
            check(&table, &expected);
        }
    }
}

#[test]
fn rising_ids_fill_the_leaves() {
    let mut table: Table<Numbered> = Table::default();
    (0..10_000).for_each(|id| table.put(Arc::new(Numbered(id, 0))));
    assert!(table.leaves.size() <= 10_000 / LAST_LEAF + 1, "{} leaves", table.leaves.size());
}

#[test]
fn ids_made_a_little_out_of_turn_fill_the_leaves_too() {
    let mut table: Table<Numbered> = Table::default();
    (0..10_000_u32).for_each(|id| table.put(Arc::new(Numbered(id ^ 7, 0))));
    assert!(table.leaves.size() <= 10_000 / (LEAF * 2 / 3), "{} leaves", table.leaves.size());
}
