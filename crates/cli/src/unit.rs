//! A systemd unit for the agent of this machine, so that it comes back with the machine.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use crate::join::Again;

const NAME: &str = "longshore-agent.service";
const UNITS: &str = "/etc/systemd/system";

/// How an agent exits that the control plane has dismissed: to start it again would only ask again.
/// The official agent's code for what is final.
pub(crate) const DISMISSED: u8 = 5;

/// There where systemd runs as the first process. Source: sd_booted(3).
const SYSTEMD_RUNS: &str = "/run/systemd/system";

/// Refuses where no unit could be started.
pub(crate) fn check_systemd() -> anyhow::Result<()> {
    if Path::new(SYSTEMD_RUNS).is_dir() {
        return Ok(());
    }
    bail!(
        "systemd does not run here (there is no {SYSTEMD_RUNS}): leave --systemd out, and have \
         `longshore agent --data-dir DIR` started by whatever starts services on this machine. It \
         needs no token once it has joined"
    )
}

/// Writes the unit, and has systemd run it now and whenever the machine starts.
pub(crate) fn install(unit: &str) -> anyhow::Result<()> {
    let path = Path::new(UNITS).join(NAME);
    write(&path, unit).with_context(|| format!("{} cannot be written", path.display()))?;
    systemctl(&["daemon-reload"])?;
    systemctl(&["enable", NAME])?;
    systemctl(&["restart", NAME])?;
    println!("{} is written and runs: systemctl status {NAME}", path.display());
    Ok(())
}

/// For root alone: variables and arguments are nobody else's business.
fn write(path: &Path, unit: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(unit.as_bytes())
}

fn systemctl(arguments: &[&str]) -> anyhow::Result<()> {
    let shown = arguments.join(" ");
    let ended = Command::new("systemctl").args(arguments).status();
    let ended = ended.with_context(|| format!("systemctl {shown} cannot be run"))?;
    if ended.success() {
        return Ok(());
    }
    bail!("systemctl {shown} failed ({ended})")
}

/// The unit's text.
pub(crate) fn text(again: &Again) -> String {
    let Again { command, environment, directory } = again;
    let directory = directory.replace('%', "%%");
    let mut variables = String::new();
    for (name, value) in environment {
        let _ = writeln!(variables, "Environment={}", quoted(&format!("{name}={value}"), ""));
    }
    let command: Vec<_> = command.iter().map(|it| quoted(it, "$")).collect();
    let command = command.join(" ");
    format!(
        "\
# Written by `longshore agent join --systemd`, which replaces it when it is run again.
[Unit]
Description=Longshore agent: this machine is a container instance
Wants=network-online.target
After=network-online.target docker.service
StartLimitIntervalSec=0

[Service]
WorkingDirectory=-{directory}
{variables}ExecStart={command}
Restart=always
RestartSec=5s
# The instance was deregistered or its key revoked: starting again would only ask again.
RestartPreventExitStatus={DISMISSED}
# Containers are the Docker Engine's: they go on while the agent is away.
KillMode=process

[Install]
WantedBy=multi-user.target
"
    )
}

/// A word that systemd reads back as it is: one that could be anything else is put in quotes, and
/// what stands for something (`%`, and of `special` what the line knows) is doubled.
/// Source: systemd.service(5), "Command lines"; systemd.unit(5), "Specifiers".
fn quoted(text: &str, special: &str) -> String {
    let mut word = String::new();
    for letter in text.chars() {
        match letter {
            '"' | '\\' => word.extend(['\\', letter]),
            '\n' => word.push_str("\\n"),
            '\t' => word.push_str("\\t"),
            _ if letter == '%' || special.contains(letter) => word.extend([letter, letter]),
            _ => word.push(letter),
        }
    }
    let plain = |it: char| it.is_ascii_alphanumeric() || "_-./:+=@,%".contains(it);
    if !word.is_empty() && word.chars().all(plain) { word } else { format!("\"{word}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: &str = include_str!("../tests/golden/longshore-agent.service");

    fn again(command: &[&str], environment: &[(&str, &str)]) -> Again {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Again {
            command: command.iter().map(|it| (*it).to_owned()).collect(),
            environment: environment.iter().map(owned).collect(),
            directory: "/root".into(),
        }
    }

    #[test]
    fn the_unit_starts_the_agent_with_its_options() {
        let command = [
            "/usr/local/bin/longshore",
            "agent",
            "--data-dir",
            "/var/lib/long shore",
            "--instance-attributes",
            r#"stack=prod,note=50% "off" $HOME"#,
        ];
        let environment =
            [("DOCKER_HOST", "unix:///run/docker.sock"), ("LONGSHORE_LOG", "debug,hyper=off $x")];
        let unit = text(&again(&command, &environment));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/longshore-agent.service");
            fs::write(path, &unit).unwrap();
        }
        assert_eq!(unit, UNIT);
    }

    /// By systemd's own reader, which needs no systemd that runs.
    #[test]
    fn systemd_reads_the_unit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(NAME);
        let command = ["/bin/true", "agent", "--note", r#"50% "off" $HOME \ and more"#];
        let again = again(&command, &[("LONGSHORE_LOG", "debug,hyper=off 100%")]);
        fs::write(&path, text(&again)).unwrap();
        let read = Command::new("systemd-analyze").arg("verify").arg(&path).output();
        let read = read.expect("systemd-analyze runs (it is in Debian's package systemd)");
        let said = String::from_utf8_lossy(&read.stderr);
        // It reads what this one names too, of which it may say something.
        assert!(!said.lines().any(|it| it.contains(NAME)), "{said}");
    }

    #[test]
    fn without_systemd_it_is_said_what_to_do_instead() {
        if Path::new(SYSTEMD_RUNS).is_dir() {
            check_systemd().unwrap();
            return;
        }
        let error = check_systemd().unwrap_err().to_string();
        assert!(error.contains("systemd does not run here"), "{error}");
        assert!(error.contains("longshore agent --data-dir DIR"), "{error}");
    }
}
