use expect_test::{Expect, expect};
use longshore_model::{DesiredStatus, Ids};
use longshore_wire::acs;

use super::*;

struct Ones;

impl Ids for Ones {
    fn next_bits(&self) -> u128 {
        u128::MAX
    }
}

fn render(members: &str) -> Result<Value, Reason> {
    render_in("", members)
}

/// Members of the task, each with a comma after it, and of its first container.
fn render_in(of_task: &str, members: &str) -> Result<Value, Reason> {
    render_where(Reach::Nowhere, of_task, members)
}

fn render_where(reach: Reach, of_task: &str, members: &str) -> Result<Value, Reason> {
    let json = format!(
        r#"{{"arn":"t","family":"app","version":"2",{of_task}
            "volumes":[{{"name":"shared","host":{{}}}},
                       {{"name":"logs","host":{{"sourcePath":"/var/log"}}}},
                       {{"name":"cache","type":"docker",
                         "dockerVolumeConfiguration":{{"scope":"shared"}}}}],
            "containers":[{{"name":"web","image":"web:1",{members}}},{{"name":"db"}}]}}"#
    );
    let task = longshore_wire::parse::<acs::Task>(json.as_bytes()).unwrap().shape;
    let spec = TaskSpec::parse(task, &Ones).unwrap();
    let task = TaskState::new(spec, DesiredStatus::Running, &Ones);
    let common = Common {
        cluster: "default".into(),
        container_instance: "ci".into(),
        least_memory_mib: 6,
        reach,
    };
    let body = body(&common, &task, &task.spec.containers[0])?;
    Ok(serde_json::to_value(body).unwrap())
}

/// Compares the members of the answer that are at `pointers`, one a line.
#[track_caller]
fn check(members: &str, pointers: &[&str], expect: Expect) {
    let seen = match render(members) {
        Err(reason) => format!("{reason}\n"),
        Ok(body) => pointers
            .iter()
            .map(|it| format!("{it} = {}\n", body.pointer(it).unwrap_or(&Value::Null)))
            .collect(),
    };
    expect.assert_eq(&seen);
}

#[test]
fn nothing_asked_leaves_everything_to_the_image_and_to_docker() {
    check(
        r#""cpu":0"#,
        &["/Image", "/Cmd", "/Entrypoint", "/HostConfig"],
        expect![[r#"
            /Image = "web:1"
            /Cmd = null
            /Entrypoint = null
            /HostConfig = {"CpuShares":2,"Memory":0}
        "#]],
    );
}

#[test]
fn cpu_and_memory_are_raised_to_what_docker_takes() {
    check(
        r#""cpu":1,"memory":4"#,
        &["/HostConfig/CpuShares", "/HostConfig/Memory"],
        expect![[r#"
            /HostConfig/CpuShares = 2
            /HostConfig/Memory = 6291456
        "#]],
    );
    check(
        r#""cpu":10,"memory":64"#,
        &["/HostConfig/CpuShares", "/HostConfig/Memory"],
        expect![[r#"
            /HostConfig/CpuShares = 10
            /HostConfig/Memory = 67108864
        "#]],
    );
}

#[test]
fn words_and_environment_are_passed_on() {
    check(
        r#""command":["a","b"],"entryPoint":["/e"],"environment":{"A":"1","B":"x=y"}"#,
        &["/Cmd", "/Entrypoint", "/Env"],
        expect![[r#"
            /Cmd = ["a","b"]
            /Entrypoint = ["/e"]
            /Env = ["A=1","B=x=y"]
        "#]],
    );
}

#[test]
fn ports_are_exposed_and_bound() {
    check(
        r#""portMappings":[{"containerPort":80,"hostPort":0},
                           {"containerPort":80,"hostPort":8080},
                           {"containerPort":53,"hostPort":5353,"protocol":"udp"}]"#,
        &["/ExposedPorts/80~1tcp", "/HostConfig/PortBindings"],
        expect![[r#"
            /ExposedPorts/80~1tcp = {}
            /HostConfig/PortBindings = {"53/udp":[{"HostIp":"0.0.0.0","HostPort":"5353"}],"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"0"},{"HostIp":"0.0.0.0","HostPort":"8080"}]}
        "#]],
    );
}

#[test]
fn links_and_volumes_name_dockers_names() {
    check(
        r#""links":["db:store"],"volumesFrom":[{"sourceContainer":"db","readOnly":true}],
           "mountPoints":[{"sourceVolume":"shared","containerPath":"/s"},
                          {"sourceVolume":"cache","containerPath":"/c"},
                          {"sourceVolume":"logs","containerPath":"/l","readOnly":true}]"#,
        &["/HostConfig/Links", "/HostConfig/VolumesFrom", "/HostConfig/Binds"],
        expect![[r#"
            /HostConfig/Links = ["ecs-app-2-db-ffffffffffffffffffff:store"]
            /HostConfig/VolumesFrom = ["ecs-app-2-db-ffffffffffffffffffff:ro"]
            /HostConfig/Binds = ["ecs-app-2-shared-ffffffffffffffffffff:/s","cache:/c","/var/log:/l:ro"]
        "#]],
    );
}

#[test]
fn a_mount_point_that_makes_no_sense_is_the_containers_failure() {
    check(
        r#""mountPoints":[{"sourceVolume":"nope","containerPath":"/s"}]"#,
        &[],
        expect![[r#"
            HostConfigError: Unknown volume "nope" in a mount point
        "#]],
    );
    check(
        r#""mountPoints":[{"sourceVolume":"shared"}]"#,
        &[],
        expect![[r#"
            HostConfigError: Volume "shared" is mounted without a container path
        "#]],
    );
}

#[test]
fn dockers_own_json_wins_over_the_typed_members() {
    check(
        r#""memory":64,"command":["a"],"dockerConfig":{
           "config":"{\"User\":\"nobody\",\"Cmd\":[\"b\"],\"Hostname\":null}",
           "hostConfig":"{\"Memory\":1,\"NetworkMode\":\"host\",\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":1,\"Hard\":2}]}"}"#,
        &["/User", "/Cmd", "/HostConfig/Memory", "/HostConfig/NetworkMode", "/HostConfig/Ulimits"],
        expect![[r#"
            /User = "nobody"
            /Cmd = ["b"]
            /HostConfig/Memory = 1
            /HostConfig/NetworkMode = "host"
            /HostConfig/Ulimits = [{"Hard":2,"Name":"nofile","Soft":1}]
        "#]],
    );
}

#[test]
fn our_labels_win_over_the_users() {
    check(
        r#""dockerConfig":{"config":"{\"Labels\":{\"mine\":\"1\",\"com.amazonaws.ecs.task-arn\":\"forged\"}}"}"#,
        &["/Labels"],
        expect![[r#"
            /Labels = {"com.amazonaws.ecs.cluster":"default","com.amazonaws.ecs.container-name":"web","com.amazonaws.ecs.task-arn":"t","com.amazonaws.ecs.task-definition-family":"app","com.amazonaws.ecs.task-definition-version":"2","io.longshore.container-instance":"ci","mine":"1"}
        "#]],
    );
}

#[test]
fn dockers_json_that_makes_no_sense_is_the_containers_failure() {
    check(
        r#""dockerConfig":{"config":"{"}"#,
        &[],
        expect![[r#"
            DockerClientConfigError: EOF while parsing an object at line 1 column 1
        "#]],
    );
    check(
        r#""dockerConfig":{"hostConfig":"{\"Memory\":\"much\"}"}"#,
        &[],
        expect![[r#"
            HostConfigError: invalid type: string "much", expected i64
        "#]],
    );
    check(
        r#""dockerConfig":{"hostConfig":"[]"}"#,
        &[],
        expect![[r#"
            HostConfigError: invalid type: sequence, expected a map at line 1 column 0
        "#]],
    );
}

#[test]
fn no_json_is_as_good_as_empty_json() {
    check(
        r#""dockerConfig":{"config":"null","hostConfig":"{}"}"#,
        &["/HostConfig"],
        expect![[r#"
            /HostConfig = {"CpuShares":2,"Memory":0}
        "#]],
    );
}

#[test]
fn the_containers_of_a_limited_task_have_its_group_as_parent() {
    let body = render_in(r#""memory":64,"#, r#""memory":32"#).unwrap();
    assert_eq!(body.pointer("/HostConfig/CgroupParent"), Some(&Value::from("/ecs/t")));
    let body = render_in("", r#""memory":32"#).unwrap();
    assert_eq!(body.pointer("/HostConfig/CgroupParent"), None);
}

#[track_caller]
fn check_environment(members: &str, expect: Expect) {
    let body = render_where(Reach::LinkLocal, "", members).unwrap();
    let environment = body["Env"].as_array().unwrap().iter();
    let lines: Vec<_> = environment.map(|it| it.as_str().unwrap()).collect();
    expect.assert_eq(&lines.join("\n"));
}

#[test]
fn a_container_is_told_where_its_metadata_is() {
    check_environment(
        r#""environment":{"A":"1"}"#,
        expect![[r#"
            A=1
            ECS_CONTAINER_METADATA_URI=http://169.254.170.2/v3/ffffffff-ffff-4fff-bfff-ffffffffffff
            ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/ffffffff-ffff-4fff-bfff-ffffffffffff"#]],
    );
}

#[test]
fn what_a_definition_says_of_that_gives_way() {
    check_environment(
        r#""environment":{"ECS_CONTAINER_METADATA_URI":"mine","ECS_CONTAINER_METADATA_URI_V":"2"},
           "dockerConfig":{"config":"{\"Env\":[\"ECS_CONTAINER_METADATA_URI_V4=mine\",\"B\"]}",
                           "hostConfig":"{\"NetworkMode\":\"host\"}"}"#,
        expect![[r#"
            B
            ECS_CONTAINER_METADATA_URI=http://169.254.170.2/v3/ffffffff-ffff-4fff-bfff-ffffffffffff
            ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/ffffffff-ffff-4fff-bfff-ffffffffffff"#]],
    );
}

#[test]
fn a_container_without_a_network_is_told_nothing() {
    for config in
        [r#""hostConfig":"{\"NetworkMode\":\"none\"}""#, r#""config":"{\"NetworkDisabled\":true}""#]
    {
        let members = format!(r#""environment":{{"A":"1"}},"dockerConfig":{{{config}}}"#);
        check_environment(&members, expect!["A=1"]);
    }
}
