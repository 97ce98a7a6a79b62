//! The limit of open files: each agent has a socket.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Beside sockets: connections of reports, standard streams, what the runtime needs.
const SPARE: u64 = 512;

/// Raises the soft limit as far as the hard one lets it.
///
/// # Errors
/// Where so many sockets do not fit, with what to do.
pub fn raise_open_files(sockets: u64) -> anyhow::Result<()> {
    let needed = sockets + SPARE;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|it| it >= needed) {
        return Ok(());
    }
    if maximum.is_some_and(|it| it < needed) {
        anyhow::bail!(
            "{sockets} agents need {needed} open files, and this process may have {} \
             (raise the hard limit: `ulimit -Hn`, LimitNOFILE of systemd, --ulimit of Docker)",
            maximum.unwrap_or_default()
        );
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum })?;
    Ok(())
}
