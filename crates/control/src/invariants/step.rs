//! What callers, agents and time do.

use longshore_model::LastStatus;
use longshore_placement::{Constraint, Strategy as Order};
use proptest::prelude::*;

/// Something that is done. Numbers choose among what there is.
#[derive(Clone, Debug)]
pub(super) enum Step {
    CreateCluster {
        cluster: usize,
    },
    DeleteCluster {
        cluster: usize,
    },

    Define {
        ports: bool,
    },
    DeregisterDefinition {
        definition: usize,
    },
    DeleteDefinition {
        definition: usize,
    },

    Register {
        cluster: usize,
        memory_mib: u32,
    },
    RegisterAgain {
        instance: usize,
        memory_mib: u32,
    },
    Connect {
        instance: usize,
        connected: bool,
    },
    Drain {
        instance: usize,
        draining: bool,
    },
    DeregisterInstance {
        instance: usize,
        force: bool,
    },
    PutAttributes {
        instance: usize,
        first: usize,
        count: usize,
    },
    DeleteAttributes {
        instance: usize,
        first: usize,
        count: usize,
    },
    /// Puts the attribute `zone`, or deletes it.
    Move {
        instance: usize,
        zone: Option<&'static str>,
    },

    Tag {
        resource: usize,
        first: usize,
        count: usize,
    },
    Untag {
        resource: usize,
        first: usize,
        count: usize,
    },

    Run {
        cluster: usize,
        ports: bool,
        count: u32,
        memory_mib: Option<u32>,
        wish: Wish,
    },
    /// A transaction that changes an instance, places, and then fails.
    Abandon {
        instance: usize,
        count: u32,
        wish: Wish,
    },
    Start {
        ports: bool,
        instance: usize,
    },
    Stop {
        task: usize,
    },
    Report {
        task: usize,
        status: Option<LastStatus>,
        container: Option<LastStatus>,
    },

    Wait {
        seconds: i64,
    },
    Restart,
}

/// Where tasks may go, and where they should.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) constraints: Vec<Constraint>,
    pub(super) strategies: Vec<Order>,
}

/// Any step. Mostly tasks are run and reported; what takes a cluster or an instance away is rare,
/// or there would never be much in them.
pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![2 => clusters(), 2 => definitions(), 8 => instances(), 2 => tags(), 18 => tasks(), 2 => time()]
}

/// Eight instances in three zones, to which agents are connected.
pub(super) fn crowd() -> impl Strategy<Value = Vec<Step>> {
    let member = |instance: usize| {
        (any::<bool>(), 0..2000_u32).prop_map(move |(is_large, memory_mib)| {
            let memory_mib = if is_large { memory_mib } else { 500 };
            vec![
                Step::Register { cluster: 1, memory_mib },
                Step::Connect { instance, connected: true },
                Step::Move { instance, zone: ZONES.get(instance % 3).copied() },
            ]
        })
    };
    let members: Vec<_> = (0..8).map(member).collect();
    members.prop_map(|it| it.concat())
}

/// A step that matters to placement. Few calls differ, so that they come again.
pub(super) fn placing_step() -> impl Strategy<Value = Step> {
    let memory = || prop::option::weighted(0.4, prop::sample::select(vec![4, 100, 300, 1500]));
    let run = (any::<bool>(), 1..=10_u32, memory(), wish()).prop_map(
        |(ports, count, memory_mib, wish)| Step::Run { cluster: 1, ports, count, memory_mib, wish },
    );
    let abandon = (any::<usize>(), 1..=4_u32, wish())
        .prop_map(|(instance, count, wish)| Step::Abandon { instance, count, wish });
    prop_oneof![12 => run, 3 => abandon, 12 => instances(), 10 => tasks(), 1 => time()]
}

const ZONES: &[&str] = &["a", "b", "c"];

fn wish() -> impl Strategy<Value = Wish> {
    let strategies = prop::sample::select(vec![
        ("spread", "attribute:zone"),
        ("spread", "instanceId"),
        ("binpack", "cpu"),
        ("binpack", "memory"),
        ("random", ""),
    ]);
    let constraints = prop::sample::select(vec![
        ("distinctInstance", None),
        ("memberOf", Some("attribute:zone in [a, b]")),
        ("memberOf", Some("not(attribute:custom-3 exists)")),
        ("memberOf", Some("not(task:group == family:ports) or attribute:zone == c")),
    ]);
    let strategies = prop::collection::vec(strategies, 0..3);
    let constraints = prop_oneof![
        2 => Just(vec![]),
        1 => prop::collection::vec(constraints, 1..3),
    ];
    (strategies, constraints).prop_map(|(strategies, constraints)| Wish {
        strategies: strategies
            .into_iter()
            .map(|(kind, field)| Order::parse(kind, Some(field)).unwrap())
            .collect(),
        constraints: constraints
            .into_iter()
            .map(|(kind, expression)| Constraint::parse(kind, expression).unwrap())
            .collect(),
    })
}

fn clusters() -> impl Strategy<Value = Step> {
    (any::<usize>(), any::<bool>()).prop_map(|(cluster, is_new)| match is_new {
        true => Step::CreateCluster { cluster },
        false => Step::DeleteCluster { cluster },
    })
}

fn definitions() -> impl Strategy<Value = Step> {
    prop_oneof![
        any::<bool>().prop_map(|ports| Step::Define { ports }),
        any::<usize>().prop_map(|definition| Step::DeregisterDefinition { definition }),
        any::<usize>().prop_map(|definition| Step::DeleteDefinition { definition }),
    ]
}

fn instances() -> impl Strategy<Value = Step> {
    let names = || (any::<usize>(), 0..15_usize, 1..10_usize);
    prop_oneof![
        3 => (any::<usize>(), 0..2000_u32)
            .prop_map(|(cluster, memory_mib)| Step::Register { cluster, memory_mib }),
        1 => (any::<usize>(), 0..2000_u32)
            .prop_map(|(instance, memory_mib)| Step::RegisterAgain { instance, memory_mib }),
        6 => (any::<usize>(), prop::bool::weighted(0.8))
            .prop_map(|(instance, connected)| Step::Connect { instance, connected }),
        2 => (any::<usize>(), any::<bool>())
            .prop_map(|(instance, draining)| Step::Drain { instance, draining }),
        2 => (any::<usize>(), any::<bool>())
            .prop_map(|(instance, force)| Step::DeregisterInstance { instance, force }),
        2 => names()
            .prop_map(|(instance, first, count)| Step::PutAttributes { instance, first, count }),
        1 => names()
            .prop_map(|(instance, first, count)| Step::DeleteAttributes { instance, first, count }),
        2 => (any::<usize>(), prop::option::of(prop::sample::select(ZONES)))
            .prop_map(|(instance, zone)| Step::Move { instance, zone }),
    ]
}

fn tags() -> impl Strategy<Value = Step> {
    let names = || (any::<usize>(), 0..60_usize, 1..45_usize);
    prop_oneof![
        2 => names().prop_map(|(resource, first, count)| Step::Tag { resource, first, count }),
        1 => names().prop_map(|(resource, first, count)| Step::Untag { resource, first, count }),
    ]
}

fn tasks() -> impl Strategy<Value = Step> {
    let status = || prop::option::of(prop::sample::select(LastStatus::ALL));
    prop_oneof![
        4 => (any::<usize>(), any::<bool>(), 1..=10_u32, prop::option::of(4..3000_u32), wish())
            .prop_map(|(cluster, ports, count, memory_mib, wish)| Step::Run {
                cluster,
                ports,
                count,
                memory_mib,
                wish,
            }),
        2 => (any::<bool>(), any::<usize>())
            .prop_map(|(ports, instance)| Step::Start { ports, instance }),
        3 => any::<usize>().prop_map(|task| Step::Stop { task }),
        8 => (any::<usize>(), status(), status())
            .prop_map(|(task, status, container)| Step::Report { task, status, container }),
    ]
}

fn time() -> impl Strategy<Value = Step> {
    prop_oneof![(1..4000_i64).prop_map(|seconds| Step::Wait { seconds }), Just(Step::Restart)]
}
