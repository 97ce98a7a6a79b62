//! Where tasks may go and where they should, and what changes that: attributes of instances.

use longshore_wire::ecs::{
    Attribute, DeleteAttributesRequest, PlacementConstraint, PlacementStrategy,
    PutAttributesRequest,
};

use super::{ClientCall, Workload};
use crate::random::Random;

/// `checks::placed` has each of them a second time, written out.
const EXPRESSIONS: &[&str] = &[
    "attribute:zone == a",
    "attribute:zone in [a, c]",
    "attribute:tier =~ g.*",
    "attribute:tier != gold",
    "attribute:tier not_exists or attribute:zone == b",
    "not(task:group == family:web)",
    "attribute:tier == gold and not(task:group == a-group)",
    // Nothing can be placed there.
    "attribute:zone == nowhere",
];

const STRATEGIES: &[(&str, Option<&str>)] = &[
    ("random", None),
    ("spread", Some("instanceId")),
    ("spread", Some("attribute:zone")),
    ("spread", Some("attribute:tier")),
    ("binpack", Some("memory")),
    ("binpack", Some("cpu")),
];

/// Mostly none.
pub(super) fn constraints(random: &mut Random) -> Option<Vec<PlacementConstraint>> {
    let constraint = |random: &mut Random| match random.chance(25) {
        true => PlacementConstraint { kind: Some("distinctInstance".to_owned()), expression: None },
        false => PlacementConstraint {
            kind: Some("memberOf".to_owned()),
            expression: random.pick(EXPRESSIONS).map(str::to_owned),
        },
    };
    let count = random.pick(&[0, 0, 0, 1, 1, 2]).unwrap_or(0);
    (count > 0).then(|| (0..count).map(|_| constraint(random)).collect())
}

/// At most two.
pub(super) fn strategies(random: &mut Random) -> Option<Vec<PlacementStrategy>> {
    let strategy = |(kind, field): (&str, Option<&str>)| PlacementStrategy {
        kind: Some(kind.to_owned()),
        field: field.map(str::to_owned),
    };
    (0..random.below(3)).map(|_| random.pick(STRATEGIES).map(strategy)).collect()
}

impl Workload {
    /// An instance gets another tier, or has none any more.
    pub(super) fn change_attribute(&self, random: &mut Random) -> ClientCall {
        let known: Vec<_> = self.instances.iter().cloned().collect();
        let (instance, cluster) = random.pick(&known).unwrap_or_default();
        let value = random.pick(&[Some("gold"), Some("grey"), Some("iron"), None]).flatten();
        let attributes = Some(vec![Attribute {
            name: Some("tier".to_owned()),
            value: value.map(str::to_owned),
            target_id: Some(instance),
            ..Attribute::default()
        }]);
        let cluster = Some(cluster);
        match value {
            Some(_) => ClientCall::PutAttributes(PutAttributesRequest { cluster, attributes }),
            None => ClientCall::DeleteAttributes(DeleteAttributesRequest { cluster, attributes }),
        }
    }
}
