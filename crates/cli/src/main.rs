//! The binary: reads configuration, chooses journal and clock, builds, runs, shuts down.

mod agent;
mod api;
mod bench;
mod ca;
mod call;
mod data_dir;
mod env;
mod explain;
mod failures;
mod join;
mod key;
mod options;
mod output;
mod server;
mod snapshot;
mod system;
mod table;
mod token;
mod unit;
mod up;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use longshore_agent::AgentError;
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Amazon ECS on your own machines: the control plane, and the agent that runs real containers.
///
/// Every option can be given as an environment variable. Logs go to standard error; LONGSHORE_LOG
/// chooses what is logged, such as `debug` or `longshore_agent=debug`.
#[derive(Parser)]
#[command(name = "longshore", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Control plane and agent in one process: a whole ECS on this machine.
    Up(up::Options),
    /// The control plane alone.
    Server(options::Server),
    /// The agent alone: makes this machine a container instance of a control plane elsewhere.
    Agent(agent::Options),
    /// Tokens by which machines join a cluster.
    #[command(subcommand)]
    Token(token::Command),
    /// Keys of the machines that have joined.
    #[command(subcommand)]
    Key(key::Command),
    /// Prints what to `eval` in a shell to point the AWS CLI and SDKs at a server on this machine.
    Env(env::Options),
    /// Prints the certificate of this machine's server's authority, which clients elsewhere trust.
    Ca(ca::Options),
    /// Loads a running server with a simulated fleet.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Says where RunTask would place tasks, and why nowhere else.
    Explain(explain::Options),
    /// Lists the RunTask calls that could place nothing.
    Failures(failures::Options),
    /// Saves what placement looks at to a file, for `longshore explain --snapshot`.
    Snapshot(snapshot::Options),
    /// Prints what this version has of the ECS API: operations, members, exceptions.
    Api(api::Options),
}

fn main() -> ExitCode {
    let command = Arguments::parse().command;
    let filter =
        EnvFilter::try_from_env("LONGSHORE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let outcome = match command {
        Command::Env(options) => env::print(&options).map(done),
        Command::Ca(options) => ca::print(&options).map(done),
        Command::Api(options) => api::print(&options).map(done),
        Command::Up(options) => run(up::run(options)).map(done),
        Command::Server(options) => run(server::run(options)).map(done),
        Command::Agent(options) => run(agent::run(options)).map(done),
        Command::Token(command) => run(token::run(command)).map(done),
        Command::Key(command) => run(key::run(command)).map(done),
        Command::Bench(bench) => run(bench::run(bench)).map(done),
        Command::Explain(options) => run(explain::run(options)),
        Command::Failures(options) => run(failures::run(options)),
        Command::Snapshot(options) => run(snapshot::run(options)),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("longshore: {error:#}");
            match error.downcast_ref::<AgentError>() {
                Some(AgentError::Dismissed(_)) => ExitCode::from(unit::DISMISSED),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn done((): ()) -> ExitCode {
    ExitCode::SUCCESS
}

fn run<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    outcome
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_option_has_a_variable_and_an_explanation() {
        let all = Arguments::command();
        let nested = all.get_subcommands().flat_map(|it| it.get_subcommands());
        for command in all.get_subcommands().chain(nested) {
            for option in command.get_arguments().filter(|it| it.get_id() != "help") {
                let name = format!("{} --{}", command.get_name(), option.get_id());
                let variable = option.get_env().and_then(|it| it.to_str()).unwrap_or_default();
                assert!(variable.starts_with("LONGSHORE_"), "{name} has no variable");
                assert!(option.get_help().is_some(), "{name} has no explanation");
            }
        }
    }
}
