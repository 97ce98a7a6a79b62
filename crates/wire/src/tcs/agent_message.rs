//! What the agent says.

use super::health::PublishHealthRequest;
use super::instance_status::PublishInstanceStatusRequest;
use super::metrics::PublishMetricsRequest;
use crate::envelope::messages;

messages! {
    /// A message from the agent, without the headers before it.
    pub enum AgentMessage {
        /// What containers have used.
        Metrics(PublishMetricsRequest),
        /// What containers' health checks say.
        Health(PublishHealthRequest),
        /// How the container instance itself fares.
        InstanceStatus(PublishInstanceStatusRequest),
    }
}
