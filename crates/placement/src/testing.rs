//! Clusters as tables, for tests.

use std::collections::BTreeSet;
use std::sync::Arc;

use longshore_model::container_instance::VersionInfo;
use longshore_model::occupancy::AtLarge;
use longshore_model::{
    Attribute, ContainerInstance, Demand, InstanceId, InstanceStatus, Occupancy, Resources, TaskId,
    Timestamp,
};

use crate::candidate::Candidate;

/// One line per instance: its name, then `key=value` in any order. `cpu` and `memory` are
/// `REGISTERED` or `LEFT/REGISTERED`; `tasks` is `GROUP*COUNT,...`; what begins with `@` is an
/// attribute.
pub(crate) fn candidates(lines: &str) -> Vec<Candidate> {
    lines.lines().filter(|it| !it.trim().is_empty()).map(candidate).collect()
}

pub(crate) fn candidate(line: &str) -> Candidate {
    let mut words = line.split_whitespace();
    let name = words.next().expect("a name");
    let mut instance = instance(name);
    let mut occupancy = Occupancy::default();
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        if let Some(attribute) = key.strip_prefix('@') {
            instance.attributes.push(match word.contains('=') {
                true => Attribute::with_value(attribute, value),
                false => Attribute::named(attribute),
            });
            continue;
        }
        match key {
            "cpu" => {
                let (left, registered) = amounts(value);
                instance.registered.cpu_units = registered;
                occupancy.taken.cpu_units = registered - left;
            }
            "memory" => {
                let (left, registered) = amounts(value);
                instance.registered.memory_mib = registered;
                occupancy.taken.memory_mib = registered - left;
            }
            "tcp" => occupancy.ports_tcp = ports(value).into_iter().collect(),
            "udp" => occupancy.ports_udp = ports(value).into_iter().collect(),
            "reserved-tcp" => instance.reserved_ports_tcp = ports(value),
            "reserved-udp" => instance.reserved_ports_udp = ports(value),
            "tasks" => {
                for entry in value.split(',') {
                    let (group, count) = entry.split_once('*').unwrap_or((entry, "1"));
                    occupancy.groups.insert_mut(group.into(), count.parse().unwrap());
                }
            }
            // `CPU:MEMORY:TCP-PORT`, 0 for none, of group `lost` or `CPU:MEMORY:TCP-PORT:GROUP`. What
            // it takes is said by the other words.
            "lost" => {
                let id = TaskId::from_bits(occupancy.at_large.size() as u128);
                occupancy.at_large.insert_mut(id, at_large(value));
            }
            "running" => occupancy.running = value.parse().unwrap(),
            "status" => instance.status = InstanceStatus::parse(value).unwrap(),
            "agent" => instance.agent_connected = value != "off",
            "version" => instance.version_info.agent_version = Some(value.into()),
            "ec2" => instance.ec2_instance_id = Some(value.into()),
            "registered" => {
                let at: jiff::Timestamp = value.parse().unwrap();
                instance.registered_at = Timestamp::from_millis(at.as_millisecond());
            }
            _ => panic!("{key} is no key"),
        }
    }
    Candidate { instance: Arc::new(instance), occupancy: Arc::new(occupancy) }
}

/// The name that an instance has in the table.
pub(crate) fn name(id: InstanceId) -> String {
    let bytes = id.bits().to_be_bytes();
    String::from_utf8(bytes.into_iter().filter(|it| *it != 0).collect()).unwrap()
}

fn instance(name: &str) -> ContainerInstance {
    let bits = name.bytes().fold(0, |bits, byte| bits << 8 | u128::from(byte));
    ContainerInstance {
        id: InstanceId::from_bits(bits),
        arn_form: Default::default(),
        cluster: "default".parse().unwrap(),
        status: InstanceStatus::Active,
        agent_connected: true,
        connected_at: None,
        away_since: None,
        version: 1,
        registered: Resources { cpu_units: 4096, memory_mib: 4096 },
        reserved_ports_tcp: BTreeSet::new(),
        reserved_ports_udp: BTreeSet::new(),
        attributes: vec![],
        ec2_instance_id: None,
        version_info: VersionInfo::default(),
        registered_at: Timestamp::from_millis(0),
        deregistered_at: None,
        tags: Default::default(),
    }
}

fn at_large(text: &str) -> AtLarge {
    let mut parts = text.split(':');
    let mut number = || parts.next().unwrap().parse::<u32>().unwrap();
    let resources = Resources { cpu_units: number(), memory_mib: number() };
    let port = u16::try_from(number()).unwrap();
    let ports_tcp = (port > 0).then_some(port).into_iter().collect();
    let group = parts.next().unwrap_or("lost").into();
    AtLarge { group, demand: Demand { resources, ports_tcp, ports_udp: Vec::new() } }
}

fn amounts(text: &str) -> (u32, u32) {
    let (left, registered) = text.split_once('/').unwrap_or((text, text));
    (left.parse().unwrap(), registered.parse().unwrap())
}

/// `80,443` or `1-96`.
fn ports(text: &str) -> BTreeSet<u16> {
    let range = |it: &str| {
        let (first, last) = it.split_once('-').unwrap_or((it, it));
        first.parse().unwrap()..=last.parse().unwrap()
    };
    text.split(',').flat_map(range).collect()
}
