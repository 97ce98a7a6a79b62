//! Causes as text: the one place where they are worded.

use std::fmt::{self, Write};

use longshore_model::container_instance::MAX_USED_PORTS;
use longshore_model::{InstanceStatus, LaunchKind};

use super::cause::Cause;
use crate::candidate::Candidate;
use crate::filter::Filter;
use crate::port::Port;

/// The most causes of one instance, and parts of one expression, that are put into words.
const MAX_WORDED: usize = 8;

/// The most characters of one of them: a list in an expression can have 2,000, thousands of
/// instances may refuse a call, and each says why.
const MAX_PART: usize = 256;

impl Filter<'_> {
    /// Why an instance cannot take the task, every cause with its figures; `None` where it can.
    pub fn detail(&self, candidate: &Candidate) -> Option<String> {
        let causes = self.causes(candidate);
        (!causes.is_empty()).then(|| joined(causes.iter().map(|it| self.describe(it, candidate))))
    }

    /// A cause as it is found on an instance.
    pub fn describe(&self, cause: &Cause<'_>, candidate: &Candidate) -> String {
        let (wanted, remaining) = (self.demand.resources, candidate.remaining());
        let registered = candidate.instance.registered;
        let lost = u32::try_from(self.lost(cause, candidate).len()).unwrap_or(u32::MAX);
        let because = match lost {
            0 => String::new(),
            1 => ", because of a lost task".into(),
            _ => format!(", because of {} lost tasks", grouped(lost)),
        };
        let short = |wanted, unit, remaining, of| {
            let [wanted, remaining, of] = [wanted, remaining, of].map(grouped);
            format!("asked for {wanted} {unit}, but {remaining} of {of} remain{because}")
        };
        match cause {
            Cause::LaunchType(kind) => match &candidate.instance.ec2_instance_id {
                Some(id) if *kind == LaunchKind::External => {
                    format!("takes no EXTERNAL tasks: it is {id} of EC2")
                }
                _ => {
                    format!("takes no {} tasks: its agent says it is outside of AWS", kind.as_str())
                }
            },
            Cause::Status(status) => format!("the instance is {}", status.as_str()),
            Cause::Agent => "the instance's agent is not connected".into(),
            Cause::Attribute(required) => {
                let name = &*required.name;
                match (&required.value, candidate.instance.attribute(name)) {
                    (Some(value), Some(found)) => {
                        format!("needs {name} to be {value}, which is {}", or_empty(found))
                    }
                    (Some(value), None) => {
                        format!("needs {name} to be {value}, which the instance lacks")
                    }
                    (None, _) => format!("needs {name}, which the instance lacks"),
                }
            }
            Cause::Cpu => {
                short(wanted.cpu_units, "CPU units", remaining.cpu_units, registered.cpu_units)
            }
            Cause::Memory => short(
                wanted.memory_mib,
                "MiB of memory",
                remaining.memory_mib,
                registered.memory_mib,
            ),
            Cause::PortTwice(port) => format!("asked for {port} twice"),
            Cause::Port(port) => match port.is_reserved(candidate) {
                true => format!("{port} is reserved by the agent"),
                false if lost > 0 => format!("{port} is taken by a lost task"),
                false => format!("{port} is taken by a task"),
            },
            Cause::TooManyPorts => format!(
                "asked for {} host ports, but {} of {MAX_USED_PORTS} are in use{because}",
                self.wanted_ports(),
                candidate.used_ports()
            ),
            Cause::MemberOf(query) => joined(query.false_parts(candidate).into_iter()),
            Cause::DistinctInstance if lost > 0 => match lost {
                1 => format!("a lost task of group {} may still run there", self.group),
                _ => format!(
                    "{} lost tasks of group {} may still run there",
                    grouped(lost),
                    self.group
                ),
            },
            Cause::DistinctInstance => match candidate.tasks_of(self.group) {
                1 => format!("a task of group {} runs there", self.group),
                tasks => format!("{} tasks of group {} run there", grouped(tasks), self.group),
            },
        }
    }
}

/// A cause without the figures of an instance.
impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LaunchType(kind) => f.write_str(kind.as_str()),
            Self::Status(InstanceStatus::Active) => f.write_str("ACTIVE"),
            Self::Status(status) => f.write_str(status.as_str()),
            Self::Agent => f.write_str("agent not connected"),
            Self::Attribute(required) => match &required.value {
                Some(value) => write!(f, "{} = {value}", required.name),
                None => f.write_str(&required.name),
            },
            Self::Cpu => f.write_str("CPU units"),
            Self::Memory => f.write_str("MiB of memory"),
            Self::PortTwice(port) | Self::Port(port) => port.fmt(f),
            Self::TooManyPorts => f.write_str("host ports"),
            Self::MemberOf(query) => query.fmt(f),
            Self::DistinctInstance => f.write_str("distinctInstance"),
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(port) => write!(f, "TCP {port}"),
            Self::Udp(port) => write!(f, "UDP {port}"),
        }
    }
}

/// A number with commas between its thousands.
pub fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The first of them with semicolons between, and how many more there are.
fn joined(mut parts: impl ExactSizeIterator<Item = String>) -> String {
    let more = parts.len().saturating_sub(MAX_WORDED);
    let mut text = parts.by_ref().take(MAX_WORDED).map(shortened).collect::<Vec<_>>().join("; ");
    if more > 0 {
        let _ = write!(text, "; and {more} more");
    }
    text
}

fn shortened(mut part: String) -> String {
    if let Some((end, _)) = part.char_indices().nth(MAX_PART) {
        part.truncate(end);
        part.push_str("...");
    }
    part
}

fn or_empty(value: &str) -> &str {
    if value.is_empty() { "empty" } else { value }
}
