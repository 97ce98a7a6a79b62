//! What instances' tasks leave of them and hold there, in columns: a question about one of these is
//! answered for many instances without looking at each one's record and tasks.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use longshore_model::container_instance::MAX_USED_PORTS;
use longshore_model::{Demand, Occupancy};

use crate::candidate::Candidate;
use crate::port::Port;
use crate::query::Slots;

/// The columns, by slot. What an empty slot has in them is of no account.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// CPU units that are left.
    pub(super) cpu: Vec<u32>,
    /// MiB of memory that are left.
    pub(super) memory: Vec<u32>,
    /// How many host ports are reserved or taken.
    used_ports: Vec<u32>,
    /// The instances on which each host port is reserved or taken.
    ports: HashMap<Port, Slots>,
    /// How many tasks of each group there are on the instances that have any.
    groups: HashMap<Arc<str>, Counts>,
}

/// Tasks by slot; never 0.
pub(super) type Counts = HashMap<u32, u32, BuildHasherDefault<SlotHasher>>;

impl Room {
    /// Takes note of what is now true of a slot; `None` where it is empty.
    pub(super) fn follow(
        &mut self,
        slot: u32,
        before: Option<&Candidate>,
        now: Option<&Candidate>,
    ) {
        self.set_remaining(slot, now);
        if !before.zip(now).is_some_and(|(before, now)| have_same_ports(before, now)) {
            let (were, are) = (ports(before), ports(now));
            were.difference(&are).for_each(|it| self.free(slot, *it));
            are.difference(&were).for_each(|it| self.use_port(slot, *it));
        }
        for (group, _) in missing_in(groups(now), groups(before)) {
            self.set_tasks(slot, group, 0);
        }
        for (group, tasks) in missing_in(groups(before), groups(now)) {
            self.set_tasks(slot, group, *tasks);
        }
    }

    /// Takes note of one more task on an instance, which is `now` so.
    pub(super) fn take(&mut self, slot: u32, group: &Arc<str>, demand: &Demand, now: &Candidate) {
        self.set_remaining(slot, Some(now));
        Port::of(demand).for_each(|it| self.use_port(slot, it));
        self.set_tasks(slot, group, now.tasks_of(group));
    }

    /// The tasks of a group.
    pub(super) fn tasks_of(&self, group: &str) -> Option<&Counts> {
        self.groups.get(group)
    }

    /// The instances on which any of a demand's host ports is in use.
    pub(super) fn users_of(&self, demand: &Demand) -> Vec<&Slots> {
        Port::of(demand).filter_map(|it| self.ports.get(&it)).collect()
    }

    /// Whether so many more host ports may be in use.
    pub(super) fn may_use(&self, slot: u32, ports: usize) -> bool {
        self.used_ports[slot as usize] as usize + ports <= MAX_USED_PORTS
    }

    fn set_remaining(&mut self, slot: u32, now: Option<&Candidate>) {
        let slot = slot as usize;
        if slot >= self.cpu.len() {
            self.cpu.resize(slot + 1, 0);
            self.memory.resize(slot + 1, 0);
            self.used_ports.resize(slot + 1, 0);
        }
        let left = now.map(Candidate::remaining).unwrap_or_default();
        self.cpu[slot] = left.cpu_units;
        self.memory[slot] = left.memory_mib;
    }

    fn use_port(&mut self, slot: u32, port: Port) {
        let users = self.ports.entry(port).or_default();
        if !users.contains(slot) {
            users.insert(slot);
            self.used_ports[slot as usize] += 1;
        }
    }

    fn free(&mut self, slot: u32, port: Port) {
        let Some(users) = self.ports.get_mut(&port) else { return };
        if users.contains(slot) {
            users.remove(slot);
            self.used_ports[slot as usize] -= 1;
        }
        if users.is_empty() {
            self.ports.remove(&port);
        }
    }

    fn set_tasks(&mut self, slot: u32, group: &Arc<str>, tasks: u32) {
        if tasks > 0 {
            match self.groups.get_mut(group) {
                Some(counts) => drop(counts.insert(slot, tasks)),
                None => {
                    let counts = self.groups.entry(Arc::clone(group)).or_default();
                    counts.insert(slot, tasks);
                }
            }
        } else if let Some(counts) = self.groups.get_mut(group) {
            counts.remove(&slot);
            if counts.is_empty() {
                self.groups.remove(group);
            }
        }
    }
}

/// The host ports that are reserved or taken. A port may be both: the agent may have come to reserve
/// one that a task already had.
fn ports(of: Option<&Candidate>) -> BTreeSet<Port> {
    let Some(Candidate { instance, occupancy }) = of else { return BTreeSet::new() };
    let tcp = instance.reserved_ports_tcp.iter().chain(&occupancy.ports_tcp);
    let udp = instance.reserved_ports_udp.iter().chain(&occupancy.ports_udp);
    tcp.map(|it| Port::Tcp(*it)).chain(udp.map(|it| Port::Udp(*it))).collect()
}

fn have_same_ports(one: &Candidate, other: &Candidate) -> bool {
    one.instance.reserved_ports_tcp == other.instance.reserved_ports_tcp
        && one.instance.reserved_ports_udp == other.instance.reserved_ports_udp
        && one.occupancy.ports_tcp == other.occupancy.ports_tcp
        && one.occupancy.ports_udp == other.occupancy.ports_udp
}

/// The groups that have tasks there, rising, and how many.
fn groups(of: Option<&Candidate>) -> impl Iterator<Item = (&Arc<str>, &u32)> {
    of.into_iter().flat_map(|it| &it.occupancy.groups)
}

/// What is in the second of two rising sequences and not in the first.
fn missing_in<T: Ord>(
    first: impl Iterator<Item = T>,
    second: impl Iterator<Item = T>,
) -> impl Iterator<Item = T> {
    let mut first = first.peekable();
    second.filter(move |wanted| {
        while first.next_if(|it| it < wanted).is_some() {}
        first.peek() != Some(wanted)
    })
}

/// Whether placement cannot tell two occupancies apart.
pub(super) fn are_alike(one: &Occupancy, other: &Occupancy) -> bool {
    // Every member is named, so that one that is new has to be thought of here.
    let Occupancy {
        tasks: _,
        at_large: _,
        pending: _,
        taken,
        running,
        ports_tcp,
        ports_udp,
        groups,
    } = one;
    *taken == other.taken
        && *running == other.running
        && *ports_tcp == other.ports_tcp
        && *ports_udp == other.ports_udp
        && *groups == other.groups
}

/// Spreads slots, which nobody chooses, over a table in one multiplication.
#[derive(Debug, Default)]
pub(super) struct SlotHasher(u64);

impl Hasher for SlotHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|it| self.write_u32(u32::from(*it)));
    }

    fn write_u32(&mut self, slot: u32) {
        let mixed = (self.0 ^ u64::from(slot)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::candidate;

    /// The room of one instance that was each of these, one after another.
    fn room(history: &[&str]) -> Room {
        let mut room = Room::default();
        let mut before = None;
        for line in history {
            let now = candidate(line);
            room.follow(0, before.as_ref(), Some(&now));
            before = Some(now);
        }
        room
    }

    #[test]
    fn a_port_is_in_use_until_it_is_neither_reserved_nor_taken() {
        let demand = Demand { ports_tcp: vec![80], ..Demand::default() };
        let check = |history: &[&str], is_used: bool, used: usize| {
            let room = room(history);
            assert_eq!(room.users_of(&demand).iter().any(|it| it.contains(0)), is_used);
            let free = MAX_USED_PORTS - used;
            assert!(room.may_use(0, free) && !room.may_use(0, free + 1), "{history:?}");
        };
        let (both, taken, reserved) = ("a reserved-tcp=80 tcp=80", "a tcp=80", "a reserved-tcp=80");
        check(&[both], true, 1);
        check(&[both, taken], true, 1);
        check(&[both, reserved], true, 1);
        check(&[taken, both, taken], true, 1);
        check(&[taken, "a udp=80"], false, 1);
        check(&[taken, "a tcp=80,81 udp=80"], true, 3);
        check(&[both, "a"], false, 0);
    }

    #[test]
    fn tasks_of_each_group_are_counted_as_they_are_now() {
        let check = |history: &[&str], expect: [u32; 3]| {
            let room = room(history);
            let tasks =
                ["api", "db", "web"].map(|it| room.tasks_of(it).map_or(0, |counts| counts[&0]));
            assert_eq!(tasks, expect, "{history:?}");
        };
        check(&["a tasks=web*2,db"], [0, 1, 2]);
        check(&["a tasks=web*2,db", "a tasks=web*3"], [0, 0, 3]);
        check(&["a tasks=web*3", "a tasks=web*2,api"], [1, 0, 2]);
        check(&["a tasks=api,db,web", "a tasks=db*2"], [0, 2, 0]);
        check(&["a tasks=web", "a"], [0, 0, 0]);
    }

    #[test]
    fn occupancies_are_alike_where_only_their_tasks_ids_differ() {
        let demand = Demand { ports_tcp: vec![80], ..Demand::default() };
        let with = |number, group: &str| {
            let mut it = candidate("a tasks=db");
            it.take(number, &group.into(), &demand);
            it.occupancy
        };
        assert!(are_alike(&with(1, "web"), &with(2, "web")));
        assert!(!are_alike(&with(1, "web"), &with(1, "db")));
        assert!(!are_alike(&with(1, "web"), &candidate("a tasks=db,web").occupancy));
        let running = candidate("a running=1").occupancy;
        assert!(!are_alike(&running, &candidate("a").occupancy));
    }
}
