//! What tasks take of an instance, computed from what the server shows of definitions and tasks,
//! and held against what it says is left.

use std::collections::BTreeSet;

use longshore_wire::ecs;

/// Resources of a task, of several, or of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Takes {
    pub(super) cpu_units: i64,
    pub(super) memory_mib: i64,
    /// TCP host ports; one that is taken twice is there twice.
    pub(super) ports: Vec<u16>,
}

impl Takes {
    /// What a task of the definition takes.
    pub(super) fn of(
        definition: &ecs::TaskDefinition,
        overrides: Option<&ecs::TaskOverride>,
    ) -> Self {
        let mut takes = Self::default();
        for container in definition.container_definitions.iter().flatten() {
            let entries = overrides.and_then(|it| it.container_overrides.as_deref());
            let mut entries = entries.unwrap_or_default().iter();
            let changed = entries.find(|it| it.name == container.name);
            let cpu = changed.and_then(|it| it.cpu).or(container.cpu);
            let soft = changed.and_then(|it| it.memory_reservation);
            let soft = soft.or(container.memory_reservation);
            let hard = changed.and_then(|it| it.memory).or(container.memory);
            takes.cpu_units += i64::from(cpu.unwrap_or(0));
            takes.memory_mib += i64::from(soft.or(hard).unwrap_or(0));
            let ports = container.port_mappings.iter().flatten().filter_map(|it| it.host_port);
            takes.ports.extend(ports.filter_map(|it| u16::try_from(it).ok()).filter(|it| *it > 0));
        }
        takes
    }

    /// What an answer lists.
    fn listed(resources: Option<&[ecs::Resource]>) -> Option<Self> {
        let find = |name: &str| resources?.iter().find(|it| it.name.as_deref() == Some(name));
        let ports = find("PORTS")?.string_set_value.as_ref()?;
        Some(Self {
            cpu_units: find("CPU")?.integer_value?.into(),
            memory_mib: find("MEMORY")?.integer_value?.into(),
            ports: ports.iter().map(|it| it.parse().ok()).collect::<Option<_>>()?,
        })
    }
}

/// The live tasks of one instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    pub(super) takes: Takes,
    pub(super) running: i32,
    pub(super) pending: i32,
}

impl Live {
    pub(super) fn add(&mut self, takes: &Takes, is_running: bool) {
        self.takes.cpu_units += takes.cpu_units;
        self.takes.memory_mib += takes.memory_mib;
        self.takes.ports.extend(&takes.ports);
        if is_running {
            self.running += 1;
        } else {
            self.pending += 1;
        }
    }

    /// What is wrong with an instance that has these tasks.
    pub(super) fn disagreement(&self, instance: &ecs::ContainerInstance) -> Option<String> {
        let registered = Takes::listed(instance.registered_resources.as_deref());
        let remaining = Takes::listed(instance.remaining_resources.as_deref());
        let (Some(registered), Some(remaining)) = (registered, remaining) else {
            return Some("its resources are not listed".into());
        };
        let left = Takes {
            cpu_units: registered.cpu_units - self.takes.cpu_units,
            memory_mib: registered.memory_mib - self.takes.memory_mib,
            ports: registered.ports.iter().chain(&self.takes.ports).copied().collect(),
        };
        let ports: BTreeSet<u16> = left.ports.iter().copied().collect();
        if left.cpu_units < 0 || left.memory_mib < 0 || ports.len() < left.ports.len() {
            return Some(format!("over-committed: {registered:?} has {self:?}"));
        }
        let shown: BTreeSet<u16> = remaining.ports.iter().copied().collect();
        let amounts = |it: &Takes| (it.cpu_units, it.memory_mib);
        if amounts(&left) != amounts(&remaining) || ports != shown {
            return Some(format!("{left:?} is left, {remaining:?} is shown"));
        }
        let counts = (instance.running_tasks_count, instance.pending_tasks_count);
        if counts != (Some(self.running), Some(self.pending)) {
            return Some(format!("it has {self:?}, but shows {counts:?} running and pending"));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> ecs::TaskDefinition {
        let text = r#"{"containerDefinitions":[
            {"name":"a","cpu":10,"memory":100,"memoryReservation":50,
             "portMappings":[{"containerPort":80,"hostPort":8080},{"containerPort":81,"hostPort":0}]},
            {"name":"b","memory":7}]}"#;
        serde_json::from_str(text).unwrap()
    }

    fn instance(cpu: i32, memory: i32, ports: &[&str]) -> ecs::ContainerInstance {
        let remaining = serde_json::json!([
            {"name": "CPU", "integerValue": cpu}, {"name": "MEMORY", "integerValue": memory},
            {"name": "PORTS", "stringSetValue": ports}]);
        let registered = serde_json::json!([
            {"name": "CPU", "integerValue": 20}, {"name": "MEMORY", "integerValue": 100},
            {"name": "PORTS", "stringSetValue": ["22"]}]);
        let all = serde_json::json!({"remainingResources": remaining,
            "registeredResources": registered, "runningTasksCount": 1, "pendingTasksCount": 0});
        serde_json::from_value(all).unwrap()
    }

    #[test]
    fn the_reservation_counts_before_the_limit_and_an_override_before_both() {
        let takes = Takes::of(&definition(), None);
        assert_eq!(takes, Takes { cpu_units: 10, memory_mib: 57, ports: vec![8080] });
        let overrides = r#"{"containerOverrides":[{"name":"b","cpu":3,"memory":9}]}"#;
        let takes = Takes::of(&definition(), Some(&serde_json::from_str(overrides).unwrap()));
        assert_eq!(takes, Takes { cpu_units: 13, memory_mib: 59, ports: vec![8080] });
    }

    #[test]
    fn what_is_left_is_what_the_tasks_do_not_take() {
        let mut live = Live::default();
        live.add(&Takes::of(&definition(), None), true);
        assert_eq!(live.disagreement(&instance(10, 43, &["22", "8080"])), None);
        for wrong in [
            instance(11, 43, &["22", "8080"]),
            instance(10, 42, &["22", "8080"]),
            instance(10, 43, &["22"]),
        ] {
            assert!(live.disagreement(&wrong).is_some_and(|it| it.contains("is shown")));
        }
    }

    #[test]
    fn two_tasks_that_do_not_fit_are_over_commitment() {
        let mut live = Live::default();
        live.add(&Takes::of(&definition(), None), true);
        live.add(&Takes::of(&definition(), None), false);
        let wrong = live.disagreement(&instance(0, 0, &["22", "8080"])).unwrap();
        assert!(wrong.starts_with("over-committed"), "{wrong}");
    }
}
