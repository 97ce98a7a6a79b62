//! The limits that this container's own cgroup shows, of version 1 or 2.
//!
//! Docker mounts a container's own group over `/sys/fs/cgroup` (one mount per controller in
//! version 1), so there is nothing to search for.

use std::fs;
use std::path::Path;

use serde::Serialize;

/// Memory and CPU limits. A member is null where the cgroup sets no such limit.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Limits {
    /// 1 or 2; 0 where no cgroup can be seen.
    pub(crate) cgroup_version: u8,
    /// The hard limit.
    pub(crate) memory_limit_bytes: Option<u64>,
    /// The soft limit.
    pub(crate) memory_reservation_bytes: Option<u64>,
    /// Relative weight as Docker is told it (2 to 262144); version 1 only.
    pub(crate) cpu_shares: Option<u64>,
    /// Relative weight (1 to 10000) that the runtime made of the shares; version 2 only.
    pub(crate) cpu_weight: Option<u64>,
}

impl Limits {
    /// What this process's container is held to.
    pub(crate) fn read() -> Self {
        Self::read_under(Path::new("/sys/fs/cgroup"))
    }

    fn read_under(root: &Path) -> Self {
        if root.join("cgroup.controllers").exists() {
            return Self {
                cgroup_version: 2,
                memory_limit_bytes: number(root, "memory.max"),
                memory_reservation_bytes: number(root, "memory.low").filter(|it| *it > 0),
                cpu_shares: None,
                cpu_weight: number(root, "cpu.weight"),
            };
        }
        let memory = root.join("memory");
        if !memory.exists() {
            return Self::default();
        }
        Self {
            cgroup_version: 1,
            memory_limit_bytes: version_1_limit(&memory, "memory.limit_in_bytes"),
            memory_reservation_bytes: version_1_limit(&memory, "memory.soft_limit_in_bytes"),
            cpu_shares: ["cpu", "cpu,cpuacct"]
                .iter()
                .find_map(|controller| number(&root.join(controller), "cpu.shares")),
            cpu_weight: None,
        }
    }
}

/// Version 1 writes "no limit" as the largest number of whole pages; no machine has an exbibyte.
fn version_1_limit(group: &Path, file: &str) -> Option<u64> {
    number(group, file).filter(|bytes| *bytes < 1 << 60)
}

/// The number that a file holds; none where it is missing, unreadable or says `max`.
fn number(group: &Path, file: &str) -> Option<u64> {
    fs::read_to_string(group.join(file)).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &Limits) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        assert_eq!(&Limits::read_under(root.path()), expected);
    }

    #[test]
    fn version_1_has_a_directory_for_each_controller() {
        let limits = Limits {
            cgroup_version: 1,
            memory_limit_bytes: Some(67_108_864),
            memory_reservation_bytes: Some(33_554_432),
            cpu_shares: Some(256),
            cpu_weight: None,
        };
        let memory = [
            ("memory/memory.limit_in_bytes", "67108864\n"),
            ("memory/memory.soft_limit_in_bytes", "33554432\n"),
        ];
        check(&[memory[0], memory[1], ("cpu/cpu.shares", "256\n")], &limits);
        check(&[memory[0], memory[1], ("cpu,cpuacct/cpu.shares", "256\n")], &limits);
    }

    #[test]
    fn version_1_says_no_limit_with_a_number_of_its_own() {
        check(
            &[
                ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
                ("memory/memory.soft_limit_in_bytes", "9223372036854771712\n"),
            ],
            &Limits { cgroup_version: 1, ..Limits::default() },
        );
    }

    #[test]
    fn version_2_has_all_in_one_directory() {
        check(
            &[
                ("cgroup.controllers", "cpu memory\n"),
                ("memory.max", "67108864\n"),
                ("memory.low", "33554432\n"),
                ("cpu.weight", "10\n"),
            ],
            &Limits {
                cgroup_version: 2,
                memory_limit_bytes: Some(67_108_864),
                memory_reservation_bytes: Some(33_554_432),
                cpu_shares: None,
                cpu_weight: Some(10),
            },
        );
    }

    #[test]
    fn version_2_says_no_limit_with_max_and_0() {
        check(
            &[("cgroup.controllers", ""), ("memory.max", "max\n"), ("memory.low", "0\n")],
            &Limits { cgroup_version: 2, ..Limits::default() },
        );
    }

    #[test]
    fn no_cgroup_is_no_failure() {
        check(&[], &Limits::default());
    }
}
