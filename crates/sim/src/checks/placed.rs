//! Where the tasks of a call were placed, and whether more would have fitted. All of it is written
//! out here a second time; nothing asks `placement`.

use std::sync::Arc;

use longshore_model::{
    ContainerInstance, ContainerOverride, DefinitionStatus, InstanceStatus, Overrides, Task,
    TaskDefinition, TaskId,
};
use longshore_store::State;
use longshore_wire::ecs::{PlacementConstraint, PlacementStrategy, RunTaskRequest};

use super::taken::{Taken, definition};
use super::{Violation, hold};

/// An instance, and what is on it.
struct Host<'a> {
    instance: &'a ContainerInstance,
    taken: Taken,
    /// Of each live task, the group.
    groups: Vec<Arc<str>>,
}

/// What each task of a call is, and where the call wants it.
struct Wish<'a> {
    definition: &'a TaskDefinition,
    overrides: Option<Overrides>,
    group: Arc<str>,
    constraints: &'a [PlacementConstraint],
    strategies: &'a [PlacementStrategy],
}

/// A RunTask that found one state and left another was answered with these tasks, in the order in
/// which they were placed: each was placed where it could be and where it is wanted most, and if
/// there are fewer than were asked for, no instance could have taken another.
pub(crate) fn check(
    request: &RunTaskRequest,
    tasks: &[TaskId],
    before: &State,
    after: &State,
) -> Result<(), Violation> {
    if tasks.iter().any(|it| before.task(*it).is_some()) {
        return Ok(()); // The answer is that of a call before it.
    }
    let wish = Wish::of(request, before)?;
    let cluster = request.cluster.as_deref().unwrap_or("default");
    let mut hosts = hosts(cluster, before)?;
    // Machines that are outside of AWS are never EC2; no machine here is known to be EC2's.
    hosts.retain(|it| request.launch_type.as_deref() != Some("EC2") || !it.is_outside());
    for id in tasks {
        let task = after.task(*id).ok_or_else(|| Violation::new(format!("{id} is not there")))?;
        hold(task.group == wish.group, || format!("{id} is of another group"))?;
        let is_chosen = |it: &Host<'_>| it.instance.id == task.container_instance;
        let at = hosts.iter().position(is_chosen).ok_or_else(|| {
            let instance = task.container_instance;
            Violation::new(format!("{id} was placed on {instance}, which is not ACTIVE there"))
        })?;
        let Some(chosen) = hosts.get(at) else { continue };
        let is_external = match request.launch_type.as_deref() {
            Some(named) => named == "EXTERNAL",
            None => chosen.is_outside(),
        };
        hold(task.launch_type.is_ec2() != is_external, || {
            format!("{id} was launched as {:?}", task.launch_type)
        })?;
        wish.can_be_on(chosen).map_err(|why| {
            let (instance, why) = (chosen.instance.id, why.text());
            Violation::new(format!("{id} was placed on {instance}: {why}"))
        })?;
        let rank = wish.rank(chosen, &hosts)?;
        for other in hosts.iter().filter(|it| wish.can_be_on(it).is_ok()) {
            let better = wish.rank(other, &hosts)?;
            hold(rank <= better, || {
                let (chosen, other) = (chosen.instance.id, other.instance.id);
                format!("{id} was placed on {chosen} {rank:?}, not on {other} {better:?}")
            })?;
        }
        if let Some(chosen) = hosts.get_mut(at) {
            chosen.add(task, wish.definition)?;
        }
    }
    let asked = usize::try_from(request.count.unwrap_or(1)).unwrap_or(0);
    let fitting = hosts.iter().find(|it| wish.can_be_on(it).is_ok());
    hold(tasks.len() <= asked, || format!("{} tasks, not {asked}", tasks.len()))?;
    hold(tasks.len() == asked || fitting.is_none(), || {
        let instance = fitting.map(|it| it.instance.id.to_string()).unwrap_or_default();
        format!("{} of {asked} tasks were placed, and {instance} has room", tasks.len())
    })
}

/// The tasks of a StartTask are on instances that could hear of them.
pub(crate) fn check_started(
    tasks: &[TaskId],
    before: &State,
    after: &State,
) -> Result<(), Violation> {
    for task in tasks.iter().filter_map(|it| after.task(*it)) {
        let instance = before.instance(task.container_instance);
        let could_hear =
            instance.is_some_and(|it| it.status == InstanceStatus::Active && it.agent_connected);
        hold(could_hear, || format!("{} was started on {instance:?}", task.id))?;
    }
    Ok(())
}

/// The ACTIVE instances of a cluster.
fn hosts<'a>(cluster: &str, state: &'a State) -> Result<Vec<Host<'a>>, Violation> {
    let is_of_cluster = |it: &&Arc<ContainerInstance>| {
        it.cluster.as_str() == cluster && it.status == InstanceStatus::Active
    };
    let host = |it: &'a Arc<ContainerInstance>| Host {
        instance: it,
        taken: Taken::default(),
        groups: Vec::new(),
    };
    let mut hosts: Vec<_> = state.all_instances().filter(is_of_cluster).map(host).collect();
    for task in state.all_tasks().filter(|it| it.takes_resources()) {
        if let Some(host) = hosts.iter_mut().find(|it| it.instance.id == task.container_instance) {
            host.add(task, definition(task, state)?)?;
        }
    }
    Ok(hosts)
}

impl Host<'_> {
    fn add(&mut self, task: &Task, definition: &TaskDefinition) -> Result<(), Violation> {
        self.groups.push(Arc::clone(&task.group));
        self.taken
            .add(definition, task.overrides.as_deref())
            .map_err(|port| Violation::new(format!("port {port} is given twice")))
    }

    fn is_outside(&self) -> bool {
        self.instance.attributes.iter().any(|it| &*it.name == "ecs.capability.external")
    }

    fn has_group(&self, group: &str) -> bool {
        self.groups.iter().any(|it| **it == *group)
    }

    fn tasks_of(&self, group: &str) -> usize {
        self.groups.iter().filter(|it| ***it == *group).count()
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        let attribute = self.instance.attributes.iter().find(|it| &*it.name == name);
        attribute.and_then(|it| it.value.as_deref())
    }

    /// Whether an expression of the workload is true here.
    fn is_member_of(&self, expression: &str) -> Result<bool, Violation> {
        let (zone, tier) = (self.attribute("zone"), self.attribute("tier"));
        Ok(match expression {
            "attribute:zone == a" => zone == Some("a"),
            "attribute:zone in [a, c]" => zone == Some("a") || zone == Some("c"),
            "attribute:tier =~ g.*" => tier.is_some_and(|it| it.starts_with('g')),
            "attribute:tier != gold" => tier.is_some_and(|it| it != "gold"),
            "attribute:tier not_exists or attribute:zone == b" => {
                tier.is_none() || zone == Some("b")
            }
            "not(task:group == family:web)" => !self.has_group("family:web"),
            "attribute:tier == gold and not(task:group == a-group)" => {
                tier == Some("gold") && !self.has_group("a-group")
            }
            "attribute:zone == nowhere" => false,
            _ => return Err(Violation::new(format!("{expression} is not written out"))),
        })
    }
}

impl<'a> Wish<'a> {
    fn of(request: &'a RunTaskRequest, state: &'a State) -> Result<Self, Violation> {
        let family = request.task_definition.as_deref().unwrap_or_default();
        let of_family = state.definitions().filter(|it| it.key.family.as_str() == family);
        let active = of_family.filter(|it| it.status == DefinitionStatus::Active);
        let newest = active.max_by_key(|it| it.key.revision);
        let definition = newest.ok_or_else(|| Violation::new(format!("{family} was not there")))?;
        let own_group = || format!("family:{family}");
        Ok(Self {
            definition,
            overrides: request.overrides.as_ref().map(|it| Overrides {
                containers: it.container_overrides.iter().flatten().filter_map(sizes).collect(),
                ..Overrides::default()
            }),
            group: request.group.clone().unwrap_or_else(own_group).into(),
            constraints: request.placement_constraints.as_deref().unwrap_or_default(),
            strategies: request.placement_strategy.as_deref().unwrap_or_default(),
        })
    }

    /// Fails where an instance cannot take a task.
    fn can_be_on(&self, host: &Host<'_>) -> Result<(), Violation> {
        hold(host.instance.agent_connected, || "its agent is away".to_owned())?;
        let mut taken = host.taken.clone();
        taken
            .add(self.definition, self.overrides.as_ref())
            .map_err(|port| Violation::new(format!("its port {port} is taken")))?;
        taken.check(host.instance)?;
        for constraint in self.constraints {
            let is_satisfied = match constraint.expression.as_deref() {
                Some(expression) => host.is_member_of(expression)?,
                None => !host.has_group(&self.group),
            };
            hold(is_satisfied, || format!("{constraint:?} is not satisfied"))?;
        }
        Ok(())
    }

    /// What the strategies compare of an instance, one after another; the least is wanted most.
    fn rank(&self, host: &Host<'_>, all: &[Host<'_>]) -> Result<Vec<u64>, Violation> {
        let mut rank = Vec::new();
        for strategy in self.strategies {
            let field = strategy.field.as_deref().unwrap_or_default();
            let registered = host.instance.registered;
            rank.push(match (strategy.kind.as_deref().unwrap_or_default(), field) {
                ("random", _) => break, // What follows it decides nothing.
                ("spread", "instanceId") => host.tasks_of(&self.group) as u64,
                ("spread", "attribute:zone") => self.tasks_beside(host, all, "zone"),
                ("spread", "attribute:tier") => self.tasks_beside(host, all, "tier"),
                ("binpack", "cpu") => u64::from(registered.cpu_units) - host.taken.cpu_units,
                ("binpack", "memory") => u64::from(registered.memory_mib) - host.taken.memory_mib,
                _ => return Err(Violation::new(format!("{strategy:?} is not written out"))),
            });
        }
        Ok(rank)
    }

    /// Tasks of the group on all instances with the same value; one without any comes last.
    fn tasks_beside(&self, host: &Host<'_>, all: &[Host<'_>], name: &str) -> u64 {
        let Some(value) = host.attribute(name) else { return u64::MAX };
        let alike = all.iter().filter(|it| it.attribute(name) == Some(value));
        alike.map(|it| it.tasks_of(&self.group) as u64).sum()
    }
}

/// What an override says of resources.
fn sizes(it: &longshore_wire::ecs::ContainerOverride) -> Option<ContainerOverride> {
    let number = |it: Option<i32>| it.and_then(|it| u32::try_from(it).ok());
    Some(ContainerOverride {
        name: it.name.as_deref()?.parse().ok()?,
        command: None,
        environment: None,
        cpu_units: number(it.cpu),
        memory_mib: number(it.memory),
        memory_reservation_mib: number(it.memory_reservation),
    })
}
