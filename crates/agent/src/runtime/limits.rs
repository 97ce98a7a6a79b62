//! Limits for a task as a whole: a control group that is the parent of its containers' own.
//!
//! Docker makes a container's group inside the parent that it is told of, and leaves the parent's
//! limits to whoever made it. That is us, where Docker manages groups as plain directories
//! (its driver `cgroupfs`) and we see the same hierarchy. With the driver `systemd` the parent
//! belongs to systemd, which would have to be asked for it: such an instance does not say that it
//! can limit tasks, and refuses one that wants it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tracing::warn;

use crate::engine::Limits;

const MOUNT: &str = "/sys/fs/cgroup";
/// Below it lies a group for each task.
const OURS: &str = "ecs";

/// As long as the kernel's default.
const PERIOD_MICROS: u64 = 100_000;
/// The kernel refuses less.
const LEAST_QUOTA_MICROS: u64 = 1_000;
const UNITS_PER_CPU: u64 = 1024;
const MIB: u64 = 1024 * 1024;

/// The control groups of this host, as far as tasks can be limited by them.
#[derive(Clone, Debug)]
pub(crate) struct ControlGroups {
    mount: PathBuf,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// A hierarchy for each controller.
    One,
    /// One hierarchy, where a controller is passed on level by level.
    Two,
}

impl ControlGroups {
    /// Those that Docker says it uses, if a task can be limited by them.
    pub(crate) fn of_host(driver: Option<&str>, version: Option<&str>) -> Option<Self> {
        Self::at(Path::new(MOUNT), driver, version)
    }

    fn at(mount: &Path, driver: Option<&str>, version: Option<&str>) -> Option<Self> {
        let version = match (driver?, version?) {
            ("cgroupfs", "1") => Version::One,
            ("cgroupfs", "2") => Version::Two,
            _ => return None,
        };
        let groups = Self { mount: mount.to_owned(), version };
        match groups.make_ours() {
            Ok(()) => Some(groups),
            Err(error) => {
                warn!(%error, "tasks cannot be limited as a whole here: no control groups");
                None
            }
        }
    }

    /// What Docker is told to be the parent of a task's containers.
    pub(crate) fn parent(task: &str) -> String {
        format!("/{OURS}/{task}")
    }

    /// Makes the task's group with its limits. Done again, it changes nothing.
    pub(crate) fn make(&self, task: &str, limits: Limits) -> io::Result<()> {
        self.make_ours()?;
        for root in self.roots() {
            make_dir(&root.join(OURS).join(task))?;
        }
        for (controller, file, value) in settings(self.version, limits) {
            let path = self.root(controller).join(OURS).join(task).join(file);
            write(&path, &value)?;
        }
        Ok(())
    }

    /// Removes the task's group; its containers must be gone. Docker has made one of the name in
    /// every other hierarchy too.
    pub(crate) fn remove(&self, task: &str) {
        let hierarchies = match self.version {
            Version::One => fs::read_dir(&self.mount)
                .map(|all| all.flatten().map(|it| it.path()).collect())
                .unwrap_or_default(),
            Version::Two => self.roots(),
        };
        for root in hierarchies {
            match fs::remove_dir(root.join(OURS).join(task)) {
                Ok(()) => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                    ) => {}
                Err(error) => warn!(task, %error, "a task's control group cannot be removed"),
            }
        }
    }

    fn make_ours(&self) -> io::Result<()> {
        for root in self.roots() {
            make_dir(&root.join(OURS))?;
            match self.version {
                // What a group uses is to count against the one above it.
                Version::One if root.ends_with("memory") => {
                    let path = root.join(OURS).join("memory.use_hierarchy");
                    if path.exists() && fs::read_to_string(&path)?.trim() != "1" {
                        write(&path, "1")?;
                    }
                }
                Version::One => {}
                Version::Two => {
                    for dir in [root.clone(), root.join(OURS)] {
                        write(&dir.join("cgroup.subtree_control"), "+cpu +memory")?;
                    }
                }
            }
        }
        Ok(())
    }

    fn root(&self, controller: &str) -> PathBuf {
        match self.version {
            Version::One => self.mount.join(controller),
            Version::Two => self.mount.clone(),
        }
    }

    fn roots(&self) -> Vec<PathBuf> {
        match self.version {
            Version::One => vec![self.root("cpu"), self.root("memory")],
            Version::Two => vec![self.mount.clone()],
        }
    }
}

/// The files to write, by controller. 1024 units are one CPU, as a share and as a hard limit.
fn settings(version: Version, limits: Limits) -> Vec<(&'static str, &'static str, String)> {
    let Limits { cpu_units, memory_mib } = limits;
    let quota = u64::from(cpu_units) * PERIOD_MICROS / UNITS_PER_CPU;
    let quota = quota.max(LEAST_QUOTA_MICROS);
    let memory = (u64::from(memory_mib) * MIB).to_string();
    let mut settings = Vec::new();
    match version {
        Version::One => {
            if cpu_units > 0 {
                settings.push(("cpu", "cpu.shares", cpu_units.max(2).to_string()));
                settings.push(("cpu", "cpu.cfs_period_us", PERIOD_MICROS.to_string()));
                settings.push(("cpu", "cpu.cfs_quota_us", quota.to_string()));
            }
            if memory_mib > 0 {
                settings.push(("memory", "memory.limit_in_bytes", memory));
            }
        }
        Version::Two => {
            if cpu_units > 0 {
                settings.push(("cpu", "cpu.max", format!("{quota} {PERIOD_MICROS}")));
            }
            if memory_mib > 0 {
                settings.push(("memory", "memory.max", memory));
            }
        }
    }
    settings
}

/// The kernel makes the files of a group with its directory; one that is not there is not made.
fn write(path: &Path, value: &str) -> io::Result<()> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let mut file = fs::OpenOptions::new().write(true).open(path).map_err(named)?;
    io::Write::write_all(&mut file, value.as_bytes()).map_err(named)
}

fn make_dir(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(io::Error::new(error.kind(), format!("{}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(version: Version, cpu_units: u32, memory_mib: u32, expect: &[(&str, &str)]) {
        let seen = settings(version, Limits { cpu_units, memory_mib });
        let seen: Vec<_> = seen.iter().map(|(_, file, value)| (*file, value.as_str())).collect();
        assert_eq!(seen, expect);
    }

    #[test]
    fn half_a_cpu_is_half_of_each_period() {
        let memory = ("memory.limit_in_bytes", "536870912");
        check(
            Version::One,
            512,
            512,
            &[
                ("cpu.shares", "512"),
                ("cpu.cfs_period_us", "100000"),
                ("cpu.cfs_quota_us", "50000"),
                memory,
            ],
        );
        check(
            Version::Two,
            2048,
            512,
            &[("cpu.max", "200000 100000"), ("memory.max", "536870912")],
        );
    }

    #[test]
    fn what_is_not_limited_is_left_alone() {
        check(Version::One, 0, 4, &[("memory.limit_in_bytes", "4194304")]);
        check(Version::Two, 1, 0, &[("cpu.max", "1000 100000")]);
        check(Version::Two, 0, 0, &[]);
    }

    /// The files that the kernel would make with the directories.
    fn hierarchy(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        dir
    }

    #[test]
    fn in_one_hierarchy_controllers_are_passed_on_to_the_tasks() {
        let dir = hierarchy(&[
            "cgroup.subtree_control",
            "ecs/cgroup.subtree_control",
            "ecs/t/cpu.max",
            "ecs/t/memory.max",
        ]);
        let groups = ControlGroups::at(dir.path(), Some("cgroupfs"), Some("2")).unwrap();
        groups.make("t", Limits { cpu_units: 256, memory_mib: 64 }).unwrap();
        let read = |file: &str| fs::read_to_string(dir.path().join(file)).unwrap();
        assert_eq!(read("cgroup.subtree_control"), "+cpu +memory");
        assert_eq!(read("ecs/cgroup.subtree_control"), "+cpu +memory");
        assert_eq!(read("ecs/t/cpu.max"), "25000 100000");
        assert_eq!(read("ecs/t/memory.max"), "67108864");
    }

    #[test]
    fn where_docker_leaves_groups_to_others_or_there_are_none_tasks_are_not_limited() {
        let dir = hierarchy(&["cgroup.subtree_control", "ecs/cgroup.subtree_control"]);
        for (driver, version) in
            [(Some("systemd"), Some("2")), (Some("none"), Some("2")), (None, Some("1"))]
        {
            assert!(ControlGroups::at(dir.path(), driver, version).is_none());
        }
        let empty = tempfile::tempdir().unwrap();
        for version in ["1", "2"] {
            assert!(ControlGroups::at(empty.path(), Some("cgroupfs"), Some(version)).is_none());
        }
    }
}
