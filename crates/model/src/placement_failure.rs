//! What is remembered of RunTask calls that could place nothing.
//!
//! Nothing else would be left of such a call: its caller is told, but a scheduled job's caller may
//! be a program that nobody watches.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::names::ClusterName;
use crate::task_definition::DefinitionKey;

/// Calls that could place nothing and are alike: in one cluster, of one task definition, group and
/// `startedBy`, refused for the same reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacementFailure {
    /// The cluster that they were made in.
    pub cluster: ClusterName,
    /// [`Unplaced::fingerprint`] of what they have in common; unique in the cluster.
    pub fingerprint: u64,
    /// The last of them.
    pub last: Unplaced,
    /// How many there were.
    pub calls: u64,
    /// When the first was made.
    pub first_at: Timestamp,
    /// When the last was made. The reaper counts from then.
    pub last_at: Timestamp,
}

/// A RunTask call that could place nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unplaced {
    /// What it wanted to run.
    pub definition: DefinitionKey,
    /// The task group that the tasks would have had.
    pub group: Arc<str>,
    /// The caller's mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<Arc<str>>,
    /// How many tasks it asked for.
    pub asked: u32,
    /// How many instances could not take one for each reason, as ECS says it in `failures`. Empty
    /// where the cluster has no ACTIVE instance.
    pub reasons: BTreeMap<Box<str>, u32>,
}

impl Unplaced {
    /// Whether the two differ in nothing but counts.
    pub fn is_like(&self, other: &Self) -> bool {
        self.definition == other.definition
            && self.group == other.group
            && self.started_by == other.started_by
            && self.reasons.keys().eq(other.reasons.keys())
    }

    /// The same for calls that are alike, on every machine and in every version, since records are
    /// kept under it. Calls that differ have different ones, as good as always.
    pub fn fingerprint(&self) -> u64 {
        let revision = self.definition.revision.to_string();
        let mut hash = Fnv::new();
        hash.part(self.definition.family.as_str());
        hash.part(&revision);
        hash.part(&self.group);
        // Without a mark is not the same as with an empty one.
        hash.part(if self.started_by.is_some() { "marked" } else { "" });
        hash.part(self.started_by.as_deref().unwrap_or_default());
        self.reasons.keys().for_each(|it| hash.part(it));
        hash.0
    }
}

/// The reasons with their counts, such as `RESOURCE:MEMORY 3, AGENT 1`; the most common first.
impl fmt::Display for Unplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut reasons: Vec<_> = self.reasons.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        if reasons.is_empty() {
            return f.write_str("no ACTIVE container instance");
        }
        for (at, (reason, count)) in reasons.into_iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{} {count}", reason.trim_end_matches('.'))?;
        }
        Ok(())
    }
}

/// The hash FNV-1a of 64 bits, which is the same everywhere and for ever.
/// Source: IETF, "The FNV Non-Cryptographic Hash Algorithm".
struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Takes a text in, and that it ends.
    fn part(&mut self, text: &str) {
        // No text has this byte, so that `ab` and `c` are not `a` and `bc`.
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unplaced(change: impl FnOnce(&mut Unplaced)) -> Unplaced {
        let mut unplaced = Unplaced {
            definition: "job:3".parse().unwrap(),
            group: "family:job".into(),
            started_by: None,
            asked: 1,
            reasons: [("AGENT".into(), 1), ("RESOURCE:MEMORY".into(), 3)].into(),
        };
        change(&mut unplaced);
        unplaced
    }

    #[test]
    fn calls_that_differ_in_counts_only_are_alike() {
        let one = unplaced(|_| {});
        let other = unplaced(|it| {
            it.asked = 10;
            it.reasons.insert("AGENT".into(), 7);
        });
        assert!(one.is_like(&other));
        assert_eq!(one.fingerprint(), other.fingerprint());
    }

    #[test]
    fn what_sets_calls_apart_changes_the_fingerprint() {
        let others = [
            unplaced(|it| it.definition = "job:4".parse().unwrap()),
            unplaced(|it| it.definition = "jo:3".parse().unwrap()),
            unplaced(|it| it.group = "family:jo".into()),
            unplaced(|it| it.started_by = Some("".into())),
            unplaced(|it| it.started_by = Some("cron".into())),
            unplaced(|it| it.reasons = [("AGENT".into(), 4)].into()),
            unplaced(|it| it.reasons.clear()),
        ];
        let one = unplaced(|_| {});
        for other in &others {
            assert!(!one.is_like(other), "{other:?}");
            assert_ne!(one.fingerprint(), other.fingerprint(), "{other:?}");
        }
    }

    /// Records are kept under it, so it may never change.
    #[test]
    fn the_fingerprint_is_the_same_in_every_version() {
        assert_eq!(unplaced(|_| {}).fingerprint(), 0x6610_d0a7_287a_280d);
    }

    #[test]
    fn the_reasons_are_shown_the_most_common_first() {
        assert_eq!(unplaced(|_| {}).to_string(), "RESOURCE:MEMORY 3, AGENT 1");
        let member_of = "MemberOf placement constraint unsatisfied.";
        let text = unplaced(|it| it.reasons = [(member_of.into(), 2)].into()).to_string();
        assert_eq!(text, "MemberOf placement constraint unsatisfied 2");
        let text = unplaced(|it| it.reasons.clear()).to_string();
        assert_eq!(text, "no ACTIVE container instance");
    }
}
