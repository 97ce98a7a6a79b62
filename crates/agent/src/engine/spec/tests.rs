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
