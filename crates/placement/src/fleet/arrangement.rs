//! The candidates of requests that spread tasks over the same attributes, arranged by their values:
//! those with the same values are in a row, and make a leaf of a tree that has a level for each
//! attribute. Made anew when instances come or go or their attributes change, which is seldom.

use std::ops::Range;
use std::sync::Arc;

use longshore_model::LaunchKind;

use super::instances::Instances;
use crate::query::Numbered;

/// The candidates in their order, and the tree above them.
#[derive(Debug)]
pub(super) struct Arrangement {
    pub(super) kind: Option<LaunchKind>,
    attributes: Vec<Arc<str>>,
    /// Which change of the instances it is of.
    version: u64,
    /// The attributes from the root down, those with the fewest values first: a count that changes
    /// is that of few nodes then.
    pub(super) levels: Vec<Level>,
    /// The root is the first, and parents come before their children.
    nodes: Vec<Node>,
    /// The slots of the candidates, those of each leaf in a row.
    members: Vec<u32>,
    /// By slot.
    seats: Vec<Option<Seat>>,
}

/// Where a candidate is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat {
    pub(super) leaf: u32,
    /// Which of the leaf's members it is.
    pub(super) place: u32,
}

/// An attribute.
#[derive(Debug)]
pub(super) struct Level {
    /// Which of the strategies' attributes it is.
    pub(super) attribute: usize,
    /// The nodes that have each value.
    pub(super) nodes_with: Vec<Vec<u32>>,
}

/// Candidates that have the same values of the first attributes.
#[derive(Debug)]
pub(super) struct Node {
    /// The node above, and which of its children this is.
    pub(super) parent: Option<(u32, u32)>,
    /// How many attributes it has values of.
    depth: usize,
    /// The value of the last of them, if they have it.
    pub(super) value: Option<u32>,
    /// The nodes right below.
    pub(super) children: Range<u32>,
    /// Where they are among the members.
    range: Range<u32>,
}

impl Node {
    /// Which level it is of: none for the root.
    pub(super) fn level(&self) -> Option<usize> {
        self.depth.checked_sub(1)
    }
}

impl Arrangement {
    pub(super) fn of(
        kind: Option<LaunchKind>,
        attributes: Vec<Arc<str>>,
        instances: &Instances,
    ) -> Self {
        let values = attributes.iter().map(|it| instances.index().number_values(it));
        let mut numbered: Vec<_> = values.enumerate().collect();
        numbered.sort_by_key(|(_, values)| values.count);
        let members = instances.concerned(kind).iter().collect();
        let root = Node { parent: None, depth: 0, value: None, children: 0..0, range: 0..0 };
        let mut arrangement = Self {
            kind,
            attributes,
            version: instances.arranged(),
            levels: vec![],
            nodes: vec![root],
            members: numbered.iter().rev().fold(members, |it, (_, values)| sorted(it, values)),
            seats: vec![None; instances.roster().end()],
        };
        arrangement.grow(numbered);
        arrangement.seat_members();
        arrangement
    }

    pub(super) fn is_of(&self, kind: Option<LaunchKind>, attributes: &[Arc<str>]) -> bool {
        self.kind == kind && self.attributes == attributes
    }

    /// Whether it is that of the instances as they are now.
    pub(super) fn is_current(&self, instances: &Instances) -> bool {
        self.version == instances.arranged()
    }

    /// All nodes, parents before their children.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(super) fn node(&self, at: u32) -> &Node {
        &self.nodes[at as usize]
    }

    /// One of the rows of so many that a node's members make.
    pub(super) fn block(&self, node: &Node, size: usize, place: usize) -> &[u32] {
        self.members_of(node).chunks(size).nth(place).unwrap_or_default()
    }

    /// Where a slot's candidate is, if it has one.
    pub(super) fn seat(&self, slot: u32) -> Option<Seat> {
        self.seats.get(slot as usize).copied().flatten()
    }

    /// Whether a node has values of all attributes.
    pub(super) fn is_leaf(&self, node: &Node) -> bool {
        node.depth == self.levels.len()
    }

    /// A node and those above it, up to the root.
    pub(super) fn path(&self, node: u32) -> impl Iterator<Item = (u32, &Node)> {
        let above = |at: &u32| Some(self.nodes[*at as usize].parent?.0);
        std::iter::successors(Some(node), above).map(|at| (at, &self.nodes[at as usize]))
    }

    /// The slots below a node.
    pub(super) fn members_of(&self, node: &Node) -> &[u32] {
        &self.members[node.range.start as usize..node.range.end as usize]
    }

    /// Puts in a node for each run of members with the same values, level by level.
    fn grow(&mut self, numbered: Vec<(usize, Numbered)>) {
        self.nodes[0].range = 0..self.members.len() as u32;
        let mut parents = 0..1;
        for (depth, (attribute, values)) in (1..).zip(numbered) {
            let mut level = Level { attribute, nodes_with: vec![vec![]; values.count] };
            let first = self.nodes.len();
            for parent in parents {
                let mut start = self.nodes[parent].range.start;
                let slots = self.members_of(&self.nodes[parent]).to_vec();
                let runs = slots.chunk_by(|one, next| values.of(*one) == values.of(*next));
                let first = self.nodes.len() as u32;
                for (place, run) in (0..).zip(runs) {
                    let value = run.first().and_then(|it| values.of(*it));
                    if let Some(value) = value {
                        level.nodes_with[value as usize].push(first + place);
                    }
                    let parent = Some((parent as u32, place));
                    let range = start..start + run.len() as u32;
                    start = range.end;
                    self.nodes.push(Node { parent, depth, value, children: 0..0, range });
                }
                self.nodes[parent].children = first..self.nodes.len() as u32;
            }
            parents = first..self.nodes.len();
            self.levels.push(level);
        }
    }

    fn seat_members(&mut self) {
        let mut seats = std::mem::take(&mut self.seats);
        for (leaf, node) in (0..).zip(&self.nodes).filter(|(_, it)| self.is_leaf(it)) {
            for (place, slot) in (0..).zip(self.members_of(node)) {
                seats[*slot as usize] = Some(Seat { leaf, place });
            }
        }
        self.seats = seats;
    }
}

/// Slots by their values, those with the same one in the order in which they were.
fn sorted(slots: Vec<u32>, values: &Numbered) -> Vec<u32> {
    let value = |slot: u32| values.of(slot).map_or(values.count, |it| it as usize);
    let mut places = vec![0; values.count + 1];
    slots.iter().for_each(|it| places[value(*it)] += 1);
    let mut start = 0;
    for place in &mut places {
        start += std::mem::replace(place, start);
    }
    let mut sorted = vec![0; slots.len()];
    for slot in slots {
        let place = &mut places[value(slot)];
        sorted[*place] = slot;
        *place += 1;
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{candidates, name};

    /// The leaves of the tree over these instances, each as its members.
    #[track_caller]
    fn check(instances: &str, attributes: &[&str], expect: &str) {
        let mut all = Instances::default();
        for it in candidates(instances) {
            all.follow(it.id(), Some(it));
        }
        let attributes = attributes.iter().map(|it| (*it).into()).collect();
        let arrangement = Arrangement::of(None, attributes, &all);
        let member = |slot: &u32| all.roster().get(*slot).map(|it| name(it.id())).unwrap();
        let leaf = |it: &Node| {
            let members = arrangement.members_of(it).iter().map(member);
            members.collect::<Vec<_>>().join(" ")
        };
        let leaves = arrangement.nodes().iter().filter(|it| arrangement.is_leaf(it)).map(leaf);
        assert_eq!(leaves.collect::<Vec<_>>().join(", "), expect);
    }

    #[test]
    fn those_with_the_same_values_are_in_a_row() {
        let instances = "
            a  @zone=y  @rack=1
            b  @zone=x  @rack=2
            c  @zone=x  @rack=3
            d  @rack=2
            e  status=DRAINING
            f  @zone=x  @rack=2
            g  @zone=y";
        check(instances, &[], "a b c d f g");
        check(instances, &["zone"], "b c f, a g, d");
        check(instances, &["rack"], "a, b d f, c, g");
        // The zones are fewer, so they are the upper level.
        check(instances, &["rack", "zone"], "b f, c, a, g, d");
        check(instances, &["none"], "a b c d f g");
        check("", &["zone"], "");
    }
}
