use std::time::Duration;

use longshore_model::{
    ClusterName, ContainerInstance, InstanceStatus, LastStatus, Lost, StopCode, Tag, Tags, Task,
};

use super::*;
use crate::tags::Taggable;
use crate::tasks::{ContainerReport, TaskReport};
use crate::testing::{World, cluster};

/// A world, and what its control loop knows.
struct Vigil {
    world: World,
    absences: Absences,
}

impl Vigil {
    /// A cluster with this policy.
    async fn new(policy: Option<&str>) -> Self {
        let world = World::new().await;
        let mut vigil = Self { absences: Absences::of(&world.control.view()), world };
        if let Some(policy) = policy {
            vigil.tag(Taggable::Cluster(cluster()), policy).await;
        }
        vigil.look().await;
        vigil
    }

    async fn tag(&mut self, resource: Taggable, policy: &str) {
        let tags = Tags::new(vec![Tag::new(LOST_AFTER, policy).unwrap()]).unwrap();
        self.world.control.tag_resource(resource, tags).await.unwrap();
    }

    /// An instance with two RUNNING tasks.
    async fn occupied(&mut self) -> (InstanceId, Vec<Arc<Task>>) {
        let instance = self.world.register(4096, true).await;
        let tasks = self.world.run("web", None).await.unwrap().tasks;
        for task in &tasks {
            self.report(task, LastStatus::Running, None).await;
        }
        (instance, tasks)
    }

    async fn connect(&self, instance: InstanceId, connected: bool) {
        self.world.control.set_agent_connected(instance, connected, None).await.unwrap();
    }

    /// How many tasks are lost now.
    async fn look(&mut self) -> usize {
        self.absences.begin_again(&self.world.control.view());
        self.world.control.lose_tasks(&mut self.absences).await.unwrap().len()
    }

    fn task(&self, task: &Task) -> Arc<Task> {
        Arc::clone(self.world.control.view().task(task.id).unwrap())
    }

    fn instance(&self, id: InstanceId) -> Arc<ContainerInstance> {
        Arc::clone(self.world.control.view().instance(id).unwrap())
    }

    async fn report(&self, task: &Task, status: LastStatus, exit_code: Option<i32>) {
        let container = ContainerReport {
            name: "main".parse().unwrap(),
            status,
            exit_code,
            reason: None,
            network_bindings: vec![],
            runtime_id: Some("docker-id".into()),
            image_digest: None,
            health: None,
            health_since: None,
        };
        let report = TaskReport {
            cluster: task.cluster.clone(),
            task: task.id,
            status: Some(status),
            reason: None,
            containers: vec![container],
            pull_started_at: None,
            pull_stopped_at: None,
            execution_stopped_at: None,
        };
        assert!(self.world.control.record_report(report).await.unwrap());
    }
}

#[tokio::test]
async fn tasks_are_left_alone_where_nobody_says_otherwise() {
    for policy in [None, Some("never")] {
        let mut vigil = Vigil::new(policy).await;
        let (instance, _) = vigil.occupied().await;
        vigil.connect(instance, false).await;
        vigil.world.wait(400 * 24 * 3600);
        assert_eq!(vigil.look().await, 0);
        assert_eq!(vigil.absences.wake_at(), None, "nothing is to be looked at again");
    }
}

#[tokio::test]
async fn tasks_are_lost_once_the_time_is_over_and_not_before() {
    let mut vigil = Vigil::new(Some("90s")).await;
    let (instance, tasks) = vigil.occupied().await;
    vigil.connect(instance, false).await;
    vigil.world.wait(89);
    assert_eq!(vigil.look().await, 0);
    let wake_at = vigil.absences.wake_at().unwrap();
    assert_eq!(wake_at, vigil.world.control.now().plus_secs(1));
    vigil.world.wait(1);
    assert_eq!(vigil.look().await, 2);
    assert_eq!(vigil.look().await, 0, "once");

    let task = vigil.task(&tasks[0]);
    assert_eq!((task.last_status, task.lost), (LastStatus::Stopped, Some(Lost::AtLarge)));
    assert_eq!(task.stop_code, Some(StopCode::TerminationNotice));
    assert_eq!(task.stopped_at, Some(vigil.world.control.now()));
    assert_eq!(
        task.stopped_reason.as_deref().unwrap(),
        format!(
            "Lost: container instance {instance} has been away since 1970-01-01T00:00:00Z, longer \
             than 90s (longshore:lost-after of the cluster). The task may still run there; when \
             the instance returns it is stopped before anything else starts there."
        )
    );
    let state = vigil.world.control.view();
    let occupancy = state.occupancy(instance);
    assert_eq!((occupancy.tasks.size(), occupancy.at_large.size()), (0, 2));
    assert_eq!(occupancy.taken.memory_mib, 256, "they may still run there");
    assert_eq!(state.counts(&cluster()).running_tasks, 0);
    state.check_derived().unwrap();
}

#[tokio::test]
async fn an_instance_that_comes_back_in_time_loses_nothing() {
    let mut vigil = Vigil::new(Some("60s")).await;
    let (instance, _) = vigil.occupied().await;
    for _ in 0..5 {
        vigil.connect(instance, false).await;
        vigil.world.wait(59);
        assert_eq!(vigil.look().await, 0);
        vigil.connect(instance, true).await;
        vigil.world.wait(59);
        assert_eq!(vigil.look().await, 0);
        assert_eq!(vigil.absences.wake_at(), None);
    }
}

#[tokio::test]
async fn a_tasks_own_policy_goes_before_its_clusters() {
    let mut vigil = Vigil::new(Some("60s")).await;
    let (instance, tasks) = vigil.occupied().await;
    let task = |at: usize| Taggable::Task(cluster(), tasks[at].id);
    vigil.tag(task(0), "never").await;
    vigil.tag(task(1), "2h").await;
    vigil.connect(instance, false).await;
    vigil.world.wait(7199);
    assert_eq!(vigil.look().await, 0);
    vigil.world.wait(1);
    assert_eq!(vigil.look().await, 1);
    let lost = vigil.task(&tasks[1]);
    let reason = lost.stopped_reason.as_deref().unwrap();
    assert!(reason.contains("longer than 2h (longshore:lost-after of the task)"), "{reason}");
    assert_eq!(vigil.task(&tasks[0]).lost, None);
    // The task's time is changed while its machine is away.
    vigil.tag(task(0), "10s").await;
    assert_eq!(vigil.look().await, 1);
}

#[tokio::test]
async fn the_loop_follows_what_is_committed() {
    let mut vigil = Vigil::new(None).await;
    let (instance, tasks) = vigil.occupied().await;
    let control = vigil.world.control.clone();
    let (mut commits, mut absences) = (control.store().watch(), Absences::of(&control.view()));
    vigil.connect(instance, false).await;
    vigil.world.wait(1000);
    let policy =
        [(Taggable::Cluster(cluster()), "2h"), (Taggable::Task(cluster(), tasks[0].id), "20m")];
    let mut lost = Vec::new();
    for (resource, policy) in policy {
        vigil.tag(resource, policy).await;
    }
    for (wait, expected) in [(0, 0), (199, 0), (1, 1), (5999, 0), (1, 1)] {
        vigil.world.wait(wait);
        while let Ok(Ok(commit)) = tokio::time::timeout(Duration::ZERO, commits.next()).await {
            absences.follow(&commit, &control.view());
        }
        let now = control.lose_tasks(&mut absences).await.unwrap();
        assert_eq!(now.len(), expected, "after {wait}");
        lost.extend(now);
    }
    assert_eq!(lost, [tasks[0].id, tasks[1].id]);
}

#[tokio::test]
async fn a_restart_of_the_control_plane_gives_everybody_the_whole_time_and_that_to_return() {
    let mut vigil = Vigil::new(Some("10m")).await;
    let (instance, _) = vigil.occupied().await;
    vigil.connect(instance, false).await;
    vigil.world.wait(599);
    assert_eq!(vigil.look().await, 0);
    vigil.world = vigil.world.restarted();
    vigil.world.control.forget_connections().await.unwrap();
    let version = vigil.instance(instance).version;
    vigil.world.wait(600 + RETURN_SECS - 1);
    assert_eq!(vigil.look().await, 0);
    vigil.world.wait(1);
    assert_eq!(vigil.look().await, 2);
    assert_eq!(vigil.instance(instance).version, version, "that time passes is no event");
}

#[tokio::test]
async fn a_clock_that_is_set_loses_nothing() {
    for set_by in [3600, -3600] {
        let mut vigil = Vigil::new(Some("10m")).await;
        let (instance, _) = vigil.occupied().await;
        vigil.connect(instance, false).await;
        vigil.world.wait(500);
        assert_eq!(vigil.look().await, 0);
        vigil.world.set_clock(set_by);
        assert_eq!(vigil.look().await, 0, "{set_by}");
        vigil.world.wait(599);
        assert_eq!(vigil.look().await, 0, "{set_by}: its whole time again");
        vigil.world.wait(1);
        assert_eq!(vigil.look().await, 2, "{set_by}");
    }
}

#[tokio::test]
async fn the_time_to_return_outlives_a_clock_that_is_set_as_the_control_plane_starts() {
    for set_by in [3600, -3600] {
        let mut vigil = Vigil::new(Some("10s")).await;
        let (instance, _) = vigil.occupied().await;
        vigil.world = vigil.world.restarted();
        vigil.world.control.forget_connections().await.unwrap();
        vigil.look().await;
        vigil.world.wait(5);
        vigil.world.set_clock(set_by);
        assert_eq!(vigil.look().await, 0);
        vigil.world.wait(RETURN_SECS + 4);
        assert_eq!(vigil.look().await, 0, "{set_by}");
        vigil.world.wait(1);
        assert_eq!(vigil.look().await, 2, "{set_by}");
        assert!(vigil.instance(instance).away_since.is_some());
    }
}

#[tokio::test]
async fn an_agent_that_registers_again_is_about_to_return() {
    let mut vigil = Vigil::new(Some("60s")).await;
    let (instance, _) = vigil.occupied().await;
    vigil.connect(instance, false).await;
    vigil.world.wait(59);
    vigil.world.register_again(instance).await;
    vigil.world.wait(59);
    assert_eq!(vigil.look().await, 0);
    vigil.world.wait(1);
    assert_eq!(vigil.look().await, 2);
}

/// Two tasks that are lost, and their instance is there again.
async fn returned() -> (Vigil, InstanceId, Vec<Arc<Task>>) {
    let mut vigil = Vigil::new(Some("60s")).await;
    let (instance, tasks) = vigil.occupied().await;
    vigil.connect(instance, false).await;
    vigil.world.wait(60);
    assert_eq!(vigil.look().await, 2);
    vigil.connect(instance, true).await;
    (vigil, instance, tasks)
}

#[tokio::test]
async fn a_lost_task_never_comes_back_and_how_it_ended_is_heard() {
    let (vigil, instance, tasks) = returned().await;
    let lost = vigil.task(&tasks[0]);
    vigil.report(&lost, LastStatus::Running, None).await;
    assert_eq!(vigil.task(&lost), lost, "that it runs is known, and changes nothing");

    vigil.world.wait(5);
    vigil.report(&lost, LastStatus::Stopped, Some(137)).await;
    let settled = vigil.task(&lost);
    let at = vigil.world.control.now();
    assert_eq!(settled.lost, Some(Lost::Settled { at }));
    assert_eq!(settled.containers[0].exit_code, Some(137));
    assert_eq!(settled.stopped_at, lost.stopped_at, "to clients it ended when it was given up");
    assert_eq!(settled.stopped_reason, lost.stopped_reason);
    let taken = vigil.world.control.view().occupancy(instance).taken.memory_mib;
    assert_eq!(taken, 128, "what it took is free");

    vigil.report(&lost, LastStatus::Stopped, Some(1)).await;
    assert_eq!(vigil.task(&lost), settled, "said once");
}

#[tokio::test]
async fn what_they_take_is_given_to_nobody_until_the_machine_is_rid_of_them() {
    let mut vigil = Vigil::new(Some("60s")).await;
    let instance = vigil.world.register(256, true).await;
    let tasks = vigil.world.run("web", None).await.unwrap().tasks;
    vigil.connect(instance, false).await;
    vigil.world.wait(60);
    assert_eq!(vigil.look().await, 2);
    let refused = vigil.world.run("web", None).await.unwrap().failures;
    assert_eq!(refused[0].reason.as_str(), "AGENT", "nothing is placed where no agent hears of it");
    vigil.connect(instance, true).await;
    let refused = vigil.world.run("web", None).await.unwrap().failures;
    assert_eq!(refused[0].reason.as_str(), "RESOURCE:MEMORY");
    for task in &tasks {
        vigil.report(task, LastStatus::Stopped, Some(0)).await;
    }
    assert_eq!(vigil.world.run("web", None).await.unwrap().tasks.len(), 2);
    vigil.world.control.view().check_derived().unwrap();
}

#[tokio::test]
async fn they_are_remembered_until_the_machine_has_said_that_they_are_over() {
    let (vigil, _, tasks) = returned().await;
    let control = &vigil.world.control;
    vigil.world.wait(1_000_000);
    assert!(control.reap().await.unwrap().is_empty());
    vigil.report(&tasks[0], LastStatus::Stopped, Some(0)).await;
    vigil.world.wait(3600);
    assert!(control.reap().await.unwrap().is_empty(), "its exit code can be read for an hour");
    vigil.world.wait(1);
    assert_eq!(control.reap().await.unwrap().tasks, [tasks[0].id]);
    assert!(control.view().task(tasks[1].id).is_some());
}

#[tokio::test]
async fn deregistering_ends_the_wait_and_needs_no_force() {
    let (vigil, instance, tasks) = returned().await;
    let control = &vigil.world.control;
    control.deregister_container_instance(cluster(), instance, false).await.unwrap();
    let at = control.now();
    assert!(tasks.iter().all(|it| vigil.task(it).lost == Some(Lost::Settled { at })));
    assert_eq!(vigil.instance(instance).status, InstanceStatus::Inactive);
    assert!(control.view().occupancy(instance).is_empty());
    vigil.world.wait(3601);
    let forgotten = control.reap().await.unwrap();
    assert_eq!((forgotten.tasks.len(), forgotten.container_instances.len()), (2, 1));
}

#[tokio::test]
async fn whoever_wanted_a_task_to_stop_first_has_given_the_reason() {
    let mut vigil = Vigil::new(Some("60s")).await;
    let (instance, tasks) = vigil.occupied().await;
    vigil.connect(instance, false).await;
    let (cluster, task): (ClusterName, _) = (cluster(), tasks[0].id);
    let request = crate::tasks::StopTask { cluster, task, reason: Some("enough".into()) };
    vigil.world.control.stop_task(request).await.unwrap();
    vigil.world.wait(60);
    assert_eq!(vigil.look().await, 2);
    let stopped = vigil.task(&tasks[0]);
    assert_eq!(stopped.stopped_reason.as_deref(), Some("enough"));
    assert_eq!(stopped.stop_code, Some(StopCode::UserInitiated));
    assert_eq!((stopped.last_status, stopped.lost), (LastStatus::Stopped, Some(Lost::AtLarge)));
}
