//! A whole cluster in a few lines: how many instances each cause keeps out, and which lack least.

use std::fmt;

use super::cause::Cause;
use super::change::{Amount, Change};
use super::grouped;
use crate::candidate::Candidate;
use crate::filter::Filter;
use crate::place::Request;

/// The most instances that [`Summary::nearest`] has.
pub const MAX_NEAREST: usize = 5;

/// What keeps a request's next task from instances.
#[derive(Clone, Debug, Default)]
pub struct Summary<'a> {
    /// How many instances there are.
    pub instances: u32,
    /// How many could take the task.
    pub suitable: u32,
    /// Each cause that keeps an instance out; what most have comes first, and of those that equally
    /// many have, what is checked first.
    pub tallies: Vec<Tally<'a>>,
    /// The instances that lack least, by their places among those asked about: those that can be
    /// made to fit before those that cannot, then those that it takes fewest steps for
    /// ([`Change::steps`]), then those that lack the smallest part of what is asked for, the parts
    /// of CPU, memory and host ports summed; of equals the first.
    pub nearest: Vec<usize>,
}

/// How many instances a cause keeps out.
#[derive(Clone, Debug)]
pub struct Tally<'a> {
    /// The cause.
    pub cause: Cause<'a>,
    /// How many instances it keeps out.
    pub count: u32,
    /// How many of them nothing else keeps out.
    pub alone: u32,
    /// How many of them have it because of lost tasks; see [`Filter::lost`].
    pub lost: u32,
}

impl<'a> Request<'a> {
    /// What keeps the next task from each of these instances, summed up.
    pub fn summary<'c>(&self, candidates: impl Iterator<Item = &'c Candidate>) -> Summary<'a> {
        let filter = self.filter();
        let mut summary = Summary::default();
        let mut misses: Vec<Miss> = Vec::new();
        for (place, candidate) in candidates.enumerate() {
            summary.instances += 1;
            let causes = self.causes(candidate);
            if causes.is_empty() {
                summary.suitable += 1;
                continue;
            }
            summary.count(&causes, |it| !filter.lost(it, candidate).is_empty());
            misses.push(Miss::new(place, &causes, &filter, candidate));
        }
        summary.tallies.sort_by_key(|it| std::cmp::Reverse(it.count));
        misses.sort_by(Miss::compare);
        summary.nearest = misses.iter().take(MAX_NEAREST).map(|it| it.place).collect();
        summary
    }
}

impl<'a> Summary<'a> {
    fn count(&mut self, causes: &[Cause<'a>], is_of_lost: impl Fn(&Cause<'a>) -> bool) {
        for cause in causes {
            let at = self.tallies.iter().position(|it| it.cause == *cause);
            let at = at.unwrap_or_else(|| {
                self.tallies.push(Tally { cause: *cause, count: 0, alone: 0, lost: 0 });
                self.tallies.len() - 1
            });
            self.tallies[at].count += 1;
            self.tallies[at].alone += u32::from(causes.len() == 1);
            self.tallies[at].lost += u32::from(is_of_lost(cause));
        }
    }
}

/// How far an instance is from taking the task.
struct Miss {
    place: usize,
    /// How many steps it takes; `None` where nobody can make it fit.
    steps: Option<u32>,
    /// The parts that it lacks of what is asked for, summed.
    lack: f64,
}

impl Miss {
    fn new<'a>(
        place: usize,
        causes: &[Cause<'a>],
        filter: &Filter<'a>,
        candidate: &Candidate,
    ) -> Self {
        let changes = filter.changes(causes, candidate);
        Self {
            place,
            steps: changes.iter().map(Change::steps).sum(),
            lack: changes.iter().map(|it| it.part_of(filter)).sum(),
        }
    }

    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        let steps = |it: &Self| it.steps.map_or((1, 0), |steps| (0, steps));
        steps(self)
            .cmp(&steps(other))
            .then_with(|| self.lack.total_cmp(&other.lack))
            .then_with(|| self.place.cmp(&other.place))
    }
}

impl Tally<'_> {
    /// The tally as a sentence without its full stop, such as `3,912 of 5,000 lack 512 MiB of
    /// memory`. `of` is how many instances there are, where that is to be said.
    pub fn text(&self, filter: &Filter<'_>, of: Option<u32>) -> String {
        let of = of.map(|it| format!(" of {}", grouped(it))).unwrap_or_default();
        let others = match self.count - self.alone {
            0 => String::new(),
            _ if self.count == 1 => ", out for another reason also".into(),
            others if others == self.count => ", all of them out for another reason also".into(),
            others => format!(", {} of them out for another reason also", grouped(others)),
        };
        let lost = match self.lost {
            0 => String::new(),
            lost if lost == self.count => " because of lost tasks".into(),
            lost => format!(", {} of them because of lost tasks", grouped(lost)),
        };
        let which = Which { cause: self.cause, is_one: self.count == 1, filter };
        format!("{}{of} {which}{lost}{others}", grouped(self.count))
    }
}

/// What instances have in common that a cause keeps out, as what is said of them.
struct Which<'a> {
    cause: Cause<'a>,
    is_one: bool,
    filter: &'a Filter<'a>,
}

impl fmt::Display for Which<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = |one: &'static str, many: &'static str| if self.is_one { one } else { many };
        let (lack, have) = (verb("lacks", "lack"), verb("has", "have"));
        let wanted = self.filter.demand.resources;
        match self.cause {
            Cause::LaunchType(kind) => {
                write!(f, "{} no {} tasks", verb("takes", "take"), kind.as_str())
            }
            Cause::Status(status) => write!(f, "{} {}", verb("is", "are"), status.as_str()),
            Cause::Agent => write!(f, "{have} no connected agent"),
            Cause::Attribute(attribute) => match &attribute.value {
                Some(value) => write!(f, "{lack} attribute:{} == {value}", attribute.name),
                None => write!(f, "{lack} attribute:{}", attribute.name),
            },
            Cause::Cpu => write!(f, "{lack} {}", Amount::Cpu(wanted.cpu_units)),
            Cause::Memory => write!(f, "{lack} {}", Amount::Memory(wanted.memory_mib)),
            Cause::PortTwice(port) => write!(f, "cannot give {port} twice"),
            Cause::Port(port) => write!(f, "{have} {port} in use"),
            Cause::TooManyPorts => {
                let ports = u32::try_from(self.filter.wanted_ports()).unwrap_or(u32::MAX);
                write!(f, "{have} no room for {}", Amount::Ports(ports))
            }
            Cause::MemberOf(query) => write!(f, "{} {query}", verb("fails", "fail")),
            Cause::DistinctInstance => {
                write!(f, "{have} a task of group {} already", self.filter.group)
            }
        }
    }
}

#[cfg(test)]
mod tests;
