//! Random tasks under random outcomes, stops and restarts of the agent.

use std::collections::BTreeMap;

use longshore_model::{DesiredStatus, LastStatus, Timestamp};
use longshore_wire::acs;
use proptest::prelude::*;

use super::scenario::{CountingIds, POLICY, restart};
use crate::engine::{
    CreateOutcome, Effect, Failure, Found, Input, Marks, Policy, StartOutcome, TaskSpec, TaskState,
    step,
};

/// Docker as the engine's effects leave it, and what is still to be answered.
#[derive(Default)]
struct World {
    containers: BTreeMap<usize, Docker>,
    awaited: Vec<Effect>,
    reports: Vec<(LastStatus, Vec<(String, LastStatus)>)>,
    created: BTreeMap<usize, u32>,
    started: BTreeMap<usize, u32>,
}

#[derive(Clone, Copy, PartialEq)]
enum Docker {
    Created,
    Running,
    Exited,
}

impl World {
    /// Answers the awaited effect at `choice`, well or badly.
    fn answer(&mut self, choice: usize, well: bool) -> Option<Input> {
        let choice = choice.checked_rem(self.awaited.len())?;
        let reason = Failure::DockerState.because("no");
        match self.awaited.remove(choice) {
            Effect::Pull(container) => Some(Input::Pulled {
                container,
                started_at: Timestamp::from_millis(0),
                outcome: if well { Ok(()) } else { Err(reason) },
            }),
            Effect::Create(container) => Some(Input::Created {
                container,
                outcome: match well {
                    true => {
                        *self.created.entry(container).or_default() += 1;
                        self.containers.insert(container, Docker::Created);
                        CreateOutcome::Created { docker_id: container.to_string() }
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
                        self.containers.insert(container, Docker::Running);
                        StartOutcome::Started { network_bindings: Vec::new() }
                    }
                    false => StartOutcome::Failed(reason),
                },
            }),
            Effect::Watch(container) => {
                self.containers.insert(container, Docker::Exited);
                Some(Input::Exited { container, exit_code: Some(1), reason: None })
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
            Some(Docker::Exited) => Found::Exited { marks, exit_code: Some(1), reason: None },
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
        shapes in prop::collection::vec((any::<bool>(), any::<u8>(), any::<u8>()), 1..=4)
    ) -> Vec<acs::Container> {
        let count = shapes.len();
        let later = |from: usize, choice: u8| {
            let target = from + 1 + usize::from(choice % 8);
            (target < count).then(|| format!("c{target}"))
        };
        let container = |(index, (essential, link, volumes)): (usize, (bool, u8, u8))| {
            acs::Container {
                name: format!("c{index}"),
                essential: essential || index == 0,
                links: later(index, link).into_iter().collect(),
                volumes_from: later(index, volumes)
                    .map(|it| acs::VolumeFrom { source_container: it, read_only: false })
                    .into_iter()
                    .collect(),
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
    ) {
        let policy = Policy { pull_first, ..POLICY };
        let ids = CountingIds::default();
        let task = acs::Task { arn: "a".into(), containers, ..Default::default() };
        let spec = TaskSpec::parse(task, &ids).unwrap();
        let mut task = TaskState::new(spec, DesiredStatus::Running, &ids);
        let mut world = World::default();
        let now = Timestamp::from_millis(0);

        let go = |task: &mut TaskState, world: &mut World, input: Input| {
            let before = task.clone();
            let effects = step(task, input, &policy, now);
            assert_nothing_went_back(&before, task);
            if before.status() == LastStatus::Stopped {
                let is_told = |it: &Effect| matches!(it, Effect::Submit(_));
                assert!(effects.iter().all(is_told), "{effects:?} of a stopped task");
            }
            world.awaited.extend(effects);
            let mut submits = world.awaited.iter().filter(|it| matches!(it, Effect::Submit(_)));
            assert!(submits.next().is_none() || submits.next().is_none(), "one report at a time");
        };

        go(&mut task, &mut world, Input::Tick);
        for turn in turns {
            let input = match turn {
                Turn::Tick => Input::Tick,
                Turn::Stop => Input::StopRequested,
                Turn::Answer { choice, well } => match world.answer(choice, well) {
                    Some(input) => input,
                    None => continue,
                },
                Turn::LostAnswer { choice, well } => {
                    world.answer(choice, well);
                    world.awaited.clear();
                    restart(&mut task);
                    let found = (0..task.containers.len()).map(|it| world.find(it)).collect();
                    Input::Adopted(found)
                }
            };
            go(&mut task, &mut world, input);
        }

        // Once everything is answered, and everything that runs is made to end, the task is over.
        go(&mut task, &mut world, Input::StopRequested);
        while !world.awaited.is_empty() {
            if let Some(input) = world.answer(0, true) {
                go(&mut task, &mut world, input);
            }
        }
        prop_assert_eq!(task.status(), LastStatus::Stopped);
        prop_assert!(task.outbox.is_empty());
        prop_assert!(world.created.values().all(|times| *times == 1));
        prop_assert!(world.started.values().all(|times| *times == 1));
        prop_assert_eq!(world.reports.last().map(|it| it.0), Some(LastStatus::Stopped));
        prop_assert!(world.reports.is_sorted_by_key(|it| it.0));
    }
}
