//! Random tasks under random outcomes, stops and restarts of the agent.

use std::collections::BTreeMap;

use longshore_model::{DesiredStatus, HealthStatus, LastStatus, Timestamp};
use longshore_wire::acs;
use proptest::prelude::*;

use super::scenario::{CountingIds, POLICY, restart};
use crate::engine::{
    Condition, ContainerStatus, CreateOutcome, Effect, Exit, Failure, Found, Input, Marks, Policy,
    StartOutcome, TaskSpec, TaskState, step,
};

/// Docker as the engine's effects leave it, and what is still to be answered.
#[derive(Default)]
struct World {
    containers: BTreeMap<usize, Docker>,
    awaited: Vec<Effect>,
    reports: Vec<(LastStatus, Vec<(String, LastStatus)>)>,
    created: BTreeMap<usize, u32>,
    started: BTreeMap<usize, u32>,
    /// How often each ended in such a way that it is to be started again.
    again: BTreeMap<usize, u32>,
    /// Since the agent last started.
    prepared: bool,
}

#[derive(Clone, PartialEq)]
enum Docker {
    Created,
    Running,
    Exited(Exit),
}

impl World {
    /// Answers the awaited effect at `choice`, well or badly.
    fn answer(&mut self, task: &TaskState, choice: usize, well: bool) -> Option<Input> {
        let dice = choice;
        let choice = choice.checked_rem(self.awaited.len())?;
        let reason = Failure::DockerState.because("no");
        match self.awaited.remove(choice) {
            Effect::Prepare => {
                self.prepared = well;
                Some(Input::Prepared(if well { Ok(()) } else { Err(reason) }))
            }
            Effect::FollowHealth { container, known } => {
                let verdict = if well { HealthStatus::Healthy } else { HealthStatus::Unhealthy };
                let status = if verdict == known { HealthStatus::Unknown } else { verdict };
                Some(Input::Health { container, status })
            }
            Effect::Pull(container) => Some(Input::Pulled {
                container,
                started_at: Some(Timestamp::from_millis(0)),
                outcome: if well { Ok(()) } else { Err(reason) },
            }),
            Effect::Create(container) => Some(Input::Created {
                container,
                outcome: match well {
                    true => {
                        *self.created.entry(container).or_default() += 1;
                        self.containers.insert(container, Docker::Created);
                        let docker_id = container.to_string();
                        CreateOutcome::Created { docker_id, image_digest: None }
                    }
                    false if choice.is_multiple_of(2) => CreateOutcome::ImageMissing(reason),
                    false => CreateOutcome::Failed(reason),
                },
            }),
            Effect::Start(container) => Some(Input::Started {
                container,
                outcome: match well {
                    true => {
                        *self.started.entry(container).or_default() += 1;
                        let before = self.containers.insert(container, Docker::Running);
                        assert!(before != Some(Docker::Running), "started while it runs");
                        StartOutcome::Started { network_bindings: Vec::new() }
                    }
                    false => StartOutcome::Failed(reason),
                },
            }),
            Effect::Watch(container) => {
                let code = Some(if well { 0 } else { 1 });
                let ran_secs = Some(if dice.is_multiple_of(3) { 60 } else { 59 });
                let exit = Exit { code, reason: None, ran_secs, at: None };
                let policy = task.spec.containers[container].restart_policy.as_ref();
                if policy.is_some_and(|it| it.allows(&exit)) {
                    *self.again.entry(container).or_default() += 1;
                }
                self.containers.insert(container, Docker::Exited(exit.clone()));
                Some(Input::Exited { container, exit })
            }
            Effect::Stop(_) => None,
            Effect::Submit(report) => {
                let containers = report.containers.into_iter().map(|it| (it.name, it.status));
                self.reports.push((report.status, containers.collect()));
                Some(Input::ReportAccepted)
            }
            Effect::CleanUp { .. } => Some(Input::CleanedUp),
        }
    }

    fn find(&self, container: usize) -> Found {
        let marks = Marks::default();
        match self.containers.get(&container) {
            None => Found::Missing,
            Some(Docker::Created) => Found::Created(marks),
            Some(Docker::Running) => Found::Running { marks, network_bindings: Vec::new() },
            Some(Docker::Exited(exit)) => Found::Exited { marks, exit: exit.clone() },
        }
    }

    /// Whether the effect comes at a time when it may: of containers that need each other, and
    /// after what all of them need.
    fn check_order(&self, task: &TaskState, effect: &Effect) {
        match effect {
            Effect::Create(container) | Effect::Start(container) => {
                assert!(self.prepared || task.spec.limits.memory_mib == 0, "not prepared");
                if let Effect::Start(_) = effect {
                    return;
                }
                for needed in &task.spec.containers[*container].depends_on {
                    let index =
                        task.spec.containers.iter().position(|it| it.name == needed.container);
                    let index = index.unwrap();
                    let (known, health) =
                        (self.containers.get(&index), task.containers[index].health);
                    let was_started = self.started.contains_key(&index);
                    assert!(match (needed.condition, known) {
                        (Condition::Start, _) => was_started,
                        (Condition::Complete, Some(Docker::Exited(_))) => true,
                        (Condition::Success, Some(Docker::Exited(exit))) => exit.code == Some(0),
                        // It may have ended without our having heard.
                        (Condition::Healthy, _) => was_started && health == HealthStatus::Healthy,
                        _ => false,
                    });
                }
            }
            Effect::Stop(container) => {
                let name = &task.spec.containers[*container].name;
                for (spec, state) in task.spec.containers.iter().zip(&task.containers) {
                    let depends = spec.depends_on.iter().any(|it| it.container == *name)
                        || spec.links.iter().any(|it| it.container == *name);
                    assert!(!depends || state.known == ContainerStatus::Stopped);
                }
            }
            _ => {}
        }
    }
}

#[derive(Clone, Debug)]
enum Turn {
    Answer {
        choice: usize,
        well: bool,
    },
    /// Docker did it, but the agent died before it heard.
    LostAnswer {
        choice: usize,
        well: bool,
    },
    Stop,
    Tick,
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        12 => (any::<usize>(), prop::bool::weighted(0.8))
            .prop_map(|(choice, well)| Turn::Answer { choice, well }),
        2 => (any::<usize>(), prop::bool::weighted(0.8))
            .prop_map(|(choice, well)| Turn::LostAnswer { choice, well }),
        1 => Just(Turn::Stop),
        1 => Just(Turn::Tick),
    ]
}

prop_compose! {
    /// Up to four containers; links and volumes point at later ones, so that there is no cycle.
    fn containers()(
        shapes in prop::collection::vec(
            (any::<bool>(), any::<u8>(), any::<u8>(), any::<u8>(), any::<bool>(), any::<bool>()),
            1..=4,
        )
    ) -> Vec<acs::Container> {
        let count = shapes.len();
        let later = |from: usize, choice: u8| {
            let target = from + 1 + usize::from(choice % 8);
            (target < count).then(|| format!("c{target}"))
        };
        let checked: Vec<bool> = shapes.iter().map(|it| it.4).collect();
        let depends_on = |from: usize, choice: u8| {
            let name = later(from, choice)?;
            let target = from + 1 + usize::from(choice % 8);
            let condition = ["START", "COMPLETE", "SUCCESS", "HEALTHY"][usize::from(choice / 64)];
            let is_checked = checked.get(target) == Some(&true);
            (condition != "HEALTHY" || is_checked).then(|| {
                vec![acs::ContainerDependency {
                    container_name: name,
                    condition: condition.to_owned(),
                }]
            })
        };
        let container = |(index, shape): (usize, (bool, u8, u8, u8, bool, bool))| {
            let (essential, link, volumes, needs, is_checked, runs_again) = shape;
            acs::Container {
                name: format!("c{index}"),
                essential: essential || index == 0,
                links: later(index, link).into_iter().collect(),
                volumes_from: later(index, volumes)
                    .map(|it| acs::VolumeFrom { source_container: it, read_only: false })
                    .into_iter()
                    .collect(),
                depends_on: depends_on(index, needs),
                start_timeout: is_checked.then_some(100),
                health_check_type: is_checked.then(|| "docker".to_owned()),
                restart_policy: Some(acs::RestartPolicy {
                    enabled: runs_again,
                    ignored_exit_codes: Some(vec![0]),
                    restart_attempt_period: Some(60),
                }),
                ..Default::default()
            }
        };
        shapes.into_iter().enumerate().map(container).collect()
    }
}

fn assert_nothing_went_back(before: &TaskState, after: &TaskState) {
    assert!(after.desired >= before.desired);
    assert!(after.reported >= before.reported);
    for (before, after) in before.containers.iter().zip(&after.containers) {
        assert!(after.known >= before.known);
        assert!(after.reported >= before.reported);
    }
}

proptest! {
    #[test]
    fn statuses_go_forward_only_and_nothing_is_done_twice(
        containers in containers(),
        turns in prop::collection::vec(turn(), 0..80),
        pull_first in any::<bool>(),
        is_limited in any::<bool>(),
    ) {
        let policy = Policy { pull_first, ..POLICY };
        let ids = CountingIds::default();
        let memory = is_limited.then_some(512);
        let task = acs::Task { arn: "a".into(), containers, memory, ..Default::default() };
        let spec = TaskSpec::parse(task, &ids).unwrap();
        let mut task = TaskState::new(spec, DesiredStatus::Running, &ids);
        let mut world = World::default();
        let mut now = Timestamp::from_millis(0);

        let go = |task: &mut TaskState, world: &mut World, input: Input, now: Timestamp| {
            let before = task.clone();
            let effects = step(task, input, &policy, now);
            assert_nothing_went_back(&before, task);
            if before.status() == LastStatus::Stopped {
                let is_told = |it: &Effect| matches!(it, Effect::Submit(_));
                assert!(effects.iter().all(is_told), "{effects:?} of a stopped task");
            }
            for effect in &effects {
                world.check_order(task, effect);
            }
            world.awaited.extend(effects);
            let mut submits = world.awaited.iter().filter(|it| matches!(it, Effect::Submit(_)));
            assert!(submits.next().is_none() || submits.next().is_none(), "one report at a time");
        };

        go(&mut task, &mut world, Input::Tick, now);
        for turn in turns {
            now = now.plus_secs(7);
            let input = match turn {
                Turn::Tick => Input::Tick,
                Turn::Stop => Input::StopRequested,
                Turn::Answer { choice, well } => match world.answer(&task, choice, well) {
                    Some(input) => input,
                    None => continue,
                },
                Turn::LostAnswer { choice, well } => {
                    world.answer(&task, choice, well);
                    world.awaited.clear();
                    world.prepared = false;
                    restart(&mut task);
                    let found = (0..task.containers.len()).map(|it| world.find(it)).collect();
                    Input::Adopted(found)
                }
            };
            go(&mut task, &mut world, input, now);
        }

        // Once everything is answered, and everything that runs is made to end, the task is over.
        go(&mut task, &mut world, Input::StopRequested, now);
        while !world.awaited.is_empty() {
            if let Some(input) = world.answer(&task, 0, true) {
                go(&mut task, &mut world, input, now);
            }
        }
        prop_assert_eq!(task.status(), LastStatus::Stopped);
        prop_assert!(task.outbox.is_empty());
        prop_assert!(world.created.values().all(|times| *times == 1));
        for (container, times) in &world.started {
            let again = world.again.get(container).copied().unwrap_or_default();
            prop_assert!(*times <= 1 + again, "container {container} started {times} times");
        }
        prop_assert_eq!(world.reports.last().map(|it| it.0), Some(LastStatus::Stopped));
        prop_assert!(world.reports.is_sorted_by_key(|it| it.0));
    }
}
