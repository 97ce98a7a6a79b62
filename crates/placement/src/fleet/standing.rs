//! A standing request: one that comes again and again, and for which the instances that can take a
//! task are kept in the order of its strategies.
//!
//! Instances sit in cells by their values of the attributes that tasks are spread over. Within a
//! cell these count alike, so its best instance is the best by its own measures; and the best cell
//! by the whole chain has the best instance of all.

use std::collections::HashMap;
use std::sync::Arc;

use super::chain::{Chain, ChainKey, Link, OwnKey};
use super::log::Log;
use super::pool::Pool;
use super::slots::Slots;
use super::tournament::Tournament;
use crate::candidate::Candidate;
use crate::filter::Filter;
use crate::place::Request;

/// The place of a value in the counts of its attribute; `None` without the attribute.
type Value = Option<u32>;

/// What a request's instances are looked at with.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) filter: &'a Filter<'a>,
    pub(super) pool: &'a Pool,
    pub(super) slots: &'a Slots,
}

impl View<'_> {
    fn fits(&self, slot: u32, candidate: &Candidate) -> bool {
        self.pool.contains(slot) && self.filter.has_room(candidate)
    }
}

/// The instances of a request, in order.
#[derive(Debug)]
pub(super) struct Standing {
    chain: Chain,
    /// For each attribute of the chain.
    values: Vec<Values>,
    cells: Vec<Cell>,
    cell_of: HashMap<Box<[Value]>, u32>,
    /// Where the instance of each slot sits, if it is a candidate.
    seats: Vec<Option<Seat>>,
    /// How many seats are taken.
    seated: usize,
    /// The cells by the whole chain.
    best: Tournament<ChainKey>,
    /// How much of the logs it knows.
    seen_records: u64,
    seen_changes: u64,
}

/// The values of one attribute, and the tasks of the group on all instances with each.
#[derive(Debug, Default)]
struct Values {
    known: HashMap<Arc<str>, u32>,
    counts: Vec<Count>,
}

#[derive(Debug, Default)]
struct Count {
    tasks: u64,
    /// The cells of the value.
    cells: Vec<u32>,
}

/// The instances with the same values.
#[derive(Debug, Default)]
struct Cell {
    values: Box<[Value]>,
    own: Tournament<OwnKey>,
    /// The slot at each position.
    slots: Vec<u32>,
    free: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Seat {
    cell: u32,
    position: u32,
    /// The tasks of the group there that are counted.
    tasks: u32,
}

impl Standing {
    /// Seats all instances.
    pub(super) fn build(view: View<'_>, records: &Log, changes: &Log) -> Self {
        let chain = Chain::of(view.request.strategies);
        let mut standing = Self {
            values: chain.attributes.iter().map(|_| Values::default()).collect(),
            chain,
            cells: Vec::new(),
            cell_of: HashMap::new(),
            seats: vec![None; view.slots.end()],
            seated: 0,
            best: Tournament::default(),
            seen_records: records.end(),
            seen_changes: changes.end(),
        };
        for (slot, candidate) in view.slots.iter() {
            standing.sit_down(slot, candidate, view);
        }
        for at in 0..standing.cells.len() {
            standing.fill_cell(at, view);
        }
        let entries: Vec<_> =
            (0..standing.cells.len()).map(|at| standing.chain_entry(at)).collect();
        standing.best = Tournament::of(&entries);
        standing
    }

    /// Looks at what changed. Says whether it could: it may have missed too much, or have come to
    /// hold more values of old than it has instances.
    pub(super) fn catch_up(&mut self, view: View<'_>, records: &Log, changes: &Log) -> bool {
        if self.cells.len() > 2 * view.slots.len() + 64 {
            return false;
        }
        let (Some(recorded), Some(changed)) =
            (records.since(self.seen_records), changes.since(self.seen_changes))
        else {
            return false;
        };
        for slot in recorded {
            self.seat_anew(slot, view);
        }
        for slot in changed {
            self.look_at(slot, view);
        }
        self.seen_records = records.end();
        self.seen_changes = changes.end();
        true
    }

    /// How many instances there are to choose from, whether they fit or not.
    pub(super) fn candidates(&self) -> usize {
        self.seated
    }

    /// How many instances are equally good, and better than all others.
    pub(super) fn ties(&self) -> u32 {
        self.best.best().map_or(0, |it| it.1)
    }

    /// The slot of the `nth` of those.
    pub(super) fn nth(&self, nth: u32) -> Option<u32> {
        let (cell, nth) = self.best.nth_best(nth);
        let cell = self.cells.get(cell)?;
        let (position, _) = cell.own.nth_best(nth);
        cell.slots.get(position).copied()
    }

    /// Looks at the instance that a task was just placed on: the only change since it caught up.
    pub(super) fn take(&mut self, slot: u32, view: View<'_>, changes: &Log) {
        self.look_at(slot, view);
        self.seen_changes = changes.end();
    }

    /// Looks at an instance again whose tasks changed.
    fn look_at(&mut self, slot: u32, view: View<'_>) {
        let (Some(candidate), Some(seat)) = (view.slots.get(slot), self.seat(slot)) else { return };
        let tasks = candidate.tasks_of(view.request.group);
        let key = self.chain.own_key(candidate, tasks);
        let fits = view.fits(slot, candidate);
        let cell = &mut self.cells[seat.cell as usize];
        cell.own.set(seat.position as usize, key, fits.into());
        if tasks != seat.tasks {
            self.count(seat.cell, seat.tasks, tasks);
            self.seats[slot as usize] = Some(Seat { tasks, ..seat });
            self.decide_beside(seat.cell);
        } else {
            self.decide(seat.cell);
        }
    }

    fn seat(&self, slot: u32) -> Option<Seat> {
        self.seats.get(slot as usize).copied().flatten()
    }

    /// Gives an instance whose record changed, or the one now in this slot, the seat that is right.
    fn seat_anew(&mut self, slot: u32, view: View<'_>) {
        self.stand_up(slot);
        if let Some(candidate) = view.slots.get(slot) {
            self.sit_down(slot, candidate, view);
        }
        if let Some(seat) = self.seat(slot) {
            self.decide_beside(seat.cell);
            self.look_at(slot, view);
        }
    }

    fn stand_up(&mut self, slot: u32) {
        let Some(seat) = self.seat(slot) else { return };
        self.count(seat.cell, seat.tasks, 0);
        let cell = &mut self.cells[seat.cell as usize];
        cell.own.set(seat.position as usize, OwnKey::default(), 0);
        cell.free.push(seat.position);
        self.seats[slot as usize] = None;
        self.seated -= 1;
        self.decide_beside(seat.cell);
    }

    /// Seats an instance, if it is a candidate, and counts its tasks. Whether it fits is not looked
    /// at yet.
    fn sit_down(&mut self, slot: u32, candidate: &Candidate, view: View<'_>) {
        if !view.request.concerns(candidate) {
            return;
        }
        let cell = self.cell_for(candidate);
        let tasks = candidate.tasks_of(view.request.group);
        let place = &mut self.cells[cell as usize];
        let position = match place.free.pop() {
            Some(position) => {
                place.slots[position as usize] = slot;
                position
            }
            None => {
                place.slots.push(slot);
                (place.slots.len() - 1) as u32
            }
        };
        if self.seats.len() <= slot as usize {
            self.seats.resize(slot as usize + 1, None);
        }
        self.seats[slot as usize] = Some(Seat { cell, position, tasks });
        self.seated += 1;
        self.count(cell, 0, tasks);
    }

    fn cell_for(&mut self, candidate: &Candidate) -> u32 {
        let values = self.values.iter_mut().zip(&self.chain.attributes);
        let values: Box<[Value]> =
            values.map(|(it, name)| Some(it.number(candidate.instance.attribute(name)?))).collect();
        if let Some(cell) = self.cell_of.get(&values) {
            return *cell;
        }
        let cell = self.cells.len() as u32;
        for (known, value) in self.values.iter_mut().zip(&values) {
            if let Some(value) = value {
                known.counts[*value as usize].cells.push(cell);
            }
        }
        self.cell_of.insert(values.clone(), cell);
        self.cells.push(Cell { values, ..Cell::default() });
        cell
    }

    /// Counts the tasks of an instance of this cell as so many, and not as so many as before.
    fn count(&mut self, cell: u32, before: u32, after: u32) {
        for (known, value) in self.values.iter_mut().zip(&self.cells[cell as usize].values) {
            if let Some(value) = value {
                let count = &mut known.counts[*value as usize].tasks;
                *count = *count - u64::from(before) + u64::from(after);
            }
        }
    }

    /// Enters all instances of a cell at once.
    fn fill_cell(&mut self, cell: usize, view: View<'_>) {
        let cell = &mut self.cells[cell];
        let entry = |slot: &u32| match view.slots.get(*slot) {
            Some(candidate) => {
                let tasks = candidate.tasks_of(view.request.group);
                let fits = view.fits(*slot, candidate);
                (self.chain.own_key(candidate, tasks), u32::from(fits))
            }
            None => (OwnKey::default(), 0),
        };
        cell.own = Tournament::of(&cell.slots.iter().map(entry).collect::<Vec<_>>());
    }

    /// Decides a cell's rank, and those of all cells that share a count with it.
    fn decide_beside(&mut self, cell: u32) {
        self.decide(cell);
        let numbers = self.cells[cell as usize].values.clone();
        for (attribute, value) in numbers.iter().enumerate() {
            let Some(value) = value else { continue };
            let cells = std::mem::take(&mut self.values[attribute].counts[*value as usize].cells);
            cells.iter().filter(|it| **it != cell).for_each(|it| self.decide(*it));
            self.values[attribute].counts[*value as usize].cells = cells;
        }
    }

    fn decide(&mut self, cell: u32) {
        let (key, ties) = self.chain_entry(cell as usize);
        self.best.set(cell as usize, key, ties);
    }

    /// A cell's key by the whole chain, and how many instances stand behind it.
    fn chain_entry(&self, cell: usize) -> (ChainKey, u32) {
        let cell = &self.cells[cell];
        let Some((own, ties)) = cell.own.best() else { return (ChainKey::default(), 0) };
        let mut key = ChainKey::default();
        for (place, link) in key.iter_mut().zip(&self.chain.links) {
            *place = match *link {
                Link::Own(at) => own[at],
                Link::Shared(at) => match cell.values[at] {
                    Some(value) => self.values[at].tasks(value),
                    // Without the attribute, last: a strategy only prefers.
                    None => u32::MAX,
                },
            };
        }
        (key, ties)
    }
}

impl Values {
    fn number(&mut self, value: &str) -> u32 {
        if let Some(number) = self.known.get(value) {
            return *number;
        }
        let number = self.counts.len() as u32;
        self.known.insert(value.into(), number);
        self.counts.push(Count::default());
        number
    }

    fn tasks(&self, value: u32) -> u32 {
        let tasks = self.counts[value as usize].tasks;
        u32::try_from(tasks).unwrap_or(u32::MAX).min(u32::MAX - 1)
    }
}
