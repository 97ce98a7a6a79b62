//! `longshore agent join`: this machine becomes a container instance, for good.

use std::env;
use std::path::Path;

use anyhow::Context;
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
    if options.systemd {
        unit::check_systemd()?;
    }
    let dir = options.run.data_dir.path();
    let joined = join(&options.token, &dir).await?;
    println!("joined cluster {} with key {}", joined.cluster, joined.access_key_id);
    if !options.systemd {
        return agent::run_there(options.run).await;
    }
    let program = env::current_exe().context("the path of this program is not known")?;
    let dir = std::path::absolute(&dir)?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments = lasting(&arguments, &options.token.to_string());
    let command = [program.display().to_string()]
        .into_iter()
        .chain(arguments)
        .chain(["--data-dir".to_owned(), dir.display().to_string()]);
    unit::install(&unit::text(&command.collect::<Vec<_>>(), &environment(env::vars())))
}

async fn join(token: &JoinToken, dir: &Path) -> anyhow::Result<Membership> {
    let dir = dir.join("agent");
    data_dir::create(&dir)?;
    let _lock = data_dir::lock_agent(&dir)?;
    Ok(longshore_agent::join(token, &dir).await?)
}

/// The arguments by which the agent is started again: all but those of joining, and the data
/// directory, which is added by its whole path.
fn lasting(arguments: &[String], token: &str) -> Vec<String> {
    let mut kept = vec!["agent".to_owned()];
    let mut arguments = arguments.iter().skip_while(|it| *it != "join").skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--data-dir" => drop(arguments.next()),
            "--systemd" | "--" => {}
            it if it.starts_with("--data-dir=") || it.trim() == token => {}
            it => kept.push(it.to_owned()),
        }
    }
    kept
}

/// The variables that the agent is to find again.
fn environment(all: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    const JOINING: [&str; 3] = ["LONGSHORE_JOIN_TOKEN", "LONGSHORE_SYSTEMD", "LONGSHORE_DATA_DIR"];
    let is_kept = |name: &str| {
        name == "DOCKER_HOST" || name.starts_with("LONGSHORE_") && !JOINING.contains(&name)
    };
    let mut kept: Vec<_> = all.filter(|(name, _)| is_kept(name)).collect();
    kept.sort();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_is_started_again_with_its_options_and_without_the_token() {
        let given = "agent join lsj1_abc --systemd --reserved-memory 64 --data-dir x \
                     --instance-attributes stack=prod --data-dir=y";
        let given: Vec<String> = given.split_whitespace().map(Into::into).collect();
        let lasting = lasting(&given, "lsj1_abc").join(" ");
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
        ];
        let kept = environment(all.into_iter().map(|(name, value)| (name.into(), value.into())));
        let names: Vec<_> = kept.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["DOCKER_HOST", "LONGSHORE_LOG"]);
    }
}
