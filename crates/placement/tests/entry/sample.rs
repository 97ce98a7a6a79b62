//! Instances and expressions made up from bytes. They share few names and values, so that they
//! often have to do with each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use longshore_model::container_instance::VersionInfo;
use longshore_model::{
    Attribute, ContainerInstance, InstanceId, InstanceStatus, Occupancy, Resources, Timestamp,
};
use longshore_placement::Candidate;

const NAMES: [&str; 5] = ["a", "b", "zone", "ecs.cores", "x\\y"];
const VALUES: [&str; 12] =
    ["", "a", "b", "ab", "8", "16", "08", "1e3", "-1", "web", "service:web", "true"];
const VERSIONS: [&str; 8] = ["1.14.3", "1.9.0", "1.9", "2", "0", "1.14.3-rc1", "0.0.1", "1.100.0"];
const PATTERNS: [&str; 8] = ["a.*", "[0-9]+", ".*", "''", "'a|b'", "\"(?i)WEB\"", "\\d\\d", "b?"];

/// Bytes, and once they are used up, others that follow from them.
pub(crate) struct Source<'a> {
    bytes: &'a [u8],
    state: u64,
}

impl<'a> Source<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let mix = |state: u64, it: &u8| (state ^ u64::from(*it)).wrapping_mul(0x0100_0000_01b3);
        Self { bytes, state: bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix) | 1 }
    }

    pub(crate) fn next(&mut self) -> u8 {
        if let Some((first, rest)) = self.bytes.split_first() {
            self.bytes = rest;
            return *first;
        }
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 32) as u8
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[usize::from(self.next()) % from.len()]
    }

    fn is(&mut self) -> bool {
        self.next() & 1 == 1
    }

    /// An instance with something of everything that can be asked.
    pub(crate) fn candidate(&mut self, number: u32) -> Candidate {
        let attributes = (0..self.next() % 6).map(|_| {
            let name = self.pick(&NAMES);
            if self.is() {
                Attribute::with_value(name, self.pick(&VALUES))
            } else {
                Attribute::named(name)
            }
        });
        let attributes = attributes.collect();
        let versions = [&VERSIONS[..], &["odd", "1.x"]].concat();
        let agent_version = self.is().then(|| self.pick(&versions).to_owned());
        let instance = ContainerInstance {
            id: InstanceId::from_bits(number.into()),
            arn_form: Default::default(),
            cluster: "default".parse().expect("a name"),
            status: InstanceStatus::Active,
            agent_connected: self.is(),
            connected_at: None,
            away_since: None,
            version: 1,
            registered: Resources { cpu_units: 1024, memory_mib: 1024 },
            reserved_ports_tcp: BTreeSet::new(),
            reserved_ports_udp: BTreeSet::new(),
            attributes,
            ec2_instance_id: self.is().then(|| format!("i-{}", self.pick(&VALUES))),
            version_info: VersionInfo { agent_version, ..VersionInfo::default() },
            registered_at: Timestamp::from_millis(i64::from(self.next() % 4) * 86_400_000),
            deregistered_at: None,
            tags: Default::default(),
        };
        let mut occupancy = Occupancy::default();
        for _ in 0..self.next() % 3 {
            occupancy.groups.insert_mut(self.pick(&VALUES).into(), 1);
        }
        occupancy.running = (self.next() % 4).into();
        Candidate { instance: Arc::new(instance), occupancy: Arc::new(occupancy) }
    }

    /// An expression that can be read, with so many levels at the most.
    pub(crate) fn expression(&mut self, depth: u8) -> String {
        let kind = if depth == 0 { 7 } else { self.next() % 8 };
        match kind {
            0 | 1 => self.joined(depth, &["and", "AND", "&&"]),
            2 | 3 => self.joined(depth, &["or", "Or", "||"]),
            4 => format!("{}({})", self.pick(&["not", "!", "NOT "]), self.expression(depth - 1)),
            _ => self.predicate(),
        }
    }

    fn joined(&mut self, depth: u8, connectives: &[&'static str]) -> String {
        let parts: Vec<_> =
            (0..2 + self.next() % 2).map(|_| format!("({})", self.expression(depth - 1))).collect();
        let connective = self.pick(connectives);
        parts.join(&format!(" {connective} "))
    }

    fn predicate(&mut self) -> String {
        match self.next() % 12 {
            0 => {
                let tests = ["exists", "!exists", "not_exists"];
                format!("attribute:{} {}", self.pick(&NAMES), self.pick(&tests))
            }
            1..=3 => format!("attribute:{} {}", self.pick(&NAMES), self.test()),
            4 | 5 => {
                let (name, order) = (self.pick(&NAMES), self.order());
                format!("attribute:{name} {order} '{}'", self.pick(&VALUES))
            }
            6 => format!("task:group {}", self.test()),
            7 => format!("agentConnected {}", self.test()),
            8 => {
                let operator = self.pick(&["==", "!=", "in", "!in"]);
                let value = format!("i-{}", self.pick(&VALUES));
                match operator {
                    "in" | "!in" => format!("ec2InstanceId {operator} ['{value}', i-8]"),
                    _ => format!("ec2InstanceId {operator} '{value}'"),
                }
            }
            9 => format!("agentVersion {} {}", self.relation(), self.pick(&VERSIONS)),
            10 => format!("registeredAt {} 1970-01-0{}", self.relation(), 1 + self.next() % 5),
            _ => format!("runningTasksCount {} {}", self.relation(), self.next() % 5),
        }
    }

    fn test(&mut self) -> String {
        match self.next() % 3 {
            0 => {
                let operator = self.pick(&["==", "!=", "equals", "not_equals"]);
                format!("{operator} '{}'", self.pick(&VALUES))
            }
            1 => {
                let values: Vec<_> = (0..1 + self.next() % 3)
                    .map(|_| format!("\"{}\"", self.pick(&VALUES)))
                    .collect();
                format!("{} [{}]", self.pick(&["in", "!in", "not_in"]), values.join(","))
            }
            _ => {
                let operator = self.pick(&["=~", "!~", "matches", "not_matches"]);
                format!("{operator} {}", self.pick(&PATTERNS))
            }
        }
    }

    fn relation(&mut self) -> &'static str {
        if self.is() { self.pick(&["==", "!=", "equals", "not_equals"]) } else { self.order() }
    }

    fn order(&mut self) -> &'static str {
        self.pick(&[
            ">",
            ">=",
            "<",
            "<=",
            "greater_than",
            "greater_than_equal",
            "less_than",
            "less_than_equal",
        ])
    }
}
