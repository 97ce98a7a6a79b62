use super::read::read_link;
use super::*;

struct Ones;

impl Ids for Ones {
    fn next_bits(&self) -> u128 {
        u128::MAX
    }
}

fn parse(json: &str) -> Result<TaskSpec, Rejection> {
    let task = longshore_wire::parse::<acs::Task>(json.as_bytes()).unwrap().shape;
    TaskSpec::parse(task, &Ones)
}

#[track_caller]
fn check_container(members: &str, expect: Result<(), &str>) {
    let json = format!(r#"{{"arn":"a","containers":[{{"name":"web",{members}}}]}}"#);
    let text = parse(&json).map(|_| ()).map_err(|it| it.reason.to_string());
    let expect = expect.map_err(|it| {
        format!("UnrecogniedTaskError: Error loading task - container \"web\": {it}")
    });
    assert_eq!(text, expect);
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    check_container(r#""cpu":-1"#, Err("its cpu -1 is out of range"));
    check_container(r#""memory":99999999999"#, Err("its memory 99999999999 is out of range"));
    check_container(
        r#""portMappings":[{"containerPort":70000}]"#,
        Err("its port 70000 is out of range"),
    );
    check_container(r#""portMappings":[{}]"#, Err("its container port is 0"));
    check_container(
        r#""portMappings":[{"containerPort":1,"protocol":"sctp"}]"#,
        Err("its port's protocol \"sctp\" is unknown"),
    );
    check_container(
        r#""overrides":"{\"bogus\":1}""#,
        Err("its overrides cannot be read: unknown field `bogus`, expected `command` at line 1 \
             column 8"),
    );
}

#[test]
fn empty_overrides_are_none_in_every_spelling() {
    check_container(r#""overrides":"{}""#, Ok(()));
    check_container(r#""overrides":"""#, Ok(()));
    check_container(r#""overrides":"null""#, Ok(()));
    check_container(r#""overrides":null"#, Ok(()));
}

#[test]
fn an_override_of_the_command_replaces_it() {
    let json = r#"{"containers":[{"name":"a","command":["x"],
                   "overrides":"{\"command\":[\"y\",\"z\"]}"}]}"#;
    let container = parse(json).unwrap().containers.remove(0);
    assert_eq!(container.command, ["y", "z"]);
}

#[test]
fn a_link_without_an_alias_is_its_own() {
    assert_eq!(read_link("db"), LinkSpec { container: "db".into(), alias: "db".into() });
    assert_eq!(read_link("db:store"), LinkSpec { container: "db".into(), alias: "store".into() });
}

#[test]
fn a_volume_without_a_path_is_dockers_under_a_name_of_its_own() {
    let json = r#"{"family":"app","version":"3","containers":[],
                   "volumes":[{"name":"a_b","host":{}},{"name":"c","host":{"sourcePath":"/c"}}]}"#;
    let volumes = parse(json).unwrap().volumes;
    let sources: Vec<_> = volumes.into_iter().map(|it| it.source).collect();
    assert_eq!(
        sources,
        [
            VolumeSource::Docker(format!("ecs-app-3-ab-{}", "f".repeat(20))),
            VolumeSource::Host("/c".into()),
        ]
    );
}

#[test]
fn a_volume_without_a_host_and_two_containers_of_one_name_are_refused() {
    assert!(parse(r#"{"volumes":[{"name":"a"}]}"#).is_err());
    assert!(parse(r#"{"volumes":[{"host":{}}]}"#).is_err());
    assert!(parse(r#"{"containers":[{"name":"a"},{"name":"a"}]}"#).is_err());
}

#[test]
fn a_task_shows_no_environment() {
    let json = r#"{"containers":[{"name":"a","environment":{"PASSWORD":"hunter2"},
                   "dockerConfig":{"config":"hunter2","hostConfig":"hunter2"}}]}"#;
    assert!(!format!("{:?}", parse(json).unwrap()).contains("hunter2"));
}

#[test]
fn what_todays_members_cannot_mean_is_refused_by_name() {
    check_container(r#""startTimeout":-1"#, Err("its start timeout -1 is out of range"));
    check_container(r#""stopTimeout":-1"#, Err("its stop timeout -1 is out of range"));
    check_container(
        r#""dependsOn":[{"containerName":"db","condition":"STARTED"}]"#,
        Err("its dependency's condition \"STARTED\" is unknown"),
    );
    check_container(
        r#""healthCheckType":"magic""#,
        Err("its health check's type \"magic\" is unknown"),
    );
    check_container(
        r#""registryAuthentication":{"type":"ecr","ecrAuthData":{}}"#,
        Err("its registry authentication of type \"ecr\" is not supported"),
    );
    check_container(
        r#""registryAuthentication":{"type":"basic"}"#,
        Err("its registry authentication of type \"basic\" is not supported"),
    );
}

#[track_caller]
fn check_task(members: &str, expect: &str) {
    let text = parse(&format!(r#"{{"arn":"a",{members}}}"#)).unwrap_err().reason.to_string();
    assert_eq!(text, format!("UnrecogniedTaskError: Error loading task - {expect}"));
}

#[test]
fn what_this_agent_cannot_do_for_a_task_is_refused_by_name() {
    check_task(r#""pidMode":"task""#, "pidMode task is not supported");
    check_task(r#""ipcMode":"task""#, "ipcMode task is not supported");
    check_task(r#""cpu":-0.5"#, "its cpu Some(-0.5) is out of range");
    check_task(r#""memory":-1"#, "its memory -1 is out of range");
    check_task(
        r#""volumes":[{"name":"v","type":"efs"}]"#,
        "volume \"v\" is of type \"efs\", which is not supported",
    );
    check_task(
        r#""volumes":[{"name":"v","type":"docker","dockerVolumeConfiguration":{"scope":"all"}}]"#,
        "volume \"v\" has the unknown scope \"all\"",
    );
}

#[test]
fn namespaces_of_the_host_travel_in_dockers_json() {
    let json = r#"{"pidMode":"host","ipcMode":"none","networkMode":"host","containers":[]}"#;
    assert!(parse(json).is_ok());
}

#[test]
fn a_tasks_cpu_counts_in_vcpu_and_its_memory_in_mib() {
    let limits = parse(r#"{"cpu":0.25,"memory":512,"containers":[]}"#).unwrap().limits;
    assert_eq!(limits, Limits { cpu_units: 256, memory_mib: 512 });
}

#[test]
fn a_restart_policy_counts_if_it_is_enabled_and_has_a_period_of_five_minutes() {
    let policy = |json: &str| {
        let json = format!(r#"{{"containers":[{{"name":"a","restartPolicy":{json}}}]}}"#);
        parse(&json).unwrap().containers.remove(0).restart_policy
    };
    assert_eq!(policy(r#"{"enabled":false}"#), None);
    let expect = RestartPolicy { ignored_exit_codes: vec![], restart_attempt_period_secs: 300 };
    assert_eq!(policy(r#"{"enabled":true}"#), Some(expect));
    let expect = RestartPolicy { ignored_exit_codes: vec![0], restart_attempt_period_secs: 60 };
    let json = r#"{"enabled":true,"ignoredExitCodes":[0],"restartAttemptPeriod":60}"#;
    assert_eq!(policy(json), Some(expect));
}

#[test]
fn a_container_is_started_again_if_it_ran_long_enough_and_its_exit_code_is_not_ignored() {
    let policy = RestartPolicy { ignored_exit_codes: vec![0, 3], restart_attempt_period_secs: 60 };
    let allows = |code: Option<i32>, ran_secs: Option<u32>| {
        policy.allows(&Exit { code, reason: None, ran_secs, at: None })
    };
    assert!(allows(Some(1), Some(60)));
    assert!(!allows(Some(1), Some(59)));
    assert!(!allows(Some(0), Some(60)));
    assert!(!allows(Some(3), Some(600)));
    assert!(!allows(None, Some(60)));
    assert!(!allows(Some(1), None));
}

#[test]
fn a_docker_volume_of_the_task_has_a_name_of_its_own_and_a_shared_one_has_its() {
    let volume = |json: &str| {
        let json = format!(
            r#"{{"family":"app","version":"3","containers":[],"volumes":[
                {{"name":"v","type":"docker","dockerVolumeConfiguration":{json}}}]}}"#
        );
        match parse(&json).unwrap().volumes.remove(0).source {
            VolumeSource::Configured(volume) => volume,
            other => panic!("{other:?}"),
        }
    };
    let of_task = volume(r#"{"driver":"local","driverOpts":{"type":"tmpfs"},"labels":{"a":"b"}}"#);
    assert_eq!(of_task.docker_name, format!("ecs-app-3-v-{}", "f".repeat(20)));
    assert_eq!(of_task.scope, VolumeScope::Task);
    assert_eq!(of_task.driver.as_deref(), Some("local"));
    assert_eq!(of_task.driver_opts["type"], "tmpfs");
    assert_eq!(of_task.labels["a"], "b");
    let shared = volume(r#"{"scope":"shared"}"#);
    assert_eq!((shared.docker_name.as_str(), shared.scope), ("v", VolumeScope::Shared));
    let shared = volume(r#"{"scope":"shared","autoprovision":true}"#);
    assert_eq!(shared.scope, VolumeScope::SharedAutoprovision);
}

#[test]
fn a_task_shows_no_password() {
    let json = r#"{"containers":[{"name":"a","registryAuthentication":{"type":"basic",
                   "basicAuthData":{"username":"u","password":"hunter2"}}}]}"#;
    let spec = parse(json).unwrap();
    assert!(!format!("{spec:?} {:?}", spec.containers[0].registry_login).contains("hunter2"));
}
