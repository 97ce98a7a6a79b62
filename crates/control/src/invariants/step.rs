//! What callers, agents and time do.

use longshore_model::LastStatus;
use proptest::prelude::*;

/// Something that is done. Numbers choose among what there is.
#[derive(Clone, Debug)]
pub(super) enum Step {
    CreateCluster { cluster: usize },
    DeleteCluster { cluster: usize },

    Define { ports: bool },
    DeregisterDefinition { definition: usize },
    DeleteDefinition { definition: usize },

    Register { cluster: usize, memory_mib: u32 },
    RegisterAgain { instance: usize, memory_mib: u32 },
    Connect { instance: usize, connected: bool },
    Drain { instance: usize, draining: bool },
    DeregisterInstance { instance: usize, force: bool },
    PutAttributes { instance: usize, first: usize, count: usize },
    DeleteAttributes { instance: usize, first: usize, count: usize },

    Tag { resource: usize, first: usize, count: usize },
    Untag { resource: usize, first: usize, count: usize },

    Run { cluster: usize, ports: bool, count: u32, memory_mib: Option<u32> },
    Start { ports: bool, instance: usize },
    Stop { task: usize },
    Report { task: usize, status: Option<LastStatus>, container: Option<LastStatus> },

    Wait { seconds: i64 },
    Restart,
}

/// Any step. Mostly tasks are run and reported; what takes a cluster or an instance away is rare,
/// or there would never be much in them.
pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![2 => clusters(), 2 => definitions(), 8 => instances(), 2 => tags(), 18 => tasks(), 2 => time()]
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
        4 => (any::<usize>(), any::<bool>(), 1..=10_u32, prop::option::of(4..3000_u32)).prop_map(
            |(cluster, ports, count, memory_mib)| Step::Run { cluster, ports, count, memory_mib }
        ),
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
