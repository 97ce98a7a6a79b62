use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use longshore_model::{ArnForm, InstanceStatus, LastStatus, Tag, Tags};
use longshore_store::Watch;

use super::*;
use crate::tags::Taggable;
use crate::tasks::{StopTask, TaskReport};
use crate::testing::{World, cluster};

/// A world, and a watch of what becomes durable in it.
struct Scene {
    world: World,
    watch: Watch,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let watch = world.control.store().watch();
        Self { world, watch }
    }

    /// Compares the events since the last time, one in a line.
    #[track_caller]
    fn check(&mut self, expected: &[&str]) {
        let state = self.world.control.view();
        let mut shown = Vec::new();
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(commit) = pin!(self.watch.next()).poll(&mut context) {
            shown.extend(events(&commit.unwrap(), &state).iter().map(show));
        }
        assert_eq!(shown, expected);
    }

    /// Passes over what has happened so far.
    fn look_away(&mut self) {
        self.watch = self.world.control.store().watch();
    }

    fn tasks(&self) -> Vec<Arc<Task>> {
        self.world.control.view().all_tasks().map(Arc::clone).collect()
    }

    async fn report(&self, task: &Task, status: LastStatus) {
        let report = TaskReport {
            cluster: cluster(),
            task: task.id,
            status: Some(status),
            reason: None,
            containers: vec![],
            pull_started_at: None,
            pull_stopped_at: None,
            execution_stopped_at: None,
        };
        assert!(self.world.control.record_report(report).await.unwrap());
    }
}

fn show(event: &Event) -> String {
    match event {
        Event::TaskStateChange(it) => {
            let (last, desired) = (it.last_status.as_str(), it.desired_status.as_str());
            format!("task {last} ({desired}) version {}", it.version)
        }
        Event::ContainerInstanceStateChange(it, occupancy) => {
            let agent = if it.agent_connected { "connected" } else { "away" };
            let taken = occupancy.taken.memory_mib;
            format!("instance {} {agent}, {taken} MiB taken", it.status.as_str())
        }
        Event::PlacementFailure(it) => {
            format!("{} of {} failed: {}", it.calls, it.last.group, it.last)
        }
    }
}

#[tokio::test]
async fn instances_tell_of_registration_agent_and_status() {
    let mut scene = Scene::new().await;
    let id = scene.world.register(1000, true).await;
    scene.check(&["instance ACTIVE away, 0 MiB taken", "instance ACTIVE connected, 0 MiB taken"]);
    let control = &scene.world.control;
    control.set_agent_connected(id, true, None).await.unwrap();
    scene.check(&[]);
    let control = &scene.world.control;
    let status = InstanceStatus::Draining;
    control.update_container_instances_state(cluster(), &[id], status).await.unwrap();
    control.set_agent_connected(id, false, None).await.unwrap();
    control.deregister_container_instance(cluster(), id, false).await.unwrap();
    scene.check(&[
        "instance DRAINING connected, 0 MiB taken",
        "instance DRAINING away, 0 MiB taken",
        "instance INACTIVE away, 0 MiB taken",
    ]);
}

#[tokio::test]
async fn tasks_that_come_and_go_are_told_with_their_instance() {
    let mut scene = Scene::new().await;
    scene.world.register(1000, true).await;
    scene.check(&["instance ACTIVE away, 0 MiB taken", "instance ACTIVE connected, 0 MiB taken"]);
    scene.world.run("reports", None).await.unwrap();
    scene.check(&[
        "task PENDING (RUNNING) version 1",
        "task PENDING (RUNNING) version 1",
        "instance ACTIVE connected, 256 MiB taken",
    ]);
    let task = scene.tasks().remove(0);
    scene.report(&task, LastStatus::Running).await;
    scene.check(&["task RUNNING (RUNNING) version 2"]);
    scene.report(&task, LastStatus::Running).await;
    scene.check(&[]);
    let request = StopTask { cluster: cluster(), task: task.id, reason: None };
    scene.world.control.stop_task(request).await.unwrap();
    scene.check(&["task RUNNING (STOPPED) version 3"]);
    scene.report(&task, LastStatus::Stopped).await;
    scene.check(&["task STOPPED (STOPPED) version 4", "instance ACTIVE connected, 128 MiB taken"]);
}

#[tokio::test]
async fn an_instance_that_goes_with_its_tasks_is_told_once() {
    let mut scene = Scene::new().await;
    let id = scene.world.register(200, true).await;
    scene.world.run("reports", None).await.unwrap();
    scene.check(&[
        "instance ACTIVE away, 128 MiB taken",
        "instance ACTIVE connected, 128 MiB taken",
        "task PENDING (RUNNING) version 1",
        "instance ACTIVE connected, 128 MiB taken",
    ]);
    scene.world.control.deregister_container_instance(cluster(), id, true).await.unwrap();
    let state = scene.world.control.view();
    let commit = pin!(scene.watch.next()).await.unwrap();
    let mut shown: Vec<_> = events(&commit, &state).iter().map(show).collect();
    shown.sort_unstable();
    assert_eq!(shown, ["instance INACTIVE away, 0 MiB taken", "task STOPPED (STOPPED) version 2"]);
}

#[tokio::test]
async fn each_call_that_places_nothing_is_told() {
    let mut scene = Scene::new().await;
    scene.world.run("reports", None).await.unwrap_err();
    scene.world.run("reports", None).await.unwrap_err();
    scene.check(&[
        "1 of reports failed: no ACTIVE container instance",
        "2 of reports failed: no ACTIVE container instance",
    ]);
    scene.world.register(100, true).await;
    scene.world.run("reports", None).await.unwrap();
    scene.check(&[
        "instance ACTIVE away, 0 MiB taken",
        "instance ACTIVE connected, 0 MiB taken",
        "1 of reports failed: RESOURCE:MEMORY 1",
    ]);
}

#[tokio::test]
async fn tags_and_what_is_forgotten_are_no_events() {
    let mut scene = Scene::new().await;
    let id = scene.world.register(200, true).await;
    scene.world.run("reports", None).await.unwrap();
    scene.world.run("other reports", None).await.unwrap();
    let task = scene.tasks().remove(0);
    scene.look_away();
    let tags = Tags::new(vec![Tag::new("key", "value").unwrap()]).unwrap();
    for resource in [
        Taggable::Cluster(cluster()),
        Taggable::ContainerInstance(cluster(), id),
        Taggable::Task(cluster(), task.id),
    ] {
        let revision = scene.world.control.view().revision();
        scene.world.control.tag_resource(resource, tags.clone()).await.unwrap();
        assert!(scene.world.control.view().revision() > revision);
    }
    scene.check(&[]);

    scene.world.control.deregister_container_instance(cluster(), id, true).await.unwrap();
    scene.look_away();
    scene.world.wait(crate::placement_failures::KEEP_SECS + 1);
    let overdue = scene.world.control.reap().await.unwrap();
    assert_eq!(overdue.tasks.len(), 1);
    assert_eq!((overdue.container_instances.len(), overdue.placement_failures.len()), (1, 1));
    scene.check(&[]);
}

#[tokio::test]
async fn an_event_names_its_kind_and_what_it_is_about() {
    let scene = Scene::new().await;
    scene.world.register(200, true).await;
    scene.world.run("reports", None).await.unwrap();
    scene.world.run("other reports", None).await.unwrap();
    let owner = scene.world.control.owner();
    let state = scene.world.control.view();
    let instance = state.all_instances().next().unwrap();
    let failure = state.all_placement_failures().next().unwrap();
    let task = state.all_tasks().next().unwrap();
    let rows = [
        (
            Event::TaskStateChange(Arc::clone(task)),
            ("aws.ecs", "ECS Task State Change"),
            owner.task_arn(ArnForm::default(), &cluster(), task.id),
        ),
        (
            instance_state_change(instance, &state),
            ("aws.ecs", "ECS Container Instance State Change"),
            owner.container_instance_arn(ArnForm::default(), &cluster(), instance.id),
        ),
        (
            Event::PlacementFailure(Arc::clone(failure)),
            ("longshore", "Longshore Task Placement Failure"),
            owner.cluster_arn(&cluster()),
        ),
    ];
    for (event, kind, arn) in rows {
        assert_eq!((event.source(), event.detail_type()), kind);
        assert_eq!(event.resource(owner), arn);
    }
}
