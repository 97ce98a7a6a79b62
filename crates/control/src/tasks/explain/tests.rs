//! Explanations of small clusters: what is said of each instance, and that it agrees with the plain
//! meaning of a placement.

use std::collections::BTreeSet;

use longshore_model::{Attribute, InstanceId, Lost, StopCode, Timestamp};
use longshore_placement::{Constraint, Query, place};

use longshore_model::InstanceStatus;
use longshore_placement::Strategy;

use super::*;
use crate::reference::DefinitionReference;
use crate::tasks::Launch;
use crate::testing::{World, cluster};

/// So many of `job`, of 128 MiB each.
fn request(count: u32, constraints: &[&str], strategies: &[(&str, &str)]) -> RunTask {
    let launch = Launch {
        cluster: cluster(),
        definition: DefinitionReference { family: "job".parse().unwrap(), revision: None },
        overrides: None,
        started_by: None,
        group: Some("web".into()),
        tags: Default::default(),
    };
    let constraint = |it: &&str| match *it {
        "distinctInstance" => Constraint::DistinctInstance,
        expression => Constraint::MemberOf(Query::parse(expression).unwrap()),
    };
    RunTask {
        launch,
        client_token: None,
        on: Default::default(),
        count,
        constraints: constraints.iter().map(constraint).collect(),
        strategies: strategies
            .iter()
            .map(|(kind, field)| Strategy::parse(kind, Some(field)).unwrap())
            .collect(),
    }
}

/// An instance as a test wishes it.
async fn alter(world: &World, id: InstanceId, alter: impl FnOnce(&mut ContainerInstance)) {
    let altered = world.control.store().update(|tx| {
        let mut instance = ContainerInstance::clone(tx.instance(id).unwrap());
        alter(&mut instance);
        tx.put_instance(instance);
        Ok::<_, LaunchError>(())
    });
    altered.await.unwrap();
}

#[tokio::test]
async fn where_all_have_a_place_it_is_said_how_it_is_before_them() {
    let world = World::new().await;
    let ids = [world.register(128, true).await, world.register(256, true).await];
    let state = world.control.view();
    let two = explain(&state, request(2, &[], &[("binpack", "memory")]), Listed::All, 1).unwrap();
    let placed: Vec<_> = two.placed.iter().map(|it| it.id).collect();
    assert_eq!((placed, two.unplaced), (ids.to_vec(), 0));
    assert_eq!((two.registered, two.suitable, two.reasons.len()), (2, 2, 0));

    let four = explain(&state, request(4, &[], &[("binpack", "memory")]), Listed::All, 1).unwrap();
    assert_eq!((four.placed.len(), four.unplaced), (3, 1));
    assert_eq!((four.registered, four.suitable), (2, 0));
    assert_eq!(four.reasons[0].text, "2 of 2 lack 128 MiB of memory");
    let changes: Vec<_> = four.nearest.iter().map(|it| it.changes.join("; ")).collect();
    assert_eq!(changes, ["free 128 MiB of memory"; 2]);
    let detail = &four.excluded.unwrap()[1].causes[0].detail;
    assert_eq!(detail, "asked for 128 MiB of memory, but 0 of 256 remain");
}

#[tokio::test]
async fn the_tasks_in_the_way_are_named() {
    let world = World::new().await;
    let id = world.register(1024, true).await;
    let first = world.run("web", None).await.unwrap().tasks;
    world.run("other", None).await.unwrap();
    let state = world.control.view();
    let explained =
        explain(&state, request(1, &["distinctInstance"], &[]), Listed::All, 1).unwrap();
    let why = &explained.excluded.as_ref().unwrap()[0].causes[0];
    assert_eq!(why.tasks, first);
    assert_eq!(why.change, "end the 2 tasks of group web there");
    assert_eq!((explained.nearest[0].instance.id, &explained.nearest[0].tasks), (id, &first));
    // One that is only planned cannot be named.
    let other = |count| RunTask {
        launch: Launch { group: Some("new".into()), ..request(1, &[], &[]).launch },
        ..request(count, &["distinctInstance"], &[])
    };
    let explained = explain(&state, other(2), Listed::All, 1).unwrap();
    assert_eq!(explained.placed.len(), 1);
    let why = &explained.excluded.unwrap()[0].causes[0];
    assert_eq!((&*why.detail, why.tasks.len()), ("a task of group new runs there", 0));
}

#[tokio::test]
async fn lost_tasks_that_take_the_room_are_named() {
    let world = World::new().await;
    let id = world.register(256, true).await;
    let tasks = world.run("web", None).await.unwrap().tasks;
    let asked = || request(1, &["distinctInstance"], &[]);
    let before = explain(&world.control.view(), asked(), Listed::All, 1).unwrap();
    let details = |it: &Explanation| {
        let causes = it.excluded.as_ref().unwrap()[0].causes.iter();
        causes.map(|it| (it.detail.clone(), it.tasks.clone())).collect::<Vec<_>>()
    };
    let memory = "asked for 128 MiB of memory, but 0 of 256 remain";
    assert_eq!(details(&before)[0], (memory.into(), vec![]), "what lives is not lost");

    let lost = world.control.store().update(|tx| {
        for task in &tasks {
            let mut task = Task::clone(task);
            task.stop(Timestamp::from_millis(0), StopCode::TerminationNotice, "Lost");
            task.end(Timestamp::from_millis(0));
            task.lost = Some(Lost::AtLarge);
            tx.put_task(Arc::new(task));
        }
        Ok::<_, LaunchError>(())
    });
    lost.await.unwrap();
    let state = world.control.view();
    state.check_derived().unwrap();
    let tasks: Vec<_> = tasks.iter().map(|it| Arc::clone(state.task(it.id).unwrap())).collect();
    let explained = explain(&state, asked(), Listed::All, 1).unwrap();
    let expected = [
        (format!("{memory}, because of 2 lost tasks"), tasks.clone()),
        ("2 lost tasks of group web may still run there".into(), tasks.clone()),
    ];
    assert_eq!(details(&explained), expected);
    assert_eq!((explained.nearest[0].instance.id, &explained.nearest[0].tasks), (id, &tasks));
    assert_eq!(
        explained.reasons[0].text,
        "1 of 1 lacks 128 MiB of memory because of lost tasks, out for another reason also"
    );
}

#[tokio::test]
async fn instances_that_were_deregistered_are_none_of_the_cluster() {
    let world = World::new().await;
    let gone = world.register(1024, true).await;
    world.register(1024, false).await;
    alter(&world, gone, |it| {
        it.status = InstanceStatus::Inactive;
        it.deregistered_at = Some(Timestamp::from_millis(0));
    })
    .await;
    let explained = explain(&world.control.view(), request(1, &[], &[]), Listed::None, 1).unwrap();
    assert_eq!((explained.registered, explained.nearest.len()), (1, 1));
    assert_eq!(explained.reasons[0].text, "1 of 1 has no connected agent");
    assert!(explained.excluded.is_none());
}

/// Chance, from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}

#[tokio::test]
async fn whatever_the_cluster_it_is_what_placement_means() {
    for seed in 0..150 {
        let mut dice = Dice(seed);
        let world = World::new().await;
        for _ in 0..dice.below(6) {
            let id = world.register(128 * u32::try_from(dice.below(6)).unwrap(), true).await;
            let zone = dice.one_of(&["a", "b", "c"]);
            let status = dice.one_of(&["ACTIVE", "ACTIVE", "ACTIVE", "DRAINING", "INACTIVE"]);
            let is_connected = dice.below(5) > 0;
            let is_external = dice.below(5) == 0;
            alter(&world, id, |it| {
                it.status = InstanceStatus::parse(status).unwrap();
                it.agent_connected = is_connected;
                it.attributes.push(Attribute::with_value("zone", zone));
                it.attributes
                    .extend(is_external.then(|| Attribute::named("ecs.capability.external")));
            })
            .await;
        }
        for _ in 0..dice.below(3) {
            let _ = world.run(dice.one_of(&["web", "db"]), None).await;
        }
        let constraints = dice.one_of(&[
            &[][..],
            &["distinctInstance"],
            &["attribute:zone != a"],
            &["attribute:zone in [a, b]", "distinctInstance"],
            &["task:group != db"],
        ]);
        let strategies = dice.one_of(&[
            &[][..],
            &[("binpack", "memory")],
            &[("spread", "attribute:zone"), ("binpack", "memory")],
            &[("spread", "instanceId")],
        ]);
        let count = 1 + u32::try_from(dice.below(8)).unwrap();
        check(&world, request(count, constraints, strategies), seed);
    }
}

/// Compares an explanation with `place`, which looks at every instance each time.
#[track_caller]
fn check(world: &World, request: RunTask, seed: u64) {
    let state = world.control.view();
    let explained = explain(&state, request.clone(), Listed::All, seed).unwrap();
    assert_eq!(world.control.view().revision(), state.revision());

    let launch = request.launch.ready(&state).unwrap();
    let asked = launch.request(
        request.on.kind(&launch.definition),
        &request.constraints,
        &request.strategies,
        request.count,
    );
    let one = Request { count: 1, ..asked };
    let mut now: Vec<Candidate> = state
        .instances(&cluster())
        .map(|it| Candidate { instance: Arc::clone(it), occupancy: state.occupancy(it.id) })
        .collect();
    let before = now.clone();
    for (number, placed) in (0..).zip(&explained.placed) {
        // Any of the equally good ones comes up for one of so many seeds.
        let allowed: BTreeSet<_> =
            (0..200).flat_map(|it| place(now.clone(), &one, it).placed).collect();
        assert!(allowed.contains(&placed.id), "{allowed:?} and not {placed:?}, seed {seed}");
        let candidate = now.iter_mut().find(|it| it.id() == placed.id).unwrap();
        candidate.take(number, &launch.group, &launch.demand);
    }
    let fits = |it: &Candidate| !place(vec![it.clone()], &one, 0).placed.is_empty();
    let placed = u32::try_from(explained.placed.len()).unwrap();
    assert_eq!(placed + explained.unplaced, request.count);
    assert!(explained.unplaced == 0 || !now.iter().any(fits), "more fit, seed {seed}");

    let moment = if explained.unplaced > 0 { now } else { before };
    let is_registered = |it: &&Candidate| it.instance.status != InstanceStatus::Inactive;
    let out: Vec<_> = moment.iter().filter(is_registered).filter(|it| !fits(it)).collect();
    let excluded = explained.excluded.unwrap();
    let excluded: Vec<_> = excluded.iter().map(|it| it.instance.id).collect();
    assert_eq!(excluded, out.iter().map(|it| it.id()).collect::<Vec<_>>(), "seed {seed}");
    let suitable = moment.iter().filter(is_registered).filter(|it| fits(it)).count();
    let registered = moment.iter().filter(is_registered).count();
    assert_eq!(
        (explained.suitable as usize, explained.registered as usize),
        (suitable, registered)
    );
    assert_eq!(explained.nearest.len(), out.len().min(5));
}
