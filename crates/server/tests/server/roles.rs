//! Credentials of tasks' roles: told to the task's own agent, again when they change, and to nobody
//! else.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use longshore_model::{DefinitionKey, TaskDefinition};
use longshore_server::Keys;
use longshore_store::{EmbeddedJournal, MemoryJournal, Store};
use longshore_wire::Operation::{
    DescribeTaskDefinition, DescribeTasks, RegisterTaskDefinition, RunTask, StartTask, StopTask,
};
use longshore_wire::acs::{
    AgentMessage, IAMRoleCredentialsMessage, RoleCredentials, ServerMessage, TaskManifestMessage,
    TaskResendRequest,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Agent, Fleet, Handshake, Machine, World, open};

const APP: &str = "arn:aws:iam::111122223333:role/app";
const JOB: &str = "arn:aws:iam::111122223333:role/team/job";

const FAR: &str = "2030-01-01T00:00:00Z";

pub(crate) fn machine() -> Machine {
    Machine {
        capabilities: &["docker-remote-api.1.17", "task-iam-role", "task-iam-role-network-host"],
        ..Machine::default()
    }
}

/// One that asks for the tasks of a manifest that it lacks.
fn own_machine() -> Machine {
    let attributes = &["ecs.capability.full-sync", "io.longshore.capability.task-resend"];
    Machine { attributes, ..machine() }
}

/// The credentials of a role, all of whose values can be looked for.
pub(crate) fn keys(mark: &str) -> Value {
    json!({
        "accessKeyId": format!("id-{mark}"), "secretAccessKey": format!("secret-{mark}"),
        "sessionToken": format!("token-{mark}"), "expiration": FAR
    })
}

/// Puts a file in the place of the one before, as an operator does.
pub(crate) fn write(path: &Path, roles: &Value) {
    let beside = path.with_extension("new");
    fs::write(&beside, roles.to_string()).unwrap();
    fs::set_permissions(&beside, Permissions::from_mode(0o600)).unwrap();
    fs::rename(beside, path).unwrap();
}

/// A directory with a file of roles' credentials.
struct Place {
    dir: TempDir,
    file: PathBuf,
}

impl Place {
    fn of(roles: &Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("roles.json");
        write(&file, roles);
        Self { dir, file }
    }

    /// Machines with a server, and the definitions `app` and `job`, which have these roles, and
    /// `none`, which has none.
    async fn fleet(&self, machines: &[Machine]) -> Fleet {
        let store = Store::open(MemoryJournal::default()).unwrap();
        let world = World::with_roles(store, None, &self.file).await;
        define(&world).await;
        Fleet::in_world(world, machines).await
    }
}

async fn define(world: &World) {
    let container = json!({"name": "main", "image": "busybox", "memory": 64});
    for (family, role) in [("app", APP), ("job", "/team/job"), ("none", "")] {
        let body = json!({
            "family": family, "taskRoleArn": role, "containerDefinitions": [container]
        });
        world.ask(RegisterTaskDefinition, body).await;
    }
}

async fn credentials(agent: &mut Agent) -> IAMRoleCredentialsMessage {
    let frame = agent.frame().await.expect("the connection is open");
    match ServerMessage::decode(&frame).unwrap() {
        Some(ServerMessage::RoleCredentials(message)) => {
            assert_eq!(message.role_type, "TaskApplication");
            assert!(!message.message_id.is_empty());
            message
        }
        other => panic!("no credentials: {other:?}"),
    }
}

async fn manifest(agent: &mut Agent) -> TaskManifestMessage {
    let frame = agent.frame().await.expect("the connection is open");
    match ServerMessage::decode(&frame).unwrap() {
        Some(ServerMessage::TaskManifest(manifest)) => manifest,
        other => panic!("no manifest: {other:?}"),
    }
}

fn check(told: &RoleCredentials, role: &str, mark: &str) {
    let text = |it: &Option<longshore_wire::Secret>| it.as_ref().unwrap().0.clone();
    assert_eq!(told.role_arn.as_deref(), Some(role));
    assert_eq!(text(&told.access_key_id), format!("id-{mark}"));
    assert_eq!(text(&told.secret_access_key), format!("secret-{mark}"));
    assert_eq!(text(&told.session_token), format!("token-{mark}"));
    assert_eq!(told.expiration.as_deref(), Some(FAR));
    assert!(!told.credentials_id.0.is_empty());
}

#[tokio::test]
async fn a_task_is_told_with_its_role_or_the_one_that_it_was_run_with() {
    let place = Place::of(&json!({APP: keys("app"), JOB: keys("job")}));
    let mut fleet = place.fleet(&[machine()]).await;
    fleet.start("app", "a").await;
    let app = fleet.agent('a').task().await.role_credentials.unwrap();
    check(&app, APP, "app");
    fleet.start("job", "a").await;
    let job = fleet.agent('a').task().await.role_credentials.unwrap();
    check(&job, JOB, "job");
    assert_ne!(app.credentials_id, job.credentials_id);
    fleet.start("none", "a").await;
    assert_eq!(fleet.agent('a').task().await.role_credentials, None);
    for definition in ["app", "none"] {
        for role in ["/team/job", JOB] {
            let body = json!({"taskDefinition": definition, "overrides": {"taskRoleArn": role}});
            let ran = fleet.world.ask(RunTask, body).await;
            assert_eq!(ran["tasks"][0]["overrides"]["taskRoleArn"], JOB);
            let told = fleet.agent('a').task().await.role_credentials.unwrap();
            check(&told, JOB, "job");
        }
    }
}

#[tokio::test]
async fn a_stop_is_told_without_credentials() {
    let place = Place::of(&json!({APP: keys("app")}));
    let mut fleet = place.fleet(&[machine()]).await;
    let task = fleet.start("app", "a").await.remove(0);
    fleet.agent('a').task().await;
    fleet.world.ask(StopTask, json!({"task": task})).await;
    let told = fleet.agent('a').task().await;
    assert_eq!((told.desired_status.as_str(), told.role_credentials), ("STOPPED", None));
}

#[tokio::test]
async fn a_task_whose_role_cannot_be_had_ends_and_says_why() {
    const EXPIRED: &str = "arn:aws:iam::111122223333:role/expired";
    let place = Place::of(&json!({EXPIRED: {
        "accessKeyId": "a", "secretAccessKey": "b", "expiration": "2017-06-15T08:00:00Z"
    }}));
    for machine in [machine(), own_machine()] {
        let takes_manifests = !machine.attributes.is_empty();
        let mut fleet = place.fleet(&[machine]).await;
        if takes_manifests {
            manifest(fleet.agent('a')).await;
        }
        for (role, want) in [
            (APP, "it is not in the file of --role-credentials"),
            (EXPIRED, "its credentials in the file of --role-credentials have expired"),
        ] {
            let body = json!({"taskDefinition": "none", "overrides": {"taskRoleArn": role}});
            let ran = fleet.world.ask(RunTask, body).await;
            let task = ran["tasks"][0]["taskArn"].as_str().unwrap();
            assert_eq!(fleet.agent('a').task().await.desired_status, "STOPPED");
            fleet.world.report(task, "STOPPED").await;
            let shown = fleet.world.task(task).await;
            assert_eq!(shown["stopCode"], "TaskFailedToStart");
            let reason = format!(
                "ECS was unable to assume the role '{role}' that was provided for this task: {want}"
            );
            assert_eq!(shown["stoppedReason"], reason);
        }
    }
}

#[tokio::test]
async fn a_role_that_was_just_added_counts_for_the_next_task() {
    let place = Place::of(&json!({}));
    let mut fleet = place.fleet(&[machine()]).await;
    write(&place.file, &json!({APP: keys("new")}));
    fleet.start("app", "a").await;
    check(&fleet.agent('a').task().await.role_credentials.unwrap(), APP, "new");
}

#[tokio::test]
async fn a_change_is_told_for_the_tasks_that_it_concerns_to_their_own_agents() {
    let place = Place::of(&json!({APP: keys("app"), JOB: keys("job")}));
    let mut fleet = place.fleet(&[machine(), machine(), machine()]).await;
    let mut ids = Vec::new();
    let mut tasks = Vec::new();
    for (definition, letter) in [("app", 'a'), ("job", 'a'), ("app", 'b'), ("job", 'c')] {
        tasks.extend(fleet.start(definition, &letter.to_string()).await);
        let told = fleet.agent(letter).task().await;
        ids.push(told.role_credentials.unwrap().credentials_id);
    }
    let gone = fleet.start("app", "c").await.remove(0);
    fleet.agent('c').task().await;
    fleet.world.report(&gone, "STOPPED").await;
    write(&place.file, &json!({APP: keys("newer"), JOB: keys("job")}));
    for (letter, at) in [('a', 0), ('b', 2)] {
        let told = credentials(fleet.agent(letter)).await;
        assert_eq!(told.task_arn, tasks[at]);
        check(&told.role_credentials, APP, "newer");
        assert_eq!(told.role_credentials.credentials_id, ids[at], "it stays the same");
    }
    // A bad file changes nothing, nor does one whose role is gone; the next good one does.
    fs::write(&place.file, "{").unwrap();
    write(&place.file, &json!({JOB: keys("job")}));
    write(&place.file, &json!({APP: keys("newer"), JOB: keys("last")}));
    for (letter, at) in [('a', 1), ('c', 3)] {
        let told = credentials(fleet.agent(letter)).await;
        assert_eq!(told.task_arn, tasks[at]);
        check(&told.role_credentials, JOB, "last");
    }
    // Nobody was told anything else.
    for letter in ['a', 'b', 'c'] {
        fleet.start("none", &letter.to_string()).await;
        let frame = fleet.agent(letter).frame().await.unwrap();
        assert!(matches!(ServerMessage::decode(&frame), Ok(Some(ServerMessage::Payload(_)))));
    }
}

#[tokio::test]
async fn a_role_that_comes_back_is_told_to_the_tasks_that_went_without() {
    let place = Place::of(&json!({APP: keys("old")}));
    let mut fleet = place.fleet(&[machine()]).await;
    let task = fleet.start("app", "a").await.remove(0);
    fleet.agent('a').task().await;
    fleet.world.report(&task, "RUNNING").await;
    write(&place.file, &json!({}));
    fleet.leave('a').await;
    let instance = fleet.arn('a').to_owned();
    let mut agent = fleet.world.connect(&instance).await;
    // It goes on, and nothing is said of it.
    fleet.start("none", "a").await;
    assert_ne!(agent.task().await.arn, task);
    assert_eq!(fleet.world.task(&task).await["desiredStatus"], "RUNNING");
    write(&place.file, &json!({APP: keys("new")}));
    let told = credentials(&mut agent).await;
    assert_eq!(told.task_arn, task);
    check(&told.role_credentials, APP, "new");
}

#[tokio::test]
async fn an_agent_that_is_not_told_its_tasks_again_is_told_their_credentials() {
    let place = Place::of(&json!({APP: keys("app")}));
    let mut fleet = place.fleet(&[own_machine()]).await;
    manifest(fleet.agent('a')).await;
    let task = fleet.start("app", "a").await.remove(0);
    fleet.start("none", "a").await;
    let first = fleet.agent('a').task().await.role_credentials.unwrap();
    fleet.agent('a').task().await;
    let instance = fleet.arn('a').to_owned();
    // Whatever it says, it is not known what it has heard.
    for says in ["sendCredentials=true", "sendCredentials=false"] {
        let handshake = Handshake::of(&fleet.world, &instance);
        let query = handshake.query.replace("sendCredentials=true", says);
        let request = Handshake { query, ..handshake }.signed();
        let socket = open(&fleet.world, request).await.expect("the handshake is taken");
        let mut agent = Agent { instance: instance.clone(), socket };
        let told = credentials(&mut agent).await;
        assert_eq!((&told.task_arn, &told.role_credentials), (&task, &first));
        manifest(&mut agent).await;
    }
    let mut agent = fleet.world.connect(&instance).await;
    credentials(&mut agent).await;
    let manifest = manifest(&mut agent).await;
    // It has lost the task itself as well.
    let request = AgentMessage::TaskResend(TaskResendRequest {
        cluster: "default".into(),
        container_instance: instance,
        message_id: manifest.message_id,
        task_arns: vec![task],
    });
    agent.say(&request.encode()).await;
    assert_eq!(agent.task().await.role_credentials, Some(first));
}

#[tokio::test(start_paused = true)]
async fn keys_without_an_end_are_said_to_last_for_hours_and_longer_every_hour() {
    let place = Place::of(&json!({APP: {"accessKeyId": "a", "secretAccessKey": "b"}}));
    let store = Store::open_inline(MemoryJournal::default()).unwrap();
    let world = World::with_roles(store, None, &place.file).await;
    define(&world).await;
    let mut agent = world.join(&machine()).await;
    world.ask(RunTask, json!({"taskDefinition": "app"})).await;
    let first = agent.task().await.role_credentials.unwrap();
    assert_eq!(first.session_token.unwrap().0, "");
    let mut last = seconds(first.expiration.as_deref());
    assert!((5 * 3600..=6 * 3600).contains(&(last - world.clock.now_secs())), "{last}");
    for _ in 0..3 {
        // Heartbeats come; nothing else does until an hour is over.
        for _ in 0..3 {
            let frame = agent.frame().await.unwrap();
            assert!(matches!(ServerMessage::decode(&frame), Ok(Some(ServerMessage::Heartbeat(_)))));
        }
        world.clock.move_by_secs(3600);
        let frame = agent.frame().await.unwrap();
        assert!(matches!(ServerMessage::decode(&frame), Ok(Some(ServerMessage::Heartbeat(_)))));
        let told = credentials(&mut agent).await.role_credentials;
        assert_eq!(told.credentials_id, first.credentials_id);
        let end = seconds(told.expiration.as_deref());
        assert_eq!(end - last, 3600);
        last = end;
    }
}

fn seconds(text: Option<&str>) -> i64 {
    let text = text.unwrap();
    assert!(text.len() == 20 && text.ends_with('Z'), "{text}");
    let (date, time) = text.trim_end_matches('Z').split_once('T').unwrap();
    let day: i64 = date.rsplit('-').next().unwrap().parse().unwrap();
    let [hour, minute, second] =
        time.split(':').map(|it| it.parse::<i64>().unwrap()).collect::<Vec<_>>()[..]
    else {
        panic!("no time: {time}");
    };
    assert!(date.starts_with("2017-06-"), "{date}");
    // Of the month's first midnight.
    1_496_275_200 + (day - 1) * 86_400 + hour * 3600 + minute * 60 + second
}

/// A server over a journal on disk, with its keys.
async fn on_disk(place: &Place, keys: Option<Keys>) -> World {
    let journal = EmbeddedJournal::open(&place.dir.path().join("journal")).unwrap();
    World::with_roles(Store::open(journal).unwrap(), keys, &place.file).await
}

#[tokio::test]
async fn values_are_in_no_answer_and_no_record_and_a_restart_keeps_the_id() {
    let place = Place::of(&json!({APP: keys("hunter2")}));
    let world = on_disk(&place, None).await;
    define(&world).await;
    let mut agent = world.join(&machine()).await;
    let ran = world.ask(RunTask, json!({"taskDefinition": "app"})).await;
    let task = ran["tasks"][0]["taskArn"].as_str().unwrap().to_owned();
    let first = agent.task().await.role_credentials.unwrap();
    world.report(&task, "RUNNING").await;
    let body = json!({"taskDefinition": "app", "startedBy": "x"});
    let explained = world.call_own("explain", body).await.text;
    let snapshot = world.call_own("snapshot", json!({})).await.text;
    let definition = world.ask(DescribeTaskDefinition, json!({"taskDefinition": "app"})).await;
    let tasks = world.ask(DescribeTasks, json!({"tasks": [task]})).await;
    for text in
        [&ran.to_string(), &explained, &snapshot, &definition.to_string(), &tasks.to_string()]
    {
        assert!(!text.contains("hunter2") && !text.contains(&first.credentials_id.0), "{text}");
    }
    let (instance, keys) = (agent.instance.clone(), world.keys.clone());
    world.request_shutdown();
    assert_eq!(agent.frame().await, None);
    world.end().await.unwrap();
    let journal = fs::read(place.dir.path().join("journal")).unwrap();
    for value in ["hunter2", &first.credentials_id.0] {
        assert!(!journal.windows(value.len()).any(|it| it == value.as_bytes()), "{value}");
    }
    let world = on_disk(&place, Some(keys)).await;
    let mut agent = world.connect(&instance).await;
    assert_eq!(agent.task().await.role_credentials, Some(first));
}

#[tokio::test]
async fn a_role_by_name_has_its_whole_arn_in_answers_and_what_is_none_is_refused() {
    let place = Place::of(&json!({JOB: keys("job")}));
    let fleet = place.fleet(&[machine()]).await;
    let shown = fleet.world.ask(DescribeTaskDefinition, json!({"taskDefinition": "job"})).await;
    assert_eq!(shown["taskDefinition"]["taskRoleArn"], JOB);
    for role in ["arn:aws:iam::1:user/x", "arn:aws:iam::1:role/", "arn:aws:s3:::bucket", "a:b"] {
        let overrides = json!({"taskRoleArn": role});
        let instances = [fleet.arn('a')];
        let body = json!({"taskDefinition": "none", "overrides": overrides, "containerInstances": instances});
        let (_, exception, message) = fleet.world.call(StartTask, body).await.refusal();
        assert_eq!(
            (exception.as_str(), message.as_str()),
            ("ClientException", "Role is not valid")
        );
    }
}

/// What is logged, all of it, by the thread of a test.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    fn count(&self, what: &str) -> usize {
        self.text().matches(what).count()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_the_file_is_logged_once_and_no_value_ever() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::level_filters::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let place = Place::of(&json!({APP: keys("hunter2"), JOB: keys("hunter2")}));
    let store = Store::open_inline(MemoryJournal::default()).unwrap();
    let world = World::with_roles(store, None, &place.file).await;
    define(&world).await;
    let mut agent = world.join(&machine()).await;
    world.ask(RunTask, json!({"taskDefinition": "app"})).await;
    let first = agent.task().await.role_credentials.unwrap();
    agent.say(r#"{"type":"IAMRoleCredentialsAckRequest","message":{"credentialsId":"hunter2","messageId":7}}"#).await;

    // Time is tokio's: the file is looked at several times for each, while the agent listens.
    let mut looked_at = async || {
        let listened = async { while agent.frame().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(11), listened).await.expect_err("it lasts");
    };
    fs::write(&place.file, r#"{"hunter2": {"accessKeyId": "hunter2""#).unwrap();
    looked_at().await;
    fs::set_permissions(&place.file, Permissions::from_mode(0o640)).unwrap();
    looked_at().await;
    write(&place.file, &json!({APP: keys("hunter2-again")}));
    looked_at().await;
    let mut expired = keys("hunter2");
    expired["expiration"] = "2017-01-01T00:00:00Z".into();
    write(&place.file, &json!({APP: expired}));
    looked_at().await;

    for (what, count) in [
        ("are not renewed: the old ones are kept", 2),
        ("it is no JSON at line 1, column 37", 1),
        ("is open to others than its owner: chmod 600", 1),
        ("the credentials of roles are new ones", 2),
        ("credentials are gone: its tasks keep what they have until it expires", 1),
        ("credentials have expired, and the file has no others", 1),
        ("telling the agent new credentials of the task's role", 1),
    ] {
        assert_eq!(log.count(what), count, "{what}: {}", log.text());
    }
    assert_eq!(log.count("hunter2"), 0, "{}", log.text());
    assert_eq!(log.count(&first.credentials_id.0), 0, "{}", log.text());
}

#[tokio::test]
async fn a_role_that_an_earlier_version_kept_by_its_name_is_found() {
    let place = Place::of(&json!({APP: keys("app")}));
    let mut fleet = place.fleet(&[machine()]).await;
    let key = DefinitionKey { family: "app".parse().unwrap(), revision: 1 };
    let mut kept = TaskDefinition::clone(fleet.world.state().definition(&key).unwrap());
    assert_eq!(kept.task_role_arn.as_deref(), Some(APP));
    kept.task_role_arn = Some("app".into());
    fleet.world.write(|tx| tx.put_definition(kept)).await;
    fleet.start("app", "a").await;
    check(&fleet.agent('a').task().await.role_credentials.unwrap(), APP, "app");
}
