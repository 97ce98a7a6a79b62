//! CPU units and memory, in amounts that cannot go below zero.

use serde::{Deserialize, Serialize};

/// An amount of CPU and memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// 1024 of them are one core.
    pub cpu_units: u32,
    /// Memory in MiB.
    pub memory_mib: u32,
}

impl Resources {
    /// The two together; stops at the largest number.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            cpu_units: self.cpu_units.saturating_add(other.cpu_units),
            memory_mib: self.memory_mib.saturating_add(other.memory_mib),
        }
    }

    /// What is left without `other`; never below zero.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self {
            cpu_units: self.cpu_units.saturating_sub(other.cpu_units),
            memory_mib: self.memory_mib.saturating_sub(other.memory_mib),
        }
    }
}
