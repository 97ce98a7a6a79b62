//! The page that shows what a container sees of itself.

use std::collections::BTreeMap;
use std::fs;

use serde::Serialize;

use crate::cgroup::Limits;

/// Everything about a container that can be told in a few hundred bytes.
/// Longer things (`/proc/self/mounts`, `/etc/hosts`) are read as files.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    args: Vec<String>,
    env: BTreeMap<String, String>,
    limits: Limits,
    hostname: String,
    /// The working directory.
    cwd: String,
    uid: Option<u32>,
    gid: Option<u32>,
    /// Effective capabilities, in the kernel's hexadecimal form.
    capabilities: String,
    no_new_privileges: bool,
    /// By name as `/proc/self/limits` has it: the soft and the hard limit.
    ulimits: BTreeMap<String, [String; 2]>,
    /// Network interfaces, `lo` included.
    interfaces: Vec<String>,
    /// Whether the root file system takes writes.
    root_is_writable: bool,
    /// What standard input leads to: `/dev/null`, `pipe:[1]`, `/dev/pts/0`.
    stdin: String,
}

impl Page {
    /// Looks around.
    pub(crate) fn read() -> Self {
        let status = read("/proc/self/status");
        Self {
            args: std::env::args_os().map(|it| it.to_string_lossy().into_owned()).collect(),
            env: environment(),
            limits: Limits::read(),
            hostname: read("/proc/sys/kernel/hostname").trim().to_owned(),
            cwd: std::env::current_dir().unwrap_or_default().to_string_lossy().into_owned(),
            uid: status_field(&status, "Uid:").parse().ok(),
            gid: status_field(&status, "Gid:").parse().ok(),
            capabilities: status_field(&status, "CapEff:").to_owned(),
            no_new_privileges: status_field(&status, "NoNewPrivs:") == "1",
            ulimits: ulimits(&read("/proc/self/limits")),
            interfaces: interfaces(&read("/proc/net/dev")),
            root_is_writable: !root_is_read_only(&read("/proc/self/mounts")),
            stdin: fs::read_link("/proc/self/fd/0")
                .map(|it| it.to_string_lossy().into_owned())
                .unwrap_or_default(),
        }
    }
}

/// The environment, sorted by name.
pub(crate) fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .map(|(name, value)| {
            (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
        })
        .collect()
}

/// Indented JSON.
pub(crate) fn to_json(page: &impl Serialize) -> Result<String, String> {
    serde_json::to_string_pretty(page).map_err(|error| error.to_string())
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The first word of a field of `/proc/self/status`.
fn status_field<'a>(status: &'a str, name: &str) -> &'a str {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|values| values.split_whitespace().next()).unwrap_or_default()
}

/// Rows of `/proc/self/limits`: a name of several words, then soft limit, hard limit and unit.
fn ulimits(table: &str) -> BTreeMap<String, [String; 2]> {
    let rows = table.lines().skip(1).filter_map(|row| {
        let (name, values) = row.split_at_checked(26)?;
        let mut values = values.split_whitespace().map(str::to_owned);
        Some((name.trim().to_owned(), [values.next()?, values.next()?]))
    });
    rows.collect()
}

/// Names in `/proc/net/dev`, which has two lines of headings.
fn interfaces(table: &str) -> Vec<String> {
    let rows = table.lines().skip(2).filter_map(|row| row.split_once(':'));
    rows.map(|(name, _)| name.trim().to_owned()).collect()
}

/// Whether the newest mount on `/` is read-only.
fn root_is_read_only(mounts: &str) -> bool {
    let root = mounts.lines().rev().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        (fields.next() == Some("/")).then(|| fields.nth(1).unwrap_or_default())
    });
    root.is_some_and(|options| options.split(',').any(|it| it == "ro"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_field_is_its_first_word() {
        let status = "Name:\tprobe\nUid:\t1000\t1000\t1000\t1000\nNoNewPrivs:\t1\n";
        assert_eq!(status_field(status, "Uid:"), "1000");
        assert_eq!(status_field(status, "Gid:"), "");
    }

    #[test]
    fn ulimits_are_read_by_column() {
        let table = "\
Limit                     Soft Limit           Hard Limit           Units     \n\
Max cpu time              unlimited            unlimited            seconds   \n\
Max open files            1024                 4096                 files     \n";
        let limits = ulimits(table);
        assert_eq!(limits["Max open files"], ["1024", "4096"]);
        assert_eq!(limits["Max cpu time"], ["unlimited", "unlimited"]);
    }

    #[test]
    fn interfaces_come_after_two_lines_of_headings() {
        let table = "Inter-| Receive\n face |bytes\n    lo: 0 0\n  eth0: 1 2\n";
        assert_eq!(interfaces(table), ["lo", "eth0"]);
    }

    #[test]
    fn the_root_is_read_only_when_its_mount_says_so() {
        assert!(root_is_read_only("overlay / overlay ro,relatime 0 0\nproc /proc proc rw 0 0\n"));
        assert!(!root_is_read_only("overlay / overlay rw,relatime 0 0\nproc /proc proc ro 0 0\n"));
    }
}
