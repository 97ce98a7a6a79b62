use super::*;
use crate::tasks::{Health, HealthReport, RecordHealthError, TaskReport};
use crate::testing::{World, cluster};
use longshore_model::HealthStatus;

/// An instance with two tasks of one container `main`, and another instance.
struct Scene {
    world: World,
    instance: InstanceId,
    tasks: [TaskId; 2],
    other: InstanceId,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let instance = world.register(1024, true).await;
        let launched = world.run("g", None).await.unwrap();
        let tasks = [launched.tasks[0].id, launched.tasks[1].id];
        let other = world.register(1024, true).await;
        Self { world, instance, tasks, other }
    }

    fn tell(&self, id: &str, is_last: bool, told: &[TaskUsage]) -> Result<(), ForeignTask> {
        let part = Part { message_id: id, is_last };
        self.world.control.record_metrics(self.instance, part, told)
    }

    fn used(&self) -> Option<f64> {
        let control = &self.world.control;
        let used = control.telemetry().used(self.instance, control.now())?;
        used.cpu_percent.map(Sampled::mean)
    }

    async fn stop(&self, task: TaskId) {
        let report = TaskReport {
            cluster: cluster(),
            task,
            status: Some(LastStatus::Stopped),
            reason: None,
            containers: Vec::new(),
            pull_started_at: None,
            pull_stopped_at: None,
            execution_stopped_at: None,
        };
        assert!(self.world.control.record_report(report).await.unwrap());
    }
}

fn usage(task: TaskId, name: Option<&str>, cpu: f64) -> TaskUsage {
    let sampled = Sampled::new(cpu, cpu, 1, 100.0);
    let usage = Usage { cpu_percent: sampled, memory_mib: sampled };
    let name = name.map(|it| it.parse().unwrap());
    let traffic = Some(Traffic { received: cpu as u64, ..Traffic::default() });
    TaskUsage { task, containers: vec![ContainerUsage { name, usage, traffic }] }
}

#[tokio::test]
async fn an_instance_uses_what_its_tasks_use_once_a_round_is_complete() {
    let scene = Scene::new().await;
    let [a, b] = scene.tasks;
    assert_eq!(scene.used(), None);
    scene.tell("1", false, &[usage(a, Some("main"), 2.0)]).unwrap();
    assert_eq!(scene.used(), None);
    scene.tell("1", true, &[usage(b, None, 3.0)]).unwrap();
    assert_eq!(scene.used(), Some(5.0));
    scene.tell("2", false, &[usage(a, Some("main"), 2.0)]).unwrap();
    scene.tell("3", true, &[usage(b, None, 7.0)]).unwrap();
    assert_eq!(scene.used(), Some(7.0), "the round before was never complete");
    scene.tell("4", true, &[]).unwrap();
    assert_eq!(scene.used(), Some(0.0), "idle");
    scene.world.wait(91);
    assert_eq!(scene.used(), None, "nothing was told lately");
    let series = scene.world.control.telemetry().of_instance(scene.instance).unwrap();
    assert_eq!(series.minutes(scene.world.control.now()).count(), 1);
}

#[tokio::test]
async fn a_task_has_a_series_for_each_container_that_it_has() {
    let scene = Scene::new().await;
    let [a, _] = scene.tasks;
    for name in [Some("main"), Some("main"), Some("none-of-its"), None, None] {
        scene.tell("1", true, &[usage(a, name, 1.0)]).unwrap();
    }
    let figures = scene.world.control.telemetry().of_task(a).unwrap();
    let names: Vec<_> = figures.iter().map(|it| it.0.as_ref().map(ToString::to_string)).collect();
    assert_eq!(names, [Some("main".to_owned()), None]);
    assert_eq!(figures[0].2.unwrap().received, 1);
    let mut silent = usage(a, Some("main"), 2.0);
    silent.containers[0].traffic = None;
    for (told, received) in
        [(usage(a, Some("main"), 9.0), 9), (silent, 9), (usage(a, Some("main"), 0.0), 0)]
    {
        scene.tell("1", true, &[told]).unwrap();
        let figures = scene.world.control.telemetry().of_task(a).unwrap();
        assert_eq!(figures[0].2.unwrap().received, received, "what was told last counts");
    }
}

#[tokio::test]
async fn a_task_of_another_instance_is_refused_and_nothing_is_recorded() {
    let scene = Scene::new().await;
    let [a, b] = scene.tasks;
    let control = &scene.world.control;
    let part = Part { message_id: "1", is_last: true };
    let told = [usage(a, None, 1.0), usage(b, None, 1.0)];
    assert_eq!(control.record_metrics(scene.other, part, &told), Err(ForeignTask(a)));
    let health = Health { status: HealthStatus::Healthy, since: Some(control.now()) };
    let report = HealthReport { task: b, containers: vec![("main".parse().unwrap(), health)] };
    let refused = control.record_health(scene.other, vec![report]).await;
    assert!(matches!(refused, Err(RecordHealthError::Foreign(ForeignTask(it))) if it == b));
    assert_eq!(control.telemetry().len(), (0, 0));
    assert_eq!(control.view().task(b).unwrap().containers[0].health, None);
}

#[tokio::test]
async fn what_has_ended_is_neither_kept_nor_recorded_anew() {
    let scene = Scene::new().await;
    let [a, b] = scene.tasks;
    let control = &scene.world.control;
    scene.tell("1", true, &[usage(a, None, 1.0), usage(b, None, 1.0)]).unwrap();
    assert_eq!(control.telemetry().len(), (2, 1));
    scene.stop(a).await;
    control.telemetry().forget_task(a);
    let gone = TaskId::from_bits(1);
    scene.tell("2", true, &[usage(a, None, 1.0), usage(gone, None, 1.0)]).unwrap();
    assert_eq!(control.telemetry().len(), (1, 1));
    scene.stop(b).await;
    control.telemetry().forget_absent(&control.view());
    assert_eq!(control.telemetry().len(), (0, 1));
}

#[tokio::test]
async fn health_that_is_said_again_is_no_update() {
    let scene = Scene::new().await;
    let [a, _] = scene.tasks;
    let control = &scene.world.control;
    let say = async |status, since_secs: i64| {
        let since = Some(Timestamp::from_millis(since_secs * 1000));
        let containers = vec![("main".parse().unwrap(), Health { status, since })];
        let report = HealthReport { task: a, containers };
        control.record_health(scene.instance, vec![report]).await.unwrap();
        let state = control.view();
        (state.task(a).unwrap().containers[0].health, state.task(a).unwrap().version)
    };
    use HealthStatus::{Healthy, Unhealthy};
    scene.world.wait(100);
    assert_eq!(say(Healthy, 10).await, (Some(Healthy), 2));
    assert_eq!(say(Healthy, 10).await, (Some(Healthy), 2));
    assert_eq!(say(Unhealthy, 20).await, (Some(Unhealthy), 3));
    assert_eq!(say(Healthy, 10).await, (Some(Unhealthy), 3), "an old report, late");
    assert_eq!(say(Healthy, 500_000).await, (Some(Healthy), 4), "by a clock that is fast");
    assert_eq!(say(Healthy, 500_000).await, (Some(Healthy), 4));
    scene.world.wait(10);
    assert_eq!(say(Unhealthy, 110).await, (Some(Unhealthy), 5), "its clock was set right");
    scene.stop(a).await;
    assert_eq!(say(Healthy, 110).await.0, Some(Unhealthy), "it has stopped");
}

#[test]
fn checks_come_to_the_worst_of_them() {
    use CheckStatus::{Impaired, InsufficientData, Ok};
    let check = |kind, status| Check { kind, status, updated_at: None, changed_at: None };
    let (runtime, daemon) = (CheckKind::ContainerRuntime, CheckKind::Daemon);
    assert_eq!(CheckStatus::overall(&[]), InsufficientData);
    assert_eq!(CheckStatus::overall(&[check(runtime, Ok)]), Ok);
    assert_eq!(CheckStatus::overall(&[check(runtime, Ok), check(daemon, Impaired)]), Impaired);
    let mut kept = vec![check(runtime, Ok)];
    check(runtime, Impaired).put_into(&mut kept);
    assert_eq!(kept, [check(runtime, Impaired)]);
}
