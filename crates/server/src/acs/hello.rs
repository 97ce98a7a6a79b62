//! A handshake: who the agent says it is, and whether it may be that.

use std::fmt;
use std::net::SocketAddr;

use axum::body::Body;
use http::{Response, StatusCode};
use longshore_control::access::{self, AccessDenied, Caller, Deed};
use longshore_control::{Control, reference};
use longshore_model::container_instance::VersionInfo;
use longshore_model::{ClusterName, InstanceId, InstanceStatus, Owner};
use longshore_store::State;
use longshore_wire::acs::Refusal;
use longshore_wire::percent;
use uuid::Uuid;

use super::contest::Run;

/// Who an agent says it is when it opens its socket.
#[derive(Clone, Debug)]
pub(crate) struct Hello {
    pub(crate) cluster: ClusterName,
    pub(crate) instance: InstanceId,
    pub(crate) versions: VersionInfo,
    pub(crate) who: Who,
}

/// Which of possibly several agents of one identity it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Who {
    /// Only Longshore's agent says this.
    pub(crate) run: Option<Run>,
    /// Where it connects from, if that is known.
    pub(crate) peer: Option<SocketAddr>,
}

/// What a socket's handshake calls the cluster and the container instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    pub(crate) cluster: &'static str,
    pub(crate) instance: &'static str,
}

/// As ACS's handshake calls them.
pub(crate) const NAMES: Names = Names { cluster: "clusterArn", instance: "containerInstanceArn" };

impl Hello {
    /// Reads the query of a handshake, or says why it cannot be understood.
    pub(crate) fn read(query: &str, names: Names, owner: &Owner) -> Result<Self, Refusal> {
        let value = |wanted: &str| {
            query
                .split('&')
                .filter_map(|it| it.split_once('='))
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| String::from_utf8_lossy(&percent::decoded(value)).into_owned())
        };
        let cluster = reference::cluster(value(names.cluster).as_deref(), owner)
            .map_err(|error| refusal("InvalidClusterException", error.to_string()))?;
        let arn = value(names.instance).unwrap_or_default();
        let instance = reference::container_instance(&arn, &cluster, owner)
            .map_err(|error| refusal("InvalidInstanceException", error.to_string()))?;
        let versions = VersionInfo {
            agent_version: value("agentVersion"),
            agent_hash: value("agentHash"),
            docker_version: value("dockerVersion"),
        };
        let run = value("agentRun").and_then(|it| Uuid::parse_str(&it).ok());
        let who = Who { run: run.map(|it| Run(it.as_u128())), peer: None };
        Ok(Self { cluster, instance, versions, who })
    }

    /// The same, from there.
    pub(crate) fn from(mut self, peer: SocketAddr) -> Self {
        self.who.peer = Some(peer);
        self
    }

    /// Whether the instance is there to be connected, or why it is not. For those who may know.
    pub(crate) fn check(&self, state: &State) -> Result<(), Refusal> {
        let known = state.instance(self.instance).filter(|it| it.cluster == self.cluster);
        match known.map(|it| it.status) {
            Some(InstanceStatus::Active | InstanceStatus::Draining) => Ok(()),
            Some(InstanceStatus::Inactive) => Err(refusal(
                "InactiveInstanceException",
                "The container instance was deregistered.".into(),
            )),
            None => Err(refusal(
                "InvalidInstanceException",
                "The container instance is not registered in this cluster.".into(),
            )),
        }
    }
}

impl fmt::Display for Who {
    /// Where it is.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.peer {
            Some(peer) => write!(out, "{peer}"),
            None => out.write_str("an unknown address"),
        }
    }
}

fn refusal(exception: &str, message: String) -> Refusal {
    Refusal { exception: exception.into(), message }
}

/// Whether this caller may be that instance's agent, now.
pub(crate) fn may_connect(
    caller: Caller,
    hello: &Hello,
    control: &Control,
) -> Result<(), AccessDenied> {
    access::may(caller, &Deed::Instances(vec![hello.instance]), &control.view())
}

/// The answer to a handshake that is refused.
pub(crate) fn refuse(refusal: &Refusal) -> Response<Body> {
    let mut response = Response::new(Body::from(refusal.encode()));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
