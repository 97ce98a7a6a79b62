//! Which of the instances that can take a task are best: each strategy keeps its best, and what is
//! left of a tie is the next one's.

use std::collections::HashMap;

use crate::candidate::Candidate;
use crate::strategy::{BinpackField, SpreadField, Strategy};

/// The strategies of one call, and what they compare of all instances: read from them once, and
/// again where a task was placed, since instances are many and the tasks of a call few.
///
/// Instances go by their position in the call's list.
pub(crate) struct Ranking {
    criteria: Vec<Criterion>,
}

enum Criterion {
    /// What is left of a resource, or tasks on the instance.
    Own { measure: Measure, of: Vec<u32> },
    /// Tasks on all instances with the same value of an attribute.
    Shared(TasksByValue),
}

/// What an instance is compared by; less is better.
#[derive(Clone, Copy)]
enum Measure {
    RemainingCpu,
    RemainingMemory,
    Tasks,
}

impl Ranking {
    pub(crate) fn new(strategies: &[Strategy], all: &[Candidate], group: &str) -> Self {
        let own = |measure: Measure| Criterion::Own {
            measure,
            of: all.iter().map(|it| measure.of(it, group)).collect(),
        };
        let criterion = |it: &Strategy| match it {
            Strategy::Random => None,
            Strategy::Binpack(BinpackField::Cpu) => Some(own(Measure::RemainingCpu)),
            Strategy::Binpack(BinpackField::Memory) => Some(own(Measure::RemainingMemory)),
            Strategy::Spread(SpreadField::InstanceId) => Some(own(Measure::Tasks)),
            Strategy::Spread(SpreadField::Attribute(name)) => {
                Some(Criterion::Shared(TasksByValue::count(all, name, group)))
            }
        };
        // Nothing that follows `random` matters.
        Self { criteria: strategies.iter().map_while(criterion).collect() }
    }

    /// Those of `fitting` that are best; all of them equally.
    pub(crate) fn best(&self, fitting: &[usize]) -> Vec<usize> {
        self.criteria.iter().fold(fitting.to_vec(), |best, criterion| match criterion {
            Criterion::Own { of, .. } => least(best, |at| of[at]),
            Criterion::Shared(tasks) => least(best, |at| tasks.beside(at)),
        })
    }

    /// Takes note of one more task of the group on an instance.
    pub(crate) fn take(&mut self, chosen: usize, candidate: &Candidate, group: &str) {
        for criterion in &mut self.criteria {
            match criterion {
                Criterion::Own { measure, of } => of[chosen] = measure.of(candidate, group),
                Criterion::Shared(tasks) => tasks.take(chosen),
            }
        }
    }
}

impl Measure {
    fn of(self, candidate: &Candidate, group: &str) -> u32 {
        match self {
            Self::RemainingCpu => candidate.remaining().cpu_units,
            Self::RemainingMemory => candidate.remaining().memory_mib,
            Self::Tasks => candidate.tasks_of(group),
        }
    }
}

/// Live tasks of the group by value of an attribute, over all instances: also those that cannot
/// take a task hold some.
struct TasksByValue {
    /// Which value each instance has, as a position in `tasks`; `None` without the attribute.
    value_of: Vec<Option<usize>>,
    tasks: Vec<u64>,
}

impl TasksByValue {
    fn count(all: &[Candidate], name: &str, group: &str) -> Self {
        let mut known: HashMap<&str, usize> = HashMap::new();
        let mut counted = Self { value_of: Vec::with_capacity(all.len()), tasks: Vec::new() };
        for candidate in all {
            let value = candidate.instance.attribute(name).map(|it| {
                *known.entry(it).or_insert_with(|| {
                    counted.tasks.push(0);
                    counted.tasks.len() - 1
                })
            });
            if let Some(value) = value {
                counted.tasks[value] += u64::from(candidate.tasks_of(group));
            }
            counted.value_of.push(value);
        }
        counted
    }

    /// Tasks on all instances with the same value. Without the attribute, more than any: those
    /// come last, since a strategy only prefers.
    fn beside(&self, at: usize) -> u64 {
        self.value_of[at].map_or(u64::MAX, |value| self.tasks[value])
    }

    fn take(&mut self, chosen: usize) {
        if let Some(value) = self.value_of[chosen] {
            self.tasks[value] += 1;
        }
    }
}

/// Those whose measure is the least.
fn least<M: Ord + Copy>(positions: Vec<usize>, measure: impl Fn(usize) -> M) -> Vec<usize> {
    let mut least = None;
    let mut kept = Vec::new();
    for at in positions {
        let measured = measure(at);
        if least.is_none_or(|it| measured < it) {
            least = Some(measured);
            kept.clear();
        }
        if least == Some(measured) {
            kept.push(at);
        }
    }
    kept
}
