//! Every life cycle of the control plane and its order.

use serde::{Deserialize, Serialize};

macro_rules! status {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// Every status, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As ECS spells it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The status that ECS spells so.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.as_str() == text)
            }
        }
    };
}

status! {
    /// Where a task or a container has got to. Later ones are greater, and a known status never
    /// becomes a smaller one.
    LastStatus {
        /// Placed; not everything runs yet.
        Pending = "PENDING",
        /// Running on its instance.
        Running = "RUNNING",
        /// Ended for good.
        Stopped = "STOPPED",
    }
}
status! {
    /// Where a task should get to. `STOPPED` never becomes `RUNNING` again.
    DesiredStatus {
        /// The task should run.
        Running = "RUNNING",
        /// The task should end, or has.
        Stopped = "STOPPED",
    }
}
status! {
    /// The life of a container instance.
    InstanceStatus {
        /// Takes tasks.
        Active = "ACTIVE",
        /// Takes no new tasks.
        Draining = "DRAINING",
        /// Deregistered, for good.
        Inactive = "INACTIVE",
    }
}
status! {
    /// The life of a cluster.
    ClusterStatus {
        /// In use.
        Active = "ACTIVE",
        /// Deleted, and remembered for a while.
        Inactive = "INACTIVE",
    }
}
status! {
    /// The life of a task definition.
    DefinitionStatus {
        /// New tasks may use it.
        Active = "ACTIVE",
        /// Deregistered.
        Inactive = "INACTIVE",
        /// Deleted, and there only for the tasks that were made from it.
        DeleteInProgress = "DELETE_IN_PROGRESS",
    }
}
