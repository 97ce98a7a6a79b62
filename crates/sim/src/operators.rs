//! The people who keep the machines: one whose container instance was deregistered is installed
//! anew, and joins as another instance.

use longshore_model::{InstanceId, InstanceStatus};
use longshore_store::State;

use crate::machine::Machine;
use crate::world::World;

impl World {
    /// Installs every machine anew whose container instance is not in use any more.
    pub(crate) fn reinstall_machines(&mut self) {
        let state = self.plane.view();
        for at in 0..self.machines.len() {
            let Some(machine) = self.machines.get_mut(at).filter(|it| is_retired(it, &state))
            else {
                continue;
            };
            self.stage.note(|| format!("machine {at} is installed anew"));
            let link = machine.kill();
            machine.reinstall(self.stage.now_millis);
            self.agent_died(at, link);
        }
    }
}

fn is_retired(machine: &Machine, state: &State) -> bool {
    let Some(arn) = &machine.disk.identity else { return false };
    let id: Option<InstanceId> = arn.rsplit('/').next().and_then(|it| it.parse().ok());
    let instance = id.and_then(|it| state.instance(it));
    instance.is_none_or(|it| it.status == InstanceStatus::Inactive)
}
