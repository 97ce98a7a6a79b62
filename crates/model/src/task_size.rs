//! CPU and memory of a task as a whole, beside those of its containers.

use serde::{Deserialize, Serialize};

use crate::names::ContainerName;
use crate::overrides::Effective;

/// What a task's containers may use together; `None` where each only has limits of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSize {
    /// CPU units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_units: Option<u32>,
    /// MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u32>,
}

/// Why a container does not fit into its task, in ECS's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskSizeError {
    /// One container may use more than all together.
    #[error("The '{member}' setting for container '{container}' is greater than for the task.")]
    Container {
        /// The container.
        container: ContainerName,
        /// `memory` or `memoryReservation`.
        member: &'static str,
    },
    /// Together they reserve more than there is.
    #[error(
        "The sum of all container '{member}' values cannot be greater than the value of the task '{of_task}'."
    )]
    Sum {
        /// `cpu` or `memoryReservation`.
        member: &'static str,
        /// `cpu` or `memory`.
        of_task: &'static str,
    },
}

impl TaskSize {
    /// Whether it says nothing.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Checks that containers with these settings fit.
    pub fn check<'a>(
        &self,
        containers: impl Iterator<Item = (&'a ContainerName, &'a Effective<'a>)>,
    ) -> Result<(), TaskSizeError> {
        let most_memory = self.memory_mib.map_or(u64::MAX, u64::from);
        let most_cpu = self.cpu_units.map_or(u64::MAX, u64::from);
        let (mut cpu, mut reserved) = (0_u64, 0_u64);
        for (container, settings) in containers {
            let limit = u64::from(settings.memory_mib.unwrap_or(0));
            let reservation = u64::from(settings.memory_reservation_mib.unwrap_or(0));
            for (mib, member) in [(limit, "memory"), (reservation, "memoryReservation")] {
                if mib > most_memory {
                    return Err(TaskSizeError::Container { container: container.clone(), member });
                }
            }
            cpu = cpu.saturating_add(settings.cpu_units.into());
            reserved = reserved.saturating_add(reservation);
        }
        if reserved > most_memory {
            return Err(TaskSizeError::Sum { member: "memoryReservation", of_task: "memory" });
        }
        if cpu > most_cpu {
            return Err(TaskSizeError::Sum { member: "cpu", of_task: "cpu" });
        }
        Ok(())
    }
}

/// CPU units of task-level `cpu`: `256`, or in vCPU as in `0.25 vCPU`.
///
/// `None` where the text is no such amount, or one outside of what ECS takes for container
/// instances. Source: Amazon ECS Developer Guide, task size.
pub fn parse_cpu(text: &str) -> Option<u32> {
    parse(text, "vcpu").filter(|it| (128..=196_608).contains(it))
}

/// MiB of task-level `memory`: `512`, or in GB as in `0.5 GB`. `None` where the text is no such
/// amount, or too little for any container.
pub fn parse_memory(text: &str) -> Option<u32> {
    parse(text, "gb").filter(|it| *it >= crate::overrides::MIN_MEMORY_MIB)
}

/// A whole number, or a decimal one of a unit that is 1024 times as large.
fn parse(text: &str, unit: &str) -> Option<u32> {
    let text = text.trim().to_ascii_lowercase();
    let Some(number) = text.strip_suffix(unit) else { return digits(&text) };
    let (whole, fraction) = number.trim_end().split_once('.').unwrap_or((number.trim_end(), ""));
    let whole = if whole.is_empty() && !fraction.is_empty() { 0 } else { digits(whole)? };
    let fraction = if fraction.is_empty() { 0.0 } else { decimals(fraction)? };
    let units = f64::from(whole) * 1024.0 + fraction * 1024.0;
    // A fraction is good when it means whole units; `0.1 vCPU` does not.
    (units <= f64::from(u32::MAX) && units.fract() == 0.0).then_some(units as u32)
}

fn digits(text: &str) -> Option<u32> {
    let only_digits = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    text.parse().ok().filter(|_| only_digits)
}

fn decimals(text: &str) -> Option<f64> {
    let only_digits = text.bytes().all(|it| it.is_ascii_digit());
    format!("0.{text}").parse().ok().filter(|_| only_digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_in_units_or_in_vcpu() {
        for (text, units) in [
            ("256", Some(256)),
            ("128", Some(128)),
            ("1 vCPU", Some(1024)),
            ("1vcpu", Some(1024)),
            ("0.25 vCPU", Some(256)),
            (".5 VCPU", Some(512)),
            ("192 vCPU", Some(196_608)),
            ("127", None),
            ("196609", None),
            ("0.1 vCPU", None),
            ("-1", None),
            ("+256", None),
            ("1.5", None),
            ("vCPU", None),
            (". vCPU", None),
            ("", None),
            ("1 GB", None),
            ("99999999999999", None),
        ] {
            assert_eq!(parse_cpu(text), units, "{text}");
        }
    }

    #[test]
    fn memory_is_in_mib_or_in_gb() {
        for (text, mib) in [
            ("512", Some(512)),
            ("1GB", Some(1024)),
            ("0.5 GB", Some(512)),
            ("30 gb", Some(30 * 1024)),
            ("4", Some(4)),
            ("3", None),
            ("0", None),
            ("1 MB", None),
            ("99999999 GB", None),
        ] {
            assert_eq!(parse_memory(text), mib, "{text}");
        }
    }
}
