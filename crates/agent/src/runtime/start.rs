//! Starting a container, once, and the ports that it got.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{ContainerInspectResponse, PortBinding};
use longshore_model::NetworkBinding;
use longshore_model::container_definition::Protocol;
use tokio::time::timeout;

use super::daemon::{Answer, Daemon, answer};
use super::exit::{Standing, standing};
use crate::engine::{Failure, StartOutcome};

const TIME_LIMIT: Duration = Duration::from_secs(3 * 60);

impl Daemon {
    /// Starts the container. Its ports are asked for only if it `offers_ports`: that spares most
    /// containers a round trip.
    pub(crate) async fn start(&self, docker_id: &str, offers_ports: bool) -> StartOutcome {
        match timeout(TIME_LIMIT, self.start_once(docker_id, offers_ports)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                // It counts as stopped from now on, so it must not come up later.
                let (daemon, docker_id) = (self.clone(), docker_id.to_owned());
                tokio::spawn(async move { daemon.stop(&docker_id, Duration::ZERO).await });
                let text = "Could not transition to started; timed out after waiting 3m0s";
                StartOutcome::Failed(Failure::DockerTimeout.because(text))
            }
        }
    }

    async fn start_once(&self, docker_id: &str, offers_ports: bool) -> StartOutcome {
        let failed =
            |text: String| StartOutcome::Failed(Failure::CannotStartContainer.because(text));
        loop {
            match answer(self.docker.start_container(docker_id, None).await) {
                Answer::Done(()) => break,
                Answer::Refused(refusal) if refusal.status == 304 => break,
                Answer::Refused(refusal) => return failed(refusal.text),
                Answer::Away => {}
            }
            match self.inspect(docker_id).await.map(|it| it.as_ref().map(standing)) {
                Ok(Some(Standing::Created)) => {}
                Ok(Some(Standing::Running | Standing::Exited(_))) => break,
                Ok(None) => return failed("the container is gone".to_owned()),
                Err(refusal) => return failed(refusal.text),
            }
        }
        let network_bindings = match offers_ports {
            true => self.network_bindings(docker_id).await,
            false => Vec::new(),
        };
        StartOutcome::Started { network_bindings }
    }

    /// A container that has already ended, or is gone, has none.
    async fn network_bindings(&self, docker_id: &str) -> Vec<NetworkBinding> {
        match self.inspect(docker_id).await {
            Ok(Some(container)) => bindings_of(&container),
            Ok(None) | Err(_) => Vec::new(),
        }
    }
}

/// The ports of the host that lead to the container, in the order of the container's ports.
/// Those of IPv6 are left out: they may differ, and clients expect one for each mapping.
pub(super) fn bindings_of(container: &ContainerInspectResponse) -> Vec<NetworkBinding> {
    let ports = container.network_settings.as_ref().and_then(|it| it.ports.as_ref());
    ports.map(read_bindings).unwrap_or_default()
}

fn read_bindings(ports: &HashMap<String, Option<Vec<PortBinding>>>) -> Vec<NetworkBinding> {
    let mut bindings: Vec<NetworkBinding> = ports
        .iter()
        .filter_map(|(key, hosts)| Some((parse_port(key)?, hosts.as_ref()?)))
        .flat_map(|(port, hosts)| hosts.iter().filter_map(move |host| read_binding(port, host)))
        .collect();
    bindings.sort_by_key(|it| (it.container_port, it.protocol, it.host_port));
    bindings
}

fn parse_port(key: &str) -> Option<(u16, Protocol)> {
    let (port, protocol) = key.split_once('/')?;
    Some((port.parse().ok()?, Protocol::parse(protocol)?))
}

fn read_binding(
    (container_port, protocol): (u16, Protocol),
    host: &PortBinding,
) -> Option<NetworkBinding> {
    let bind_ip = match host.host_ip.as_deref() {
        None | Some("") => "0.0.0.0",
        Some(ip) if ip.contains(':') => return None,
        Some(ip) => ip,
    };
    let host_port = host.host_port.as_deref()?.parse().ok()?;
    Some(NetworkBinding { bind_ip: bind_ip.into(), container_port, host_port, protocol })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ports: &str, expect: &[(&str, u16, u16, Protocol)]) {
        let bindings = read_bindings(&serde_json::from_str(ports).unwrap());
        let seen: Vec<_> = bindings
            .iter()
            .map(|it| (&*it.bind_ip, it.container_port, it.host_port, it.protocol))
            .collect();
        assert_eq!(seen, expect);
    }

    #[test]
    fn a_port_bound_twice_is_shown_for_ipv4_only() {
        check(
            r#"{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"32768"},
                          {"HostIp":"::","HostPort":"32769"}],
                "53/udp":[{"HostIp":"","HostPort":"5353"}]}"#,
            &[("0.0.0.0", 53, 5353, Protocol::Udp), ("0.0.0.0", 80, 32768, Protocol::Tcp)],
        );
    }

    #[test]
    fn a_port_that_is_only_exposed_is_not_shown() {
        check(r#"{"80/tcp":null,"81/tcp":[],"82/sctp":[{"HostPort":"1"}]}"#, &[]);
    }
}
