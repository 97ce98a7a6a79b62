//! The notation of the tests.
//!
//! A task is a list of containers: `web` is essential, `log?` is not, `web->db` links, `web<-data`
//! takes volumes, `web@db:HEALTHY,init:SUCCESS` depends. To its end may be added `+health` (it has a
//! health check), `+gives-up:30` (its start timeout) and `+again:60` (it is started again if it ran
//! so long, but not after it ended with 0). Before the task may stand `pull-first;`,
//! `pull-always;`, `volume;` or `limits;`.

use std::sync::atomic::{AtomicU64, Ordering};

use expect_test::Expect;
use longshore_model::{DesiredStatus, HealthStatus, Ids, Timestamp};
use longshore_wire::acs;

use crate::engine::{
    CreateOutcome, Effect, Exit, Failure, Found, Input, Marks, Policy, Report, StartOutcome,
    TaskSpec, TaskState, step, wake_at,
};

pub(super) const POLICY: Policy =
    Policy { pull_first: false, pull_must_succeed: false, cleanup_wait_secs: 3600 };

/// Counts, so that names can be written down.
#[derive(Default)]
pub(super) struct CountingIds(AtomicU64);

impl Ids for CountingIds {
    fn next_bits(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed)) + 1
    }
}

/// Runs the script and compares what the engine asked for after each line of it.
#[track_caller]
pub(super) fn check(task: &str, script: &str, expect: Expect) {
    let (mut task, policy) = parse_task(task);
    let mut now = Timestamp::from_millis(0);
    let mut seen = String::new();
    for line in script.split(';').map(str::trim) {
        if let Some(secs) = line.strip_prefix("later") {
            now = now.plus_secs(secs.trim().parse().unwrap_or(4 * 3600));
        }
        let input = parse_input(&mut task, line);
        let effects = step(&mut task, input, &policy, now);
        let mut effects: Vec<String> = effects.iter().map(|it| render(&task, it)).collect();
        if task.is_over() {
            effects.push("over".to_owned());
        }
        if let Some(at) = wake_at(&task, &policy, now)
            && task.told_at.is_none()
        {
            effects.push(format!("wake after {} s", (at.millis() - now.millis()) / 1000));
        }
        seen.push_str(&format!("{line}: {}\n", effects.join(", ")));
    }
    expect.assert_eq(&seen);
}

fn parse_task(text: &str) -> (TaskState, Policy) {
    let mut policy = POLICY;
    let (mut volumes, mut memory) = (Vec::new(), None);
    let mut containers = text;
    while let Some((option, rest)) = containers.split_once(';') {
        match option.trim() {
            "pull-first" => policy.pull_first = true,
            "pull-always" => (policy.pull_first, policy.pull_must_succeed) = (true, true),
            "volume" => volumes.push(acs::Volume {
                name: "scratch".to_owned(),
                host: Some(acs::HostVolume::default()),
                ..Default::default()
            }),
            "limits" => memory = Some(512),
            other => panic!("unknown option {other}"),
        }
        containers = rest;
    }
    let ids = CountingIds::default();
    let task = acs::Task {
        arn: "arn:task/t".to_owned(),
        family: "app".to_owned(),
        version: "1".to_owned(),
        containers: containers.split_whitespace().map(parse_container).collect(),
        volumes,
        memory,
        ..Default::default()
    };
    let spec = TaskSpec::parse(task, &ids).unwrap();
    (TaskState::new(spec, DesiredStatus::Running, &ids), policy)
}

fn parse_container(text: &str) -> acs::Container {
    let (text, essential) = match text.strip_suffix('?') {
        Some(text) => (text, false),
        None => (text, true),
    };
    let mut additions = text.split('+');
    let head = additions.next().unwrap();
    let mut container = acs::Container { essential, ..Default::default() };
    if let Some((name, target)) = head.split_once("->") {
        container.name = name.to_owned();
        container.links.push(target.to_owned());
    } else if let Some((name, source)) = head.split_once("<-") {
        container.name = name.to_owned();
        let source_container = source.to_owned();
        container.volumes_from.push(acs::VolumeFrom { source_container, read_only: false });
    } else if let Some((name, dependencies)) = head.split_once('@') {
        container.name = name.to_owned();
        container.depends_on = Some(dependencies.split(',').map(parse_dependency).collect());
    } else {
        container.name = head.to_owned();
    }
    for addition in additions {
        let (what, number) = addition.split_once(':').unwrap_or((addition, "0"));
        let number: i64 = number.parse().unwrap();
        match what {
            "health" => container.health_check_type = Some("docker".to_owned()),
            "gives-up" => container.start_timeout = Some(number),
            "again" => {
                container.restart_policy = Some(acs::RestartPolicy {
                    enabled: true,
                    ignored_exit_codes: Some(vec![0]),
                    restart_attempt_period: Some(number),
                });
            }
            other => panic!("unknown addition {other}"),
        }
    }
    container
}

fn parse_dependency(text: &str) -> acs::ContainerDependency {
    let (name, condition) = text.split_once(':').expect("name:CONDITION");
    acs::ContainerDependency { container_name: name.to_owned(), condition: condition.to_owned() }
}

fn parse_input(task: &mut TaskState, line: &str) -> Input {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = |task: &TaskState, name: &str| {
        task.spec.containers.iter().position(|it| it.name == name).expect("a container's name")
    };
    match *words.as_slice() {
        ["tick" | "later"] | ["later", _] => Input::Tick,
        ["stop"] => Input::StopRequested,
        ["accepted"] => Input::ReportAccepted,
        ["cleaned"] => Input::CleanedUp,
        ["prepared"] => Input::Prepared(Ok(())),
        ["unprepared"] => Input::Prepared(Err(Failure::ResourceInitialization.because("no"))),
        ["healthy", name] => {
            Input::Health { container: at(task, name), status: HealthStatus::Healthy }
        }
        ["unhealthy", name] => {
            Input::Health { container: at(task, name), status: HealthStatus::Unhealthy }
        }
        ["created", name] => Input::Created {
            container: at(task, name),
            outcome: CreateOutcome::Created { docker_id: format!("id-{name}"), image_digest: None },
        },
        ["missing", name] => Input::Created {
            container: at(task, name),
            outcome: CreateOutcome::ImageMissing(Failure::CannotCreateContainer.because("no")),
        },
        ["pulled", name] => Input::Pulled {
            container: at(task, name),
            started_at: Some(Timestamp::from_millis(0)),
            outcome: Ok(()),
        },
        ["unpullable", name] => Input::Pulled {
            container: at(task, name),
            started_at: Some(Timestamp::from_millis(0)),
            outcome: Err(Failure::CannotPullContainer.because("no")),
        },
        ["started", name] => Input::Started {
            container: at(task, name),
            outcome: StartOutcome::Started { network_bindings: Vec::new() },
        },
        ["unstartable", name] => Input::Started {
            container: at(task, name),
            outcome: StartOutcome::Failed(Failure::CannotStartContainer.because("no")),
        },
        ["exited", name, code] => exited(at(task, name), code, None),
        ["exited", name, code, "after", secs] => exited(at(task, name), code, Some(secs)),
        ["restart", ..] => {
            restart(task);
            Input::Adopted(words.iter().skip(1).map(|it| parse_found(it)).collect())
        }
        _ => panic!("unknown input {line:?}"),
    }
}

fn exited(container: usize, code: &str, secs: Option<&str>) -> Input {
    let ran_secs = secs.map(|it| it.parse().unwrap());
    let exit = Exit { code: Some(code.parse().unwrap()), reason: None, ran_secs, at: None };
    Input::Exited { container, exit }
}

/// What is left of the state when the agent ends and reads its file again.
pub(super) fn restart(task: &mut TaskState) {
    let saved = serde_json::to_string(task).unwrap();
    *task = serde_json::from_str(&saved).unwrap();
}

fn parse_found(text: &str) -> Found {
    let (name, found) = text.split_once('=').expect("name=state");
    let marks = Marks { docker_name: format!("docker-{name}"), docker_id: format!("id-{name}") };
    match found.split_once(':') {
        None if found == "missing" => Found::Missing,
        None if found == "created" => Found::Created(marks),
        None if found == "running" => Found::Running { marks, network_bindings: Vec::new() },
        Some(("exited", code)) => {
            let (code, secs) = code.split_once(':').unwrap_or((code, "0"));
            let ran_secs = Some(secs.parse().unwrap());
            let exit = Exit { code: Some(code.parse().unwrap()), reason: None, ran_secs, at: None };
            Found::Exited { marks, exit }
        }
        _ => panic!("unknown state {found:?}"),
    }
}

fn render(task: &TaskState, effect: &Effect) -> String {
    let name = |container: &usize| task.spec.containers[*container].name.as_str();
    match effect {
        Effect::Prepare => "prepare".to_owned(),
        Effect::FollowHealth { container, known } => {
            format!("follow {} from {}", name(container), known.as_str())
        }
        Effect::Pull(container) => format!("pull {}", name(container)),
        Effect::Create(container) => format!("create {}", name(container)),
        Effect::Start(container) => format!("start {}", name(container)),
        Effect::Watch(container) => format!("watch {}", name(container)),
        Effect::Stop(container) => format!("stop {}", name(container)),
        Effect::Submit(report) => format!("submit {}", render_report(report)),
        Effect::CleanUp { containers, volumes, limits } => {
            let volumes = match volumes.is_empty() {
                true => String::new(),
                false => format!(" and volumes {}", volumes.join(" ")),
            };
            let limits = if *limits { " and limits" } else { "" };
            format!("clean up {}{volumes}{limits}", containers.join(" "))
        }
    }
}

fn render_report(report: &Report) -> String {
    let reason = report.reason.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
    let containers: Vec<String> = report
        .containers
        .iter()
        .map(|it| {
            let exit = it.exit_code.map(|code| format!(" exit {code}")).unwrap_or_default();
            let because = it.reason.as_ref().map(|it| format!(" because {it}")).unwrap_or_default();
            let health = it.health.map(|it| format!(" {}", it.as_str())).unwrap_or_default();
            format!("{} {}{health}{exit}{because}", it.name, it.status.as_str())
        })
        .collect();
    format!("{}{reason} [{}]", report.status.as_str(), containers.join(", "))
}
