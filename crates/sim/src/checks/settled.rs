//! What must hold once nothing goes wrong any more and everybody had time: all agree.

use longshore_agent::engine::ContainerStatus;
use longshore_model::{DesiredStatus, InstanceId, LastStatus, Occupancy, Owner, Task};
use longshore_store::State;

use super::{Violation, hold, id_of};
use crate::docker::Standing;
use crate::machine::Machine;

/// Tasks that are to run do, all others have stopped; control plane, agents and Docker agree.
pub(crate) fn all_agree(
    machines: &[Machine],
    state: &State,
    owner: &Owner,
) -> Result<(), Violation> {
    for machine in machines {
        let id = instance_of(machine)?;
        let instance = state.instance(id).ok_or_else(|| Violation::new("an instance is gone"))?;
        hold(instance.agent_connected, || format!("machine {} is not connected", machine.index))?;
        check_agent(machine, state)?;
        let at_large = state.occupancy(id).at_large.size();
        hold(at_large == 0, || format!("{at_large} lost tasks are never heard of again"))?;
    }
    for task in state.all_tasks().filter(|it| it.last_status != LastStatus::Stopped) {
        check_live(task, machines, state, owner)?;
    }
    Ok(())
}

fn instance_of(machine: &Machine) -> Result<InstanceId, Violation> {
    let arn = machine.disk.identity.as_deref().unwrap_or_default();
    let id = arn.rsplit('/').next().unwrap_or_default();
    id.parse().map_err(|_| Violation::new(format!("machine {} never registered", machine.index)))
}

/// The agent has nothing left to say, and runs nothing on its own account.
fn check_agent(machine: &Machine, state: &State) -> Result<(), Violation> {
    let Some(agent) = &machine.agent else {
        return Err(Violation::new(format!("machine {} has no agent", machine.index)));
    };
    for (arn, worker) in &agent.workers {
        hold(worker.state.outbox.is_empty(), || format!("the agent still has to report {arn}"))?;
        let is_live =
            state.task(id_of(arn)?).is_some_and(|it| it.last_status != LastStatus::Stopped);
        hold(is_live == (worker.state.status() != LastStatus::Stopped), || {
            let says = worker.state.status();
            format!("the agent says {says:?} of {arn}, which is live: {is_live}")
        })?;
    }
    for (name, container) in machine.docker.containers() {
        let runs = container.standing == Standing::Running;
        hold(!runs || agent.workers.contains_key(&container.task), || {
            format!("{name} runs, but the agent does not know {}", container.task)
        })?;
    }
    Ok(())
}

/// A task that has not stopped runs, and is not wanted to stop.
fn check_live(
    task: &Task,
    machines: &[Machine],
    state: &State,
    owner: &Owner,
) -> Result<(), Violation> {
    let arn = task.arn(owner);
    hold(task.desired_status == DesiredStatus::Running, || format!("{arn} should have stopped"))?;
    hold(task.last_status == LastStatus::Running, || format!("{arn} never came to run: {task:?}"))?;
    let machine = machines.iter().find(|it| instance_of(it) == Ok(task.container_instance));
    let worker = machine.and_then(|it| it.agent.as_ref()).and_then(|it| it.workers.get(&arn));
    let Some(worker) = worker else {
        return Err(Violation::new(format!("{arn} runs, but no agent knows it")));
    };
    let definition = state.definition(&task.definition);
    let definition = definition.ok_or_else(|| Violation::new("a definition is gone"))?;
    for (at, container) in task.containers.iter().enumerate() {
        let known = worker.state.containers.get(at).map(|it| it.known);
        let agent_says = match known {
            Some(ContainerStatus::Running) => LastStatus::Running,
            Some(ContainerStatus::Stopped) => LastStatus::Stopped,
            _ => LastStatus::Pending,
        };
        let name = &container.name;
        hold(container.last_status == agent_says, || {
            format!("{arn}: {name} is {:?} here, {agent_says:?} there", container.last_status)
        })?;
        let runs = machine.is_some_and(|it| it.docker.runs(&arn, name.as_str()));
        hold(runs == (agent_says == LastStatus::Running), || {
            format!("{arn}: {name} is {agent_says:?}, and it is {runs} that it runs")
        })?;
        let health = machine.map(|it| it.docker.health(&arn, name.as_str())).unwrap_or_default();
        hold(!runs || container.health.unwrap_or_default() == health, || {
            format!("{arn}: {name} is {:?} here, {health:?} there", container.health)
        })?;
        let is_essential =
            definition.containers.iter().any(|it| it.essential && it.name == container.name);
        hold(runs || !is_essential, || {
            format!("{arn} runs although its essential container {name} does not")
        })?;
    }
    Ok(())
}

/// After every task was stopped nothing is taken any more, and nothing runs.
pub(crate) fn nothing_is_taken(machines: &[Machine], state: &State) -> Result<(), Violation> {
    for task in state.all_tasks() {
        hold(task.last_status == LastStatus::Stopped, || {
            format!("{} does not stop: {task:?}", task.id)
        })?;
    }
    for instance in state.all_instances() {
        let occupancy = state.occupancy(instance.id);
        hold(*occupancy == Occupancy::default(), || {
            format!("instance {} leaks: {occupancy:?}", instance.id)
        })?;
    }
    for machine in machines {
        for (name, container) in machine.docker.containers() {
            hold(container.standing != Standing::Running, || format!("{name} still runs"))?;
        }
    }
    Ok(())
}

/// Hours later nothing of any task is left anywhere. Containers that an agent could never have
/// known of may be.
pub(crate) fn nothing_is_left(
    machines: &[Machine],
    state: &State,
    may_leave_containers: bool,
) -> Result<(), Violation> {
    let left = state.all_tasks().count();
    hold(left == 0, || format!("{left} tasks are never forgotten"))?;
    for machine in machines {
        let index = machine.index;
        let workers = machine.agent.as_ref().map_or(0, |it| it.workers.len());
        hold(workers == 0, || format!("agent {index} never forgets {workers} tasks"))?;
        let files = machine.disk.count();
        hold(files == 0, || format!("agent {index} leaves {files} files"))?;
        let containers = machine.docker.containers().count();
        hold(containers == 0 || may_leave_containers, || {
            format!("agent {index} leaves {containers} containers")
        })?;
    }
    Ok(())
}
