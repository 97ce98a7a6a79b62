//! The agent's data directory: survives the agent's death, and loses its last seconds with the
//! machine's power.

use std::collections::{BTreeMap, VecDeque};

use longshore_agent::engine::TaskState;

use crate::checks::Violation;

/// How far back a loss of power may throw the tasks' files, in milliseconds. File systems write
/// what was not synced within a few seconds, in order.
const UNSYNCED_MILLIS: i64 = 5_000;

/// The files.
#[derive(Default)]
pub(crate) struct Disk {
    /// The container instance's ARN. Synced.
    pub(crate) identity: Option<String>,
    /// The tasks' files, by ARN. Synced only when asked for.
    tasks: BTreeMap<String, TaskState>,
    /// What files were before their latest changes, and when these were made. Only of changes
    /// that a loss of power would take back.
    recent: VecDeque<(i64, String, Option<TaskState>)>,
}

impl Disk {
    /// Replaces a task's file; `None` removes it.
    pub(crate) fn write(&mut self, task: &str, state: Option<TaskState>, now_millis: i64) {
        let before = match state {
            Some(state) => self.tasks.insert(task.to_owned(), state),
            None => self.tasks.remove(task),
        };
        self.recent.push_back((now_millis, task.to_owned(), before));
        while self.recent.front().is_some_and(|it| it.0 < now_millis - UNSYNCED_MILLIS) {
            self.recent.pop_front();
        }
    }

    /// How many tasks have a file.
    pub(crate) fn count(&self) -> usize {
        self.tasks.len()
    }

    /// Reads the tasks' files. That they are text is seen only here: writing that each time would
    /// take most of the simulation's time.
    pub(crate) fn tasks(&self) -> Result<Vec<TaskState>, Violation> {
        let unreadable = |error| Violation::new(format!("a task's file cannot be read: {error}"));
        let read = |it| serde_json::from_str(&serde_json::to_string(it)?);
        self.tasks.values().map(|it| read(it).map_err(unreadable)).collect()
    }

    /// Makes what was last written of a task outlive a loss of power.
    pub(crate) fn sync(&mut self, task: &str) {
        self.recent.retain(|it| it.1 != task);
    }

    /// Takes back all that was written since then and not synced.
    pub(crate) fn lose_since(&mut self, since_millis: i64) {
        while self.recent.back().is_some_and(|it| it.0 >= since_millis) {
            if let Some((_, task, before)) = self.recent.pop_back() {
                match before {
                    Some(state) => self.tasks.insert(task, state),
                    None => self.tasks.remove(&task),
                };
            }
        }
        self.recent.clear();
    }
}
