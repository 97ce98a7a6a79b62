//! `longshore agent join`: this machine becomes a container instance, for good.

use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use longshore_agent::Membership;
use longshore_wire::join_token::JoinToken;

use crate::agent::{self, Run};
use crate::{data_dir, unit};

/// Joins, and runs the agent. What the machine needs to come back is kept in the data directory:
/// `longshore agent` with the same one needs no token.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// What `longshore token create` printed on the control plane's machine.
    #[arg(env = "LONGSHORE_JOIN_TOKEN", hide_env_values = true)]
    token: JoinToken,

    /// Have systemd run the agent, now and whenever this machine starts, with the options given
    /// here, instead of running it in this process.
    #[arg(long, env = "LONGSHORE_SYSTEMD")]
    systemd: bool,

    #[command(flatten)]
    run: Run,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let again = if options.systemd { Some(Again::of_this_process(&options)?) } else { None };
    let joined = join(&options).await?;
    println!("joined cluster {} with key {}", joined.cluster, joined.access_key_id);
    let Some(again) = again else { return agent::run_there(options.run).await };
    options.run.check(&joined)?;
    unit::install(&unit::text(&again))
}

async fn join(options: &Options) -> anyhow::Result<Membership> {
    let dir = options.run.data_dir.path().join("agent");
    data_dir::create(&dir)?;
    let _lock = data_dir::lock_agent(&dir)?;
    Ok(longshore_agent::join(&options.token, &options.run.said(), &dir).await?)
}

/// How the agent is started again.
pub(crate) struct Again {
    /// The program, by its whole path, and its arguments.
    pub(crate) command: Vec<String>,
    /// Variables for it.
    pub(crate) environment: Vec<(String, String)>,
    /// From where paths in both are meant.
    pub(crate) directory: String,
}

impl Again {
    /// As this process was started, without the token. Asked for before joining, so that nothing
    /// that cannot be said again is found out after.
    fn of_this_process(options: &Options) -> anyhow::Result<Self> {
        unit::check_systemd()?;
        let program = env::current_exe().context("the path of this program is not known")?;
        let given: Result<Vec<String>, _> =
            env::args_os().skip(1).map(OsString::into_string).collect();
        let given = given.map_err(|it| anyhow!("the argument {it:?} is not text (UTF-8)"))?;
        let dir = std::path::absolute(options.run.data_dir.path())?;
        let directory = env::current_dir().context("the working directory is not known")?;
        let mut command = vec![text(program)?];
        command.extend(lasting(&given));
        command.extend(["--data-dir".to_owned(), text(dir)?]);
        let environment = environment(env::vars_os())?;
        Ok(Self { command, environment, directory: text(directory)? })
    }
}

fn text(path: PathBuf) -> anyhow::Result<String> {
    path.into_os_string().into_string().map_err(|it| anyhow!("the path {it:?} is not text (UTF-8)"))
}

/// The arguments by which the agent is started again: all but those of joining, and the data
/// directory, which is added by its whole path.
fn lasting(arguments: &[String]) -> Vec<String> {
    let mut kept = vec!["agent".to_owned()];
    let mut arguments = arguments.iter().skip_while(|it| *it != "join").skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--data-dir" => drop(arguments.next()),
            "--systemd" | "--" => {}
            it if it.starts_with("--data-dir=") || it.parse::<JoinToken>().is_ok() => {}
            it => kept.push(it.to_owned()),
        }
    }
    kept
}

/// The variables that the agent is to find again: those of its options, of its log and of Docker.
/// Others may be secrets, and the unit is not the place for them.
fn environment(
    all: impl Iterator<Item = (OsString, OsString)>,
) -> anyhow::Result<Vec<(String, String)>> {
    let command = Run::augment_args(clap::Command::new("agent"));
    let of_options: BTreeSet<_> = command.get_arguments().filter_map(clap::Arg::get_env).collect();
    let is_kept = |name: &OsStr| {
        name == "DOCKER_HOST"
            || name == "LONGSHORE_LOG"
            || of_options.contains(name) && name != "LONGSHORE_DATA_DIR"
    };
    let mut kept = Vec::new();
    for (name, value) in all.filter(|(name, _)| is_kept(name)) {
        let (name, value) = match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => (name, value),
            (Ok(it), Err(_)) => bail!("the value of {it} is not text (UTF-8)"),
            (Err(_), _) => continue,
        };
        kept.push((name, value));
    }
    kept.sort();
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_is_started_again_with_its_options_and_without_the_token() {
        // Also a token with a member that is not known here, which is not the text that is made of it.
        // {"x":1,"e":["https://a:1"],"i":"LSJT1","s":"secret"}
        let token = "lsj1_eyJ4IjoxLCJlIjpbImh0dHBzOi8vYToxIl0sImkiOiJMU0pUMSIsInMiOiJzZWNyZXQifQ";
        let given = format!(
            "agent join {token} --systemd --reserved-memory 64 --data-dir x \
             --instance-attributes stack=prod --data-dir=y"
        );
        let given: Vec<String> = given.split_whitespace().map(Into::into).collect();
        let lasting = lasting(&given).join(" ");
        assert_eq!(lasting, "agent --reserved-memory 64 --instance-attributes stack=prod");
    }

    #[test]
    fn variables_of_the_agent_are_kept_and_no_others() {
        let all = [
            ("PATH", "/bin"),
            ("LONGSHORE_LOG", "debug"),
            ("LONGSHORE_JOIN_TOKEN", "lsj1_abc"),
            ("DOCKER_HOST", "unix:///d"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("LONGSHORE_ROOT_SECRET_ACCESS_KEY", "x"),
            ("LONGSHORE_DATA_DIR", "/d"),
            ("LONGSHORE_RESERVED_MEMORY", "64"),
        ];
        let kept = environment(all.into_iter().map(|(name, value)| (name.into(), value.into())));
        let kept = kept.unwrap();
        let names: Vec<_> = kept.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["DOCKER_HOST", "LONGSHORE_LOG", "LONGSHORE_RESERVED_MEMORY"]);
    }
}
