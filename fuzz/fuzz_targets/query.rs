//! Any text as an expression of the cluster query language, asked of one instance.

#![no_main]

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use longshore_model::container_instance::VersionInfo;
use longshore_model::{
    Attribute, ContainerInstance, InstanceId, InstanceStatus, Occupancy, Resources, Timestamp,
};
use longshore_placement::{Candidate, Query};

static CANDIDATE: LazyLock<Candidate> = LazyLock::new(|| {
    let instance = ContainerInstance {
        id: InstanceId::from_bits(1),
        cluster: "default".parse().expect("a name"),
        status: InstanceStatus::Active,
        agent_connected: true,
        version: 1,
        registered: Resources::default(),
        reserved_ports_tcp: BTreeSet::new(),
        reserved_ports_udp: BTreeSet::new(),
        attributes: vec![Attribute::with_value("a", "t2.small"), Attribute::named("b")],
        ec2_instance_id: Some("i-1".into()),
        version_info: VersionInfo {
            agent_version: Some("1.14.3".into()),
            ..VersionInfo::default()
        },
        registered_at: Timestamp::from_millis(1_500_000_000_000),
    };
    let mut occupancy = Occupancy::default();
    occupancy.groups.insert_mut("web".into(), 1);
    Candidate { instance: Arc::new(instance), occupancy: Arc::new(occupancy) }
});

libfuzzer_sys::fuzz_target!(|text: &str| match Query::parse(text) {
    Ok(query) => {
        query.matches(&CANDIDATE);
        assert_eq!(Query::parse(&query.to_string()), Ok(query));
    }
    Err(error) => assert!(text.is_char_boundary(error.offset())),
});
