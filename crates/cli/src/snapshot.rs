//! `longshore snapshot`: what placement looks at, in a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use longshore_model::InstanceStatus;
use longshore_store::snapshot::Snapshot;
use longshore_wire::Timestamp;
use serde_json::json;

use crate::call;
use crate::options::Connection;
use crate::output::{counted, instant, say};

/// What is said after the options.
const AFTER: &str = "\
The file has the clusters, container instances, live tasks and ACTIVE task definitions of one moment,
so that `longshore explain --snapshot` can be asked later and elsewhere. Only its owner may read it,
since task definitions and overrides hold the values of environment variables.";

/// `longshore snapshot`
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct Options {
    /// The file, which is replaced when it is there.
    #[arg(env = "LONGSHORE_SNAPSHOT_FILE")]
    file: PathBuf,

    /// Only this cluster, by name or ARN. [default: all clusters]
    #[arg(long, env = "LONGSHORE_CLUSTER")]
    cluster: Option<String>,

    #[command(flatten)]
    connection: Connection,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let path = &options.file;
    let request = match &options.cluster {
        Some(cluster) => json!({"cluster": cluster}),
        None => json!({}),
    };
    let part = part_of(path);
    let saved = save(&options.connection, &request, &part).await;
    let outcome = saved.and_then(|()| {
        let snapshot = read(&part)?;
        fs::rename(&part, path).with_context(|| format!("{} cannot be made", path.display()))?;
        say(&summary(&snapshot, path))
    });
    if outcome.is_err() {
        // What is there of it is of no use; it may not be there.
        let _ = fs::remove_file(&part);
    }
    outcome.map(|()| ExitCode::SUCCESS)
}

/// Reads a snapshot from a file.
pub(crate) fn read(path: &Path) -> anyhow::Result<Snapshot> {
    let file = File::open(path).with_context(|| format!("the snapshot {}", path.display()))?;
    let snapshot = longshore_store::snapshot::read(BufReader::new(file));
    snapshot.with_context(|| format!("the snapshot {}", path.display()))
}

/// Beside the file, so that it can take its place at once.
fn part_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}

async fn save(
    connection: &Connection,
    request: &serde_json::Value,
    path: &Path,
) -> anyhow::Result<()> {
    let client = call::client(connection)?;
    let named = || format!("{} cannot be written", path.display());
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut output = BufWriter::new(file.with_context(named)?);
    let mut written: io::Result<()> = Ok(());
    let take = |piece: &[u8]| {
        written = output.write_all(piece);
        written.is_ok()
    };
    let called = client.download("snapshot", request, take).await;
    written.with_context(named)?;
    called.map_err(|it| call::in_words(it, &client))?;
    output.into_inner()?.sync_all().with_context(named)
}

fn summary(snapshot: &Snapshot, path: &Path) -> String {
    let (header, state) = (&snapshot.header, &snapshot.state);
    let count = |it: usize, one, more| counted(i64::try_from(it).unwrap_or(i64::MAX), one, more);
    let registered = |it: &&_| {
        let it: &longshore_model::ContainerInstance = it;
        it.status != InstanceStatus::Inactive
    };
    let instances = state.all_instances().map(|it| &**it).filter(registered).count();
    format!(
        "{} holds {}, {}, {} and {}, as of {}.\n",
        path.display(),
        count(state.clusters().count(), "cluster", "clusters"),
        count(instances, "container instance", "container instances"),
        count(state.all_tasks().count(), "live task", "live tasks"),
        count(state.definitions().count(), "task definition", "task definitions"),
        instant(Timestamp::from_millis(header.taken_at.millis())),
    )
}
