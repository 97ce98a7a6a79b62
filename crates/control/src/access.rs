//! Who may do what. The root key may do everything; an instance's key, what an agent does for its
//! own instance; a join token, to join.

use std::fmt;

use longshore_model::{ClusterName, InstanceId, InstanceKey, InstanceKeyId, JoinTokenId, TaskId};
use longshore_store::State;

/// Whose signature a call bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The root access key's.
    Root,
    /// That of an agent which has joined.
    Instance(InstanceKeyId),
    /// That of a machine which wants to join.
    JoinToken(JoinTokenId),
}

/// What somebody wants to do, as far as it matters who may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// To join a cluster.
    Join,
    /// To register into this cluster, as the instance that one was before or as a new one.
    Register(ClusterName, Option<InstanceId>),
    /// To ask where agents connect.
    Discover,
    /// To act as these instances, or on them in a way that is their agents' too.
    Instances(Vec<InstanceId>),
    /// To report this task, or to read its tags.
    Task(TaskId),
    /// To report what is no task of this control plane; nothing comes of that.
    Nothing,
    /// Whatever else there is.
    Other,
}

/// What a caller may not do, and what it may.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessDenied {
    /// An agent's key, on something that is not its own instance's.
    #[error(
        "{key} is the key of {owner} and good for what an agent does for its own instance: to \
         register and deregister it, to connect, to report its tasks, to drain it, to read its \
         tags. This is something else."
    )]
    Instance {
        /// Which key.
        key: InstanceKeyId,
        /// Whose.
        owner: Owner,
    },
    /// A join token, for anything but joining.
    #[error(
        "{0} is a join token, and good for joining a cluster alone: longshore agent join TOKEN"
    )]
    JoinToken(JoinTokenId),
    /// An agent that has joined, or the root key, wants to join.
    #[error("Only a join token can join: longshore token create")]
    NoJoinToken,
    /// The key is gone since the call was let in.
    #[error("The access key {0} is not known any more.")]
    Gone(InstanceKeyId),
}

/// Whose a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Of an agent that has not registered yet.
    Nobody(ClusterName),
    /// Of the agent of this container instance.
    Instance(ClusterName, InstanceId),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody(cluster) => {
                write!(f, "a machine that may register a container instance in cluster {cluster}")
            }
            Self::Instance(cluster, id) => {
                write!(f, "the agent of container instance {id} in cluster {cluster}")
            }
        }
    }
}

/// Whether a caller may do this, in this state. A key that was revoked may nothing.
pub fn may(caller: Caller, deed: &Deed, state: &State) -> Result<(), AccessDenied> {
    match (caller, deed) {
        (Caller::JoinToken(_), Deed::Join) => Ok(()),
        (Caller::JoinToken(id), _) => Err(AccessDenied::JoinToken(id)),
        (_, Deed::Join) => Err(AccessDenied::NoJoinToken),
        (Caller::Root, _) => Ok(()),
        (Caller::Instance(id), deed) => {
            let key = state.instance_key(id).filter(|it| it.revoked_at.is_none());
            let key = key.ok_or(AccessDenied::Gone(id))?;
            if is_agents_own(key, deed, state) { Ok(()) } else { Err(denied(key)) }
        }
    }
}

/// Whether it is what an agent does for its own instance.
fn is_agents_own(key: &InstanceKey, deed: &Deed, state: &State) -> bool {
    match deed {
        // Without naming an instance, a key that has one means that one: the answer to its first
        // registration was lost.
        Deed::Register(cluster, named) => {
            *cluster == key.cluster && (named.is_none() || *named == key.instance)
        }
        Deed::Discover | Deed::Nothing => true,
        Deed::Instances(named) => named.iter().all(|it| Some(*it) == key.instance),
        // A report on a task that is forgotten is acknowledged like any other, or it would come
        // again for ever.
        Deed::Task(task) => {
            let task = state.task(*task);
            task.is_none_or(|it| Some(it.container_instance) == key.instance)
        }
        Deed::Join | Deed::Other => false,
    }
}

fn denied(key: &InstanceKey) -> AccessDenied {
    let cluster = key.cluster.clone();
    let owner = match key.instance {
        Some(instance) => Owner::Instance(cluster, instance),
        None => Owner::Nobody(cluster),
    };
    AccessDenied::Instance { key: key.id, owner }
}

#[cfg(test)]
mod tests;
