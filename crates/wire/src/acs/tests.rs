use super::*;
use crate::FrameError;

#[test]
fn an_unknown_message_type_is_tolerated() {
    let frame = r#"{"type":"SomethingNew","message":{"a":1}}"#;
    assert_eq!(ServerMessage::decode(frame), Ok(None));
    assert_eq!(AgentMessage::decode(frame), Ok(None));
}

#[test]
fn a_frame_that_is_no_message_is_refused() {
    assert_eq!(ServerMessage::decode("nonsense"), Err(FrameError::NotAnObject));
    assert_eq!(ServerMessage::decode("[1]"), Err(FrameError::NotAnObject));
    assert_eq!(ServerMessage::decode("{}"), Err(FrameError::NoType));
    assert_eq!(ServerMessage::decode(r#"{"type":7}"#), Err(FrameError::NoType));
}

#[test]
fn a_wrong_type_inside_a_message_is_named() {
    let frame = r#"{"type":"PayloadMessage","message":{"tasks":[{"arn":7}]}}"#;
    assert_eq!(
        ServerMessage::decode(frame).unwrap_err().to_string(),
        "PayloadMessage cannot be read: NUMBER_VALUE cannot be converted to String at tasks[0].arn"
    );
}

#[test]
fn missing_and_null_members_get_their_defaults() {
    let frame = r#"{"type":"PayloadMessage","message":{"messageId":"m","seqNum":null,
        "tasks":[{"arn":"T1","containers":[{"name":"web","links":null,"dockerConfig":null,
        "aMemberOfLaterYears":3}]}]}}"#;
    let Some(ServerMessage::Payload(payload)) = ServerMessage::decode(frame).unwrap() else {
        panic!("not a payload");
    };
    let container = Container { name: "web".into(), ..Container::default() };
    let task = Task { arn: "T1".into(), containers: vec![container], ..Task::default() };
    let expect =
        PayloadMessage { message_id: "m".into(), tasks: vec![task], ..PayloadMessage::default() };
    assert_eq!(payload, expect);
}

#[test]
fn a_message_without_members_may_lack_its_message() {
    let expect = ServerMessage::Heartbeat(HeartbeatMessage::default());
    assert_eq!(ServerMessage::decode(r#"{"type":"HeartbeatMessage"}"#), Ok(Some(expect)));
}

#[test]
fn overrides_may_be_an_object() {
    let container: Container = serde_json::from_str(r#"{"overrides":{"command":["a"]}}"#).unwrap();
    assert_eq!(container.overrides, Some(Overrides(r#"{"command":["a"]}"#.into())));
}

#[test]
fn a_task_survives_being_stored() {
    let task = Task {
        arn: "T1".into(),
        containers: vec![Container {
            environment: [("A".to_owned(), "1".to_owned())].into(),
            docker_config: Some(DockerConfig {
                host_config: Some("{}".into()),
                ..DockerConfig::default()
            }),
            ..Container::default()
        }],
        overrides: Some(Overrides::default()),
        ..Task::default()
    };
    let stored = serde_json::to_string(&task).unwrap();
    assert_eq!(serde_json::from_str::<Task>(&stored).unwrap(), task);
}

#[test]
fn a_login_to_a_registry_shows_no_password() {
    let container: Container = serde_json::from_str(
        r#"{"registryAuthentication":{"type":"basic",
            "basicAuthData":{"username":"u","password":"hunter2"}}}"#,
    )
    .unwrap();
    assert!(!format!("{container:?}").contains("hunter2"));
    assert!(serde_json::to_string(&container).unwrap().contains("hunter2"));
}

#[test]
fn credentials_of_a_role_show_nothing() {
    let frame = r#"{"type":"IAMRoleCredentialsMessage","message":{"messageId":"m","taskArn":"T1",
        "roleType":"TaskApplication","roleCredentials":{"credentialsId":"hunter2-id",
        "roleArn":"arn:aws:iam::1:role/app","accessKeyId":"hunter2-key",
        "secretAccessKey":"hunter2-secret","sessionToken":"hunter2-token"}}}"#;
    let message = ServerMessage::decode(frame).unwrap().unwrap();
    let shown = format!("{message:?}");
    assert!(shown.contains("role/app") && !shown.contains("hunter2"), "{shown}");
    assert_eq!(message.encode().matches("hunter2").count(), 4);
    let ack = r#"{"type":"IAMRoleCredentialsAckRequest","message":{"credentialsId":"hunter2"}}"#;
    let ack = AgentMessage::decode(ack).unwrap().unwrap();
    assert!(!format!("{ack:?}").contains("hunter2"));
}
