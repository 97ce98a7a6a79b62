//! What survives a restart of the agent: who it is, and one file for each task.
//!
//! Files are replaced whole, by renaming. Tasks that a power cut takes away are sent again by the
//! control plane, and their containers bear labels; so only this is synced to disk: who the agent
//! is and what it joined with, and that a container has ended, before anybody is told. What the
//! control plane has counted out must never begin again.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use tracing::{error, info, warn};

use crate::engine::{TaskState, file_name};
use crate::images::Record;
use crate::metadata::reach::Told;

/// Raised when a file of before cannot be read any more.
const SCHEMA: u32 = 1;

const IDENTITY: &str = "container-instance.json";
const PULLED_IMAGES: &str = "pulled-images.json";
const METADATA_REACH: &str = "task-metadata.json";

/// The agent's data directory.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    dir: PathBuf,
    /// Whether the last task could not be written, which is said once and not of each.
    is_failing: Arc<AtomicBool>,
}

/// Who the agent is to the control plane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Identity {
    pub(crate) container_instance_arn: String,
    /// As configured when it registered.
    pub(crate) cluster: String,
}

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    schema: u32,
    #[serde(flatten)]
    content: T,
}

impl Files {
    /// Makes the directory if need be. Environments are in it, so it is for its owner only.
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let tasks = dir.join("tasks");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&tasks)?;
        Ok(Self { dir: dir.to_owned(), is_failing: Arc::default() })
    }

    pub(crate) fn identity(&self) -> io::Result<Option<Identity>> {
        match fs::read(self.dir.join(IDENTITY)) {
            Ok(text) => Ok(read::<Identity>(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn save_identity(&self, identity: &Identity) -> io::Result<()> {
        save(&self.dir, IDENTITY, identity)
    }

    /// Images that were pulled here.
    pub(crate) fn pulled_images(&self) -> io::Result<Record> {
        match fs::read(self.dir.join(PULLED_IMAGES)) {
            Ok(text) => Ok(read::<Record>(&text).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Record::default()),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn save_pulled_images(&self, images: &Record) -> io::Result<()> {
        replace(&self.dir.join(PULLED_IMAGES), &write(images)?)
    }

    /// Where containers were told that they find their metadata.
    pub(crate) fn metadata_reach(&self) -> io::Result<Told> {
        load(&self.dir, METADATA_REACH).map(Option::unwrap_or_default)
    }

    pub(crate) fn save_metadata_reach(&self, told: &Told) -> io::Result<()> {
        save(&self.dir, METADATA_REACH, told)
    }

    /// Every task that can be read; of one that cannot, the containers' labels still speak.
    pub(crate) fn tasks(&self) -> io::Result<Vec<TaskState>> {
        let mut tasks = Vec::new();
        for entry in fs::read_dir(self.dir.join("tasks"))? {
            let path = entry?.path();
            if path.extension().is_none_or(|it| it != "json") {
                continue;
            }
            match read::<TaskState>(&fs::read(&path)?) {
                Some(task) => tasks.push(task),
                None => warn!(path = %path.display(), "a task's file cannot be read: skipping it"),
            }
        }
        Ok(tasks)
    }

    pub(crate) fn save_task(&self, task: &TaskState) -> io::Result<()> {
        let saved = replace(&self.task_path(&task.spec.arn), &write(task)?);
        let was_failing = self.is_failing.swap(saved.is_err(), Ordering::Relaxed);
        match &saved {
            Err(error) if !was_failing => error!(
                dir = %self.dir.display(), %error,
                "the agent's data directory cannot be written: tasks that run go on, new ones are \
                 refused until it can"
            ),
            Ok(()) if was_failing => {
                info!(dir = %self.dir.display(), "the agent's data directory can be written again");
            }
            _ => {}
        }
        saved
    }

    /// Makes what was last saved of a task outlive a power cut.
    pub(crate) async fn sync_task(&self, arn: &str) {
        let (path, dir) = (self.task_path(arn), self.dir.join("tasks"));
        let sync = move || {
            fs::File::open(path)?.sync_all()?;
            fs::File::open(dir)?.sync_all()
        };
        let synced = tokio::task::spawn_blocking(sync).await.map_err(io::Error::other).flatten();
        // Where it could not even be written, that was said.
        if let Err(error) = synced
            && !self.is_failing.load(Ordering::Relaxed)
        {
            warn!(%error, arn, "a task's file cannot be synced to disk");
        }
    }

    pub(crate) fn remove_task(&self, arn: &str) {
        if let Err(error) = fs::remove_file(self.task_path(arn)) {
            warn!(%error, arn, "a task's file cannot be removed");
        }
    }

    fn task_path(&self, arn: &str) -> PathBuf {
        self.dir.join("tasks").join(format!("task-{}.json", file_name(arn)))
    }
}

/// Reads a file of the directory; `None` where it is not there.
///
/// # Errors
/// If it cannot be read, or is damaged.
pub(crate) fn load<T: for<'de> Deserialize<'de>>(dir: &Path, name: &str) -> io::Result<Option<T>> {
    let path = dir.join(name);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let damaged = || io::Error::other(format!("{} is damaged", path.display()));
    read(&text).map(Some).ok_or_else(damaged)
}

/// Replaces a file of the directory, also over a power cut.
pub(crate) fn save(dir: &Path, name: &str, content: &impl Serialize) -> io::Result<()> {
    let path = dir.join(name);
    let new = write_new(&path, &write(content)?)?;
    // Whatever is under the name is whole, whenever the power goes.
    fs::File::open(&new)?.sync_all()?;
    fs::rename(&new, path)?;
    fs::File::open(dir)?.sync_all()
}

/// Removes a file of the directory, if it is there.
pub(crate) fn remove(dir: &Path, name: &str) -> io::Result<()> {
    match fs::remove_file(dir.join(name)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn write(content: &impl Serialize) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(&Versioned { schema: SCHEMA, content })?)
}

fn read<T: for<'de> Deserialize<'de>>(text: &[u8]) -> Option<T> {
    let record: Versioned<T> = serde_json::from_slice(text).ok()?;
    (record.schema == SCHEMA).then_some(record.content)
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    fs::rename(write_new(path, text)?, path)
}

/// Writes the file that is to take this one's place.
fn write_new(path: &Path, text: &[u8]) -> io::Result<PathBuf> {
    let new = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    if let Err(error) = options.open(&new).and_then(|mut it| it.write_all(text)) {
        // On a disk that is full, a part of it would only take more room.
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    Ok(new)
}

#[cfg(test)]
mod tests {
    use longshore_model::{DesiredStatus, Timestamp};

    use super::*;
    use crate::engine::{Effect, Found, Input, Marks, Policy, TaskSpec, step};
    use crate::system::RandomIds;

    fn files() -> (tempfile::TempDir, Files) {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::open(&dir.path().join("agent")).unwrap();
        (dir, files)
    }

    fn task(arn: &str) -> TaskState {
        TaskState::new(TaskSpec::unreadable(arn.to_owned()), DesiredStatus::Running, &RandomIds)
    }

    #[test]
    fn an_identity_is_kept() {
        let (_dir, files) = files();
        assert_eq!(files.identity().unwrap(), None);
        let identity = Identity { container_instance_arn: "arn".into(), cluster: "c".into() };
        files.save_identity(&identity).unwrap();
        assert_eq!(files.identity().unwrap(), Some(identity));
    }

    #[test]
    fn pulled_images_are_kept() {
        let (_dir, files) = files();
        assert_eq!(files.pulled_images().unwrap(), Record::default());
        let images = serde_json::json!({"images": ["busybox:1"], "ours": {"sha256:0": {
            "names": ["busybox:1"], "tags": ["busybox:1"], "pulled_at": 1, "last_used_at": 2}}});
        let images: Record = serde_json::from_value(images).unwrap();
        files.save_pulled_images(&images).unwrap();
        assert_eq!(files.pulled_images().unwrap(), images);
    }

    #[test]
    fn tasks_are_kept_until_they_are_removed() {
        let (_dir, files) = files();
        let task = task("arn:aws:ecs:r:a:task/default/0123");
        files.save_task(&task).unwrap();
        files.save_task(&task).unwrap();
        assert_eq!(files.tasks().unwrap(), std::slice::from_ref(&task));
        files.remove_task(&task.spec.arn);
        assert_eq!(files.tasks().unwrap(), []);
    }

    /// As an agent wrote it that knew of no health checks, dependencies or restarts.
    const OF_AN_OLDER_AGENT: &str = include_str!("../tests/golden/task-before-health-checks.json");

    #[test]
    fn a_task_of_an_older_agent_goes_on() {
        let (dir, files) = files();
        fs::write(dir.path().join("agent/tasks/task-x.json"), OF_AN_OLDER_AGENT).unwrap();
        let mut tasks = files.tasks().unwrap();
        assert_eq!(tasks.len(), 1, "it is read");
        let task = &mut tasks[0];
        let running = |docker_id: &str| Found::Running {
            marks: Marks { docker_name: "n".into(), docker_id: docker_id.repeat(64) },
            network_bindings: Vec::new(),
        };
        let (pull_first, pull_must_succeed) = (true, true);
        let policy = Policy { pull_first, pull_must_succeed, cleanup_wait_secs: 1 };
        let adopted = Input::Adopted(vec![running("e"), running("d")]);
        let effects = step(task, adopted, &policy, Timestamp::from_millis(1_795_455_829_000));
        let [Effect::Watch(0), Effect::Watch(1), Effect::Submit(report)] = &effects[..] else {
            panic!("{effects:?}");
        };
        assert_eq!(report.containers[0].name, "db");
        assert_eq!(report.containers[0].health, None);
    }

    #[test]
    fn an_arn_never_leads_out_of_the_directory() {
        let (dir, files) = files();
        files.save_task(&task("task/..")).unwrap();
        files.save_task(&task("task/../../../x\0y")).unwrap();
        let mut outside = fs::read_dir(dir.path()).unwrap();
        assert_eq!(outside.next().unwrap().unwrap().file_name(), "agent");
        assert!(outside.next().is_none());
        assert_eq!(files.tasks().unwrap().len(), 1 + 1);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_skipped() {
        let (dir, files) = files();
        fs::write(dir.path().join("agent/tasks/x.json"), "{").unwrap();
        fs::write(dir.path().join("agent/tasks/y.json"), r#"{"schema":99}"#).unwrap();
        assert_eq!(files.tasks().unwrap(), []);
    }
}
