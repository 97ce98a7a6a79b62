//! Tasks that were given up and may still run, where they are what takes the room.

use longshore_model::TaskId;
use longshore_model::occupancy::AtLarge;

use super::cause::Cause;
use crate::candidate::Candidate;
use crate::filter::Filter;
use crate::port::Port;

impl Filter<'_> {
    /// The lost tasks because of which an instance has this cause: without them it would not. None
    /// where it would have it all the same.
    pub fn lost(&self, cause: &Cause<'_>, candidate: &Candidate) -> Vec<TaskId> {
        let held = |it: &AtLarge| match cause {
            Cause::Cpu => it.demand.resources.cpu_units,
            Cause::Memory => it.demand.resources.memory_mib,
            Cause::TooManyPorts => u32::try_from(Port::of(&it.demand).count()).unwrap_or(u32::MAX),
            Cause::Port(port) if !port.is_reserved(candidate) => {
                u32::from(Port::of(&it.demand).any(|it| it == *port))
            }
            Cause::DistinctInstance => u32::from(*it.group == *self.group),
            _ => 0,
        };
        let in_the_way = match cause {
            Cause::Port(_) => 1,
            Cause::DistinctInstance => candidate.tasks_of(self.group),
            _ => self.shortfall(cause, candidate),
        };
        let at_large = candidate.occupancy.at_large.iter();
        let holders: Vec<_> =
            at_large.map(|(id, it)| (*id, held(it))).filter(|it| it.1 > 0).collect();
        let all = holders.iter().fold(0_u32, |sum, it| sum.saturating_add(it.1));
        if all < in_the_way {
            return Vec::new();
        }
        holders.into_iter().map(|(id, _)| id).collect()
    }
}

#[cfg(test)]
mod tests;
