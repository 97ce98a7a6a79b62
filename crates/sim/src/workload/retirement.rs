//! What goes out of use: definitions, container instances, clusters.

use longshore_wire::ecs::{
    DeleteClusterRequest, DeleteTaskDefinitionsRequest, DeregisterContainerInstanceRequest,
    DeregisterTaskDefinitionRequest, UpdateContainerInstancesStateRequest,
};

use super::{CLUSTERS, ClientCall, FAMILIES, Workload};
use crate::random::Random;

impl Workload {
    /// Something is to go out of use, or an instance to take tasks again.
    pub(super) fn retire(&self, random: &mut Random) -> ClientCall {
        let (instance, cluster) =
            random.pick(&self.instances.iter().cloned().collect::<Vec<_>>()).unwrap_or_default();
        match random.below(12) {
            0..3 => ClientCall::DeregisterTaskDefinition(DeregisterTaskDefinitionRequest {
                task_definition: Some(self.revision(random)),
            }),
            3..5 => ClientCall::DeleteTaskDefinitions(DeleteTaskDefinitionsRequest {
                task_definitions: Some((0..3).map(|_| self.revision(random)).collect()),
            }),
            5..10 => {
                let status = random.pick(&["DRAINING", "ACTIVE", "ACTIVE"]);
                ClientCall::UpdateContainerInstancesState(UpdateContainerInstancesStateRequest {
                    cluster: Some(cluster),
                    container_instances: Some(vec![instance]),
                    status: status.map(str::to_owned),
                })
            }
            10 => ClientCall::DeregisterContainerInstance(DeregisterContainerInstanceRequest {
                cluster: Some(cluster),
                container_instance: Some(instance),
                force: Some(random.chance(60)),
            }),
            _ => ClientCall::DeleteCluster(DeleteClusterRequest {
                cluster: random.pick(CLUSTERS).map(str::to_owned),
            }),
        }
    }

    /// A revision that may be there.
    fn revision(&self, random: &mut Random) -> String {
        let family = random.pick(FAMILIES).unwrap_or_default();
        let highest = (self.families / FAMILIES.len() + 1) as i64;
        format!("{family}:{}", random.between(1, highest))
    }
}
