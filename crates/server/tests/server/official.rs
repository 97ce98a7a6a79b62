//! Official agents of three ages, as their words were observed: `tests/official/VERSION.json`. In
//! them `CI` is the container instance's ARN and `T` the task's. To what they registered is added
//! what they announce with `ECS_ENABLE_TASK_IAM_ROLE`.

use std::fs;
use std::path::Path;

use longshore_store::{MemoryJournal, Store};
use longshore_wire::Operation::{
    DeregisterContainerInstance, DescribeTasks, DiscoverPollEndpoint, RegisterContainerInstance,
    RegisterTaskDefinition, RunTask, StopTask, SubmitContainerStateChange, SubmitTaskStateChange,
};
use longshore_wire::Secret;
use longshore_wire::acs::{PayloadMessage, RoleCredentials, ServerMessage};
use serde_json::{Value, json};

use crate::harness::{Agent, Handshake, World, open};
use crate::roles;

/// The role of the tasks here.
const ROLE: &str = "arn:aws:iam::111122223333:role/worker";

/// What an agent of one version says.
struct Official {
    words: Value,
    instance: String,
}

impl Official {
    fn of(version: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/official");
        let text = fs::read_to_string(folder.join(format!("{version}.json"))).unwrap();
        let mut words: Value = serde_json::from_str(&text).unwrap();
        let attributes = words["register"]["attributes"].as_array_mut().unwrap();
        attributes.push(json!({"name": "com.amazonaws.ecs.capability.task-iam-role"}));
        Self { words, instance: String::new() }
    }

    /// Registers as observed, and checks what it would end at: every attribute must come back.
    async fn register(&mut self, world: &World, is_again: bool) {
        let mut body = self.words["register"].clone();
        if is_again {
            body["containerInstanceArn"] = json!(self.instance);
            body["attributes"].as_array_mut().unwrap().retain(|it| it["name"] != "stack");
        }
        let instance = world.ask(RegisterContainerInstance, body.clone()).await;
        let instance = &instance["containerInstance"];
        let registered = instance["attributes"].as_array().unwrap();
        for sent in body["attributes"].as_array().unwrap() {
            let is_same = |it: &&Value| {
                it["name"] == sent["name"]
                    && it["value"].as_str().unwrap_or_default()
                        == sent["value"].as_str().unwrap_or_default()
            };
            assert!(registered.iter().find(is_same).is_some(), "{sent}");
        }
        assert!(registered.iter().any(|it| *it == json!({"name": "stack", "value": "dev"})));
        let arn = instance["containerInstanceArn"].as_str().unwrap().to_owned();
        assert!(!is_again || arn == self.instance);
        self.instance = arn;
    }

    async fn connect(&self, world: &World, sends_credentials: bool) -> Agent {
        let discover = self.words["discover"].to_string().replace("CI", &self.instance);
        let mut endpoints = Vec::new();
        for _ in 0..2 {
            let body = serde_json::from_str(&discover).unwrap();
            endpoints.push(world.ask(DiscoverPollEndpoint, body).await["endpoint"].clone());
        }
        assert_eq!(endpoints[0], endpoints[1]);
        assert_eq!(endpoints[0], "http://longshore.test:18080/acs/");
        let encoded = self.instance.replace(':', "%3A").replace('/', "%2F");
        let query =
            self.words["handshake"].as_str().unwrap().replace("=CI", &format!("={encoded}"));
        let sends = format!("sendCredentials={sends_credentials}");
        let query = query.replace("sendCredentials=true", &sends);
        let handshake = Handshake { query, ..Handshake::of(world, &self.instance) };
        let socket = open(world, handshake.signed()).await.expect("the handshake is taken");
        world.until_connected(&self.instance, true).await;
        Agent { instance: self.instance.clone(), socket }
    }

    fn is_external(&self) -> bool {
        self.words["register"].to_string().contains("ecs.capability.external")
    }

    fn takes_manifests(&self) -> bool {
        self.words["register"].to_string().contains("ecs.capability.full-sync")
    }

    /// The manifest that follows what is told on a new connection, if it takes any.
    async fn hear_manifest(&self, agent: &mut Agent, after: i64, tasks: &[&str]) -> i64 {
        if !self.takes_manifests() {
            return after;
        }
        let frame = agent.frame().await.unwrap();
        let Some(ServerMessage::TaskManifest(it)) = ServerMessage::decode(&frame).unwrap() else {
            panic!("no manifest: {frame}");
        };
        assert!(it.timeline > after, "an older manifest is passed over");
        assert!(!it.message_id.is_empty() && !it.cluster_arn.is_empty());
        assert_eq!(it.container_instance_arn, self.instance);
        assert_eq!(it.tasks.iter().map(|it| it.task_arn.as_str()).collect::<Vec<_>>(), tasks);
        it.timeline
    }

    /// Says of each task's credentials in a message that they were taken.
    async fn take(&self, agent: &mut Agent, message_id: &str, credentials: &RoleCredentials) {
        let ack = json!({
            "credentialsId": credentials.credentials_id.0, "expiration": credentials.expiration,
            "messageId": message_id
        });
        let frame = json!({"type": "IAMRoleCredentialsAckRequest", "message": ack});
        agent.say(&frame.to_string()).await;
    }

    /// The next payload, which must be as official agents demand, with its number and the
    /// credentials of the task's role.
    async fn hear_start(&self, agent: &mut Agent, after: i64, key: &str) -> (i64, RoleCredentials) {
        let mut payload = agent.payload().await;
        check_payload(&payload, self, "RUNNING", after);
        let credentials = payload.tasks[0].role_credentials.take().expect("the task has a role");
        check_credentials(&credentials, key);
        self.take(agent, &payload.message_id, &credentials).await;
        (payload.seq_num, credentials)
    }

    /// Submits what was observed, twice: agents repeat what they have no answer to.
    async fn submit(&self, world: &World, what: &str, task: &str) {
        for call in self.words[what].as_array().unwrap() {
            let mut body = call["body"].clone();
            body["task"] = json!(task);
            let operation = match call["operation"].as_str().unwrap() {
                "SubmitTaskStateChange" => SubmitTaskStateChange,
                _ => SubmitContainerStateChange,
            };
            for _ in 0..2 {
                let answer = world.ask(operation, body.clone()).await;
                assert_eq!(answer, json!({"acknowledgment": "ACCEPT"}));
            }
        }
    }
}

async fn describe(world: &World, task: &str) -> Value {
    world.ask(DescribeTasks, json!({"tasks": [task]})).await["tasks"][0].clone()
}

/// Runs a task as most callers do, with no launch type: agents that say they are outside EC2 take it
/// too, and it is EXTERNAL there.
async fn run(world: &World, official: &Official) -> String {
    let overrides = json!({"containerOverrides": [{
        "name": "web", "command": ["sleep", "60"], "cpu": 20, "memory": 128,
        "memoryReservation": 64, "environment": [{"name": "FOO", "value": "baz"}]
    }]});
    let launch_type = if official.is_external() { "EXTERNAL" } else { "EC2" };
    let body = json!({"taskDefinition": "demo", "overrides": overrides});
    let ran = world.ask(RunTask, body).await;
    assert_eq!(ran["failures"], json!([]));
    assert_eq!(ran["tasks"][0]["launchType"], launch_type);
    ran["tasks"][0]["taskArn"].as_str().unwrap().to_owned()
}

/// What official agents demand of a payload, or reject or drop it.
fn check_payload(payload: &PayloadMessage, official: &Official, desired: &str, after: i64) {
    assert!(payload.seq_num > after, "{} after {after}", payload.seq_num);
    assert!(!payload.message_id.is_empty() && !payload.cluster_arn.is_empty());
    assert_eq!(payload.container_instance_arn, official.instance);
    let [task] = &payload.tasks[..] else { panic!("one task a payload: {payload:?}") };
    assert_eq!((task.family.as_str(), task.version.as_str()), ("demo", "1"));
    assert_eq!(task.desired_status, desired);
    assert_eq!(task.overrides.as_ref().map(|it| it.0.as_str()), Some("{}"));
    assert!(task.volumes.iter().all(|it| !it.name.is_empty() && it.host.is_some()));
    let kind = if official.is_external() { "EXTERNAL" } else { "EC2" };
    assert_eq!(task.launch_type.as_deref(), Some(kind));
    let web = &task.containers[0];
    let arn = web.container_arn.as_deref().unwrap();
    assert!(arn.contains(":container/default/"), "{arn}");
    assert_eq!(web.overrides.as_ref().map(|it| it.0.as_str()), Some("{}"));
    assert_eq!((web.cpu, web.memory), (20, 128), "overrides are merged");
    assert_eq!(web.command, ["sleep", "60"]);
    assert_eq!(web.environment["FOO"], "baz");
    let protocols: Vec<_> = web.port_mappings.iter().map(|it| it.protocol.as_deref()).collect();
    assert_eq!(protocols, [Some("tcp"), Some("udp")]);
    let docker = web.docker_config.as_ref().unwrap();
    for embedded in [&docker.config, &docker.host_config] {
        serde_json::from_str::<Value>(embedded.as_deref().unwrap()).unwrap();
    }
    let version = docker.version.as_deref().unwrap();
    let announced = format!("com.amazonaws.ecs.capability.docker-remote-api.{version}");
    assert!(
        official.words["register"].to_string().contains(&format!("{announced:?}")),
        "{version}"
    );
}

/// What official agents demand of credentials, and the access key by which these are known.
fn check_credentials(credentials: &RoleCredentials, key: &str) {
    assert!(!credentials.credentials_id.0.is_empty());
    assert_eq!(credentials.role_arn.as_deref(), Some(ROLE));
    let text = |it: &Option<Secret>| it.as_ref().map(|it| it.0.clone()).unwrap();
    assert_eq!(text(&credentials.access_key_id), format!("id-{key}"));
    assert_eq!(text(&credentials.secret_access_key), format!("secret-{key}"));
    assert_eq!(text(&credentials.session_token), format!("token-{key}"));
    assert_eq!(credentials.expiration.as_deref(), Some("2030-01-01T00:00:00Z"));
}

/// Registers, runs a task with overrides and a role, restarts, sees the server restart and the
/// role's credentials change, stops, rejects.
async fn check(version: &str) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("roles.json");
    roles::write(&file, &json!({ROLE: roles::keys("first")}));
    let journal = MemoryJournal::default();
    let world = World::with_roles(Store::open(journal.clone()).unwrap(), None, &file).await;
    let mut official = Official::of(version);
    official.register(&world, false).await;
    let container = json!({
        "name": "web", "image": "busybox:latest", "cpu": 10, "memory": 64,
        "environment": [{"name": "FOO", "value": "bar"}],
        "portMappings": [{"containerPort": 80}, {"containerPort": 81, "hostPort": 18081, "protocol": "udp"}],
        "mountPoints": [{"sourceVolume": "v", "containerPath": "/v"}]
    });
    let definition = json!({
        "family": "demo", "containerDefinitions": [container], "volumes": [{"name": "v"}],
        "taskRoleArn": "worker", "executionRoleArn": "execution"
    });
    world.ask(RegisterTaskDefinition, definition).await;
    let mut agent = official.connect(&world, true).await;
    let mut last = official.hear_manifest(&mut agent, 0, &[]).await;
    let told = world.instance(&official.instance).await["versionInfo"]["agentVersion"].clone();
    assert_eq!(told, version);

    let task = run(&world, &official).await;
    let (number, first) = official.hear_start(&mut agent, last, "first").await;
    last = number;
    official.submit(&world, "running", &task).await;
    let shown = describe(&world, &task).await;
    assert_eq!(
        (&shown["lastStatus"], &shown["containers"][0]["lastStatus"]),
        (&json!("RUNNING"), &json!("RUNNING"))
    );
    assert_eq!(shown["containers"][0].get("exitCode"), None, "it is as the status says");
    let bindings = shown["containers"][0]["networkBindings"].as_array().unwrap();
    assert_eq!(
        (&bindings[0]["hostPort"], &bindings[1]["hostPort"]),
        (&json!(32768), &json!(18081))
    );

    // The agent restarts: it has its tasks, but not their credentials.
    drop(agent);
    world.until_connected(&official.instance, false).await;
    official.register(&world, true).await;
    let mut agent = official.connect(&world, true).await;
    let (number, again) = official.hear_start(&mut agent, last, "first").await;
    assert_eq!(again, first);
    last = official.hear_manifest(&mut agent, number, &[&task]).await;

    // The server restarts.
    let keys = world.keys.clone();
    let before = describe(&world, &task).await;
    world.request_shutdown();
    assert_eq!(agent.frame().await, None);
    world.end().await.unwrap();
    let world = World::with_roles(Store::open(journal).unwrap(), Some(keys), &file).await;
    official.submit(&world, "running", &task).await;
    let mut agent = official.connect(&world, false).await;
    let (number, again) = official.hear_start(&mut agent, 0, "first").await;
    assert_eq!(again, first);
    last = official.hear_manifest(&mut agent, number.min(last), &[&task]).await;
    assert_eq!(describe(&world, &task).await["startedAt"], before["startedAt"]);

    // The role's credentials change.
    roles::write(&file, &json!({ROLE: roles::keys("second")}));
    let frame = agent.frame().await.unwrap();
    let Some(ServerMessage::RoleCredentials(told)) = ServerMessage::decode(&frame).unwrap() else {
        panic!("no credentials: {frame}");
    };
    assert_eq!((told.task_arn.as_str(), told.role_type.as_str()), (&*task, "TaskApplication"));
    assert!(!told.message_id.is_empty());
    check_credentials(&told.role_credentials, "second");
    assert_eq!(told.role_credentials.credentials_id, first.credentials_id);
    official.take(&mut agent, &told.message_id, &told.role_credentials).await;

    world.ask(StopTask, json!({"task": task, "reason": "enough"})).await;
    let payload = agent.payload().await;
    check_payload(&payload, &official, "STOPPED", last);
    official.submit(&world, "stopped", &task).await;
    official.submit(&world, "running", &task).await;
    let shown = describe(&world, &task).await;
    assert_eq!(
        (&shown["lastStatus"], &shown["stoppedReason"]),
        (&json!("STOPPED"), &json!("enough"))
    );
    assert_eq!(shown["containers"][0]["exitCode"], 0);

    let task = run(&world, &official).await;
    agent.payload().await;
    official.submit(&world, "rejected", &task).await;
    let shown = describe(&world, &task).await;
    assert_eq!(shown["lastStatus"], "STOPPED");
    let reason = shown["stoppedReason"].as_str().unwrap();
    assert!(reason.starts_with("UnrecogniedTaskError: Error loading task - "), "{reason}");
    official
        .submit(
            &world,
            "unheard",
            "arn:aws:ecs:us-east-1:111122223333:task/default/0b69d5c0d655469598cd5d2d526d9d5a",
        )
        .await;

    agent.say(r#"{"type":"HeartbeatAckRequest","message":{"messageId":"hb-1"}}"#).await;
    let body = json!({"containerInstance": official.instance, "force": true});
    world.ask(DeregisterContainerInstance, body).await;
    assert_eq!(agent.frame().await, None, "and nothing that it said was refused");
}

#[tokio::test]
async fn the_agent_of_june_2017() {
    check("1.14.3").await;
}

#[tokio::test]
async fn the_agent_of_2020() {
    check("1.40.0").await;
}

#[tokio::test]
async fn the_agent_of_2026() {
    check("1.105.1").await;
}
