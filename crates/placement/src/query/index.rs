//! Expressions asked of many instances at once: whatever can be asked of a value is asked once for
//! all instances that have it.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use longshore_model::{Attribute, ContainerInstance};

use super::Query;
use super::expression::{Expression, Predicate, Relation, Test, Texts, order_against};
use super::slots::Slots;
use super::values::{Numbered, Values};

/// The records of many instances, by what expressions ask of them. It is told of each that changes.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// The record in each slot.
    records: Vec<Option<Arc<ContainerInstance>>>,
    /// The slots that have one.
    all: Slots,
    attributes: HashMap<Arc<str>, Values>,
    /// Those whose agents are connected.
    connected: Slots,
    agent_versions: Values,
    ec2_instance_ids: Values,
    /// When the instance in each slot was registered, in milliseconds; anything where there is none.
    registered_at: Vec<i64>,
}

impl Index {
    /// Of no instances.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes note of what is now true of the instance in a slot; `None` when there is none. Slots
    /// are small numbers: there is room for all up to the highest.
    pub fn follow(&mut self, slot: u32, now: Option<&Arc<ContainerInstance>>) {
        let at = slot as usize;
        if at >= self.records.len() {
            self.records.resize(at + 1, None);
            self.registered_at.resize(at + 1, 0);
        }
        let Some(record) = self.records.get_mut(at) else { return };
        let before = mem::replace(record, now.cloned());
        match (&before, now) {
            (Some(before), Some(now)) if before.attributes == now.attributes => {}
            _ => {
                before.iter().for_each(|it| self.forget_attributes(slot, it));
                now.into_iter().for_each(|it| self.note_attributes(slot, it));
            }
        }
        if let Some(before) = &before {
            self.forget(slot, before);
        }
        if let Some(now) = now {
            self.note(slot, now);
        }
    }

    /// The slots of the instances that an expression is true for, just as [`Query::matches`] says;
    /// `None` where the answer also depends on tasks.
    pub fn evaluate(&self, query: &Query) -> Option<Slots> {
        (!query.looks_at_tasks()).then(|| self.slots_where(&query.expression))
    }

    /// The slots of the instances whose agents are connected.
    pub(crate) fn connected(&self) -> &Slots {
        &self.connected
    }

    /// The slots of the instances that have what a task requires.
    pub(crate) fn meeting(&self, required: &Attribute) -> Slots {
        let mut found = Slots::default();
        self.values(&required.name).for_each(|it| it.add_all(&mut found));
        if required.value.is_some() {
            // Any attribute of the name may meet it, and here only the first one is known.
            let meets = |slot: u32| {
                let record = self.records.get(slot as usize).and_then(Option::as_ref);
                record.is_some_and(|it| required.is_met_by(&it.attributes))
            };
            found.retain(meets);
        }
        found
    }

    /// The values of an attribute, numbered.
    pub(crate) fn number_values(&self, name: &str) -> Numbered {
        self.attributes.get(name).map(|it| it.number(self.records.len())).unwrap_or_default()
    }

    fn note(&mut self, slot: u32, instance: &ContainerInstance) {
        let end = self.records.len();
        self.all.insert(slot);
        if instance.agent_connected {
            self.connected.insert(slot);
        }
        if let Some(version) = instance.version_info.agent_version.as_deref() {
            self.agent_versions.insert(&version.into(), slot, end);
        }
        if let Some(id) = instance.ec2_instance_id.as_deref() {
            self.ec2_instance_ids.insert(&id.into(), slot, end);
        }
        if let Some(at) = self.registered_at.get_mut(slot as usize) {
            *at = instance.registered_at.millis();
        }
    }

    fn forget(&mut self, slot: u32, instance: &ContainerInstance) {
        let end = self.records.len();
        self.all.remove(slot);
        self.connected.remove(slot);
        if let Some(version) = instance.version_info.agent_version.as_deref() {
            self.agent_versions.remove(version, slot, end);
        }
        if let Some(id) = instance.ec2_instance_id.as_deref() {
            self.ec2_instance_ids.remove(id, slot, end);
        }
    }

    fn note_attributes(&mut self, slot: u32, instance: &ContainerInstance) {
        let end = self.records.len();
        let none: Arc<str> = "".into();
        for (name, value) in first_of_each_name(instance) {
            let value = value.unwrap_or(&none);
            match self.attributes.get_mut(name) {
                Some(values) => values.insert(value, slot, end),
                None => {
                    let values = self.attributes.entry(Arc::clone(name)).or_default();
                    values.insert(value, slot, end);
                }
            }
        }
    }

    fn forget_attributes(&mut self, slot: u32, instance: &ContainerInstance) {
        let end = self.records.len();
        for (name, value) in first_of_each_name(instance) {
            if let Some(values) = self.attributes.get_mut(name) {
                values.remove(value.map_or("", |it| it), slot, end);
                if values.is_empty() {
                    self.attributes.remove(name);
                }
            }
        }
    }

    fn slots_where(&self, expression: &Expression) -> Slots {
        match expression {
            Expression::Or(parts) => parts.iter().fold(Slots::default(), |mut found, it| {
                found.add(&self.slots_where(it));
                found
            }),
            Expression::And(parts) => {
                let mut parts = parts.iter();
                let mut found = parts.next().map_or(self.all.clone(), |it| self.slots_where(it));
                for part in parts {
                    if found.is_empty() {
                        break;
                    }
                    found.keep(&self.slots_where(part));
                }
                found
            }
            Expression::Not(inner) => self.all_but(&self.slots_where(inner)),
            Expression::Predicate(predicate) => self.slots_that(predicate),
        }
    }

    fn slots_that(&self, predicate: &Predicate) -> Slots {
        let mut found = Slots::default();
        match predicate {
            Predicate::AttributeExists(name) => {
                self.values(name).for_each(|it| it.add_all(&mut found));
            }
            Predicate::Attribute(name, test) => {
                self.values(name).for_each(|it| add_passing(it, test, &mut found));
            }
            Predicate::AttributeOrder(name, relation, wanted) => {
                let order = order_against(wanted);
                let holds = |it: &str| relation.includes(order(it));
                self.values(name).for_each(|it| it.add_where(holds, &mut found));
            }
            Predicate::AgentConnected(test) => {
                if test.holds_for("true") {
                    found.add(&self.connected);
                }
                if test.holds_for("false") {
                    found.add(&self.all_but(&self.connected));
                }
            }
            Predicate::AgentVersion(relation, wanted) => {
                let holds =
                    |it: &str| wanted.compare_with(it).is_some_and(|it| relation.includes(it));
                self.agent_versions.add_where(holds, &mut found);
            }
            Predicate::Ec2InstanceId(test) => {
                add_passing(&self.ec2_instance_ids, test, &mut found);
            }
            Predicate::RegisteredAt(relation, wanted) => {
                self.add_registered(*relation, wanted.millis(), &mut found);
            }
            // Not asked: see `evaluate`.
            Predicate::TaskGroup(_) | Predicate::RunningTasksCount(..) => {}
        }
        found
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &Values> {
        self.attributes.get(name).into_iter()
    }

    fn add_registered(&self, relation: Relation, wanted: i64, found: &mut Slots) {
        let holds = |at: &i64| relation.includes(at.cmp(&wanted));
        let words = self
            .registered_at
            .chunks(64)
            .map(|chunk| chunk.iter().rev().fold(0, |word, it| word << 1 | u64::from(holds(it))));
        *found = Slots::of_words(words);
        found.keep(&self.all);
    }

    fn all_but(&self, slots: &Slots) -> Slots {
        let mut others = self.all.clone();
        others.subtract(slots);
        others
    }
}

/// The attributes that [`ContainerInstance::attribute`] finds: of two with one name, the first.
fn first_of_each_name(
    instance: &ContainerInstance,
) -> impl Iterator<Item = (&Arc<str>, Option<&Arc<str>>)> {
    let mut sorted: Vec<_> = instance.attributes.iter().collect();
    sorted.sort_by(|one, other| one.name.cmp(&other.name)); // keeps the order of equal ones
    sorted.dedup_by(|later, first| later.name == first.name);
    sorted.into_iter().map(|it| (&it.name, it.value.as_ref()))
}

/// Adds the slots whose values pass a test.
fn add_passing(values: &Values, test: &Test, found: &mut Slots) {
    match &test.texts {
        Texts::Among(texts) if !test.is_negated => {
            texts.iter().for_each(|it| values.add_equal(it, found));
        }
        Texts::Among(texts) => {
            let mut out = Slots::default();
            texts.iter().for_each(|it| values.add_equal(it, &mut out));
            values.add_all(found);
            found.subtract(&out);
        }
        Texts::Matching(_) => values.add_where(|it| test.holds_for(it), found),
    }
}

#[cfg(test)]
mod tests;
