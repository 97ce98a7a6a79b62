//! Secrets from the local file: told to agents, and to nobody else.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use longshore_wire::Operation::{
    self, DescribeTaskDefinition, DescribeTasks, RegisterTaskDefinition, RunTask, StartTask,
    SubmitTaskStateChange,
};
use longshore_wire::acs::Task;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Agent, Machine, World};

/// A server with a secrets file and one connected instance.
struct Vault {
    world: World,
    agent: Agent,
    dir: TempDir,
}

impl Vault {
    async fn of(secrets: Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        write(&dir, &secrets);
        let world = World::with_secrets(&dir.path().join("secrets.json")).await;
        let machine = Machine {
            attributes: &["io.longshore.capability.registry-auth"],
            ..Machine::default()
        };
        let agent = world.join(&machine).await;
        Self { world, agent, dir }
    }

    /// Registers a container with these members as `job`, and runs it; gives the task's ARN.
    async fn run(&self, members: Value) -> String {
        self.world.define("job", members).await;
        self.run_again().await
    }

    async fn run_again(&self) -> String {
        let answer = self.world.ask(RunTask, json!({"taskDefinition": "job"})).await;
        assert_eq!(answer["failures"], json!([]));
        answer["tasks"][0]["taskArn"].as_str().unwrap().to_owned()
    }

    /// What the agent is told next.
    async fn told(&mut self) -> Task {
        self.agent.task().await
    }

    /// The agent is told to stop a task of which it never heard, and what is then said of it.
    async fn stopped(&mut self, task: &str) -> (String, String) {
        let told = self.told().await;
        assert_eq!((told.arn.as_str(), told.desired_status.as_str()), (task, "STOPPED"));
        let report = json!({"cluster": "default", "task": task, "status": "STOPPED"});
        self.world.ask(SubmitTaskStateChange, report).await;
        let shown = self.world.task(task).await;
        assert_eq!(shown["lastStatus"], "STOPPED");
        let text = |name: &str| shown[name].as_str().unwrap().to_owned();
        (text("stopCode"), text("stoppedReason"))
    }
}

fn write(dir: &TempDir, secrets: &Value) {
    let path = dir.path().join("secrets.json");
    fs::write(&path, secrets.to_string()).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
}

fn with(members: Value) -> Value {
    let mut all = json!({"memory": 64});
    all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    all
}

fn variable(value_from: &str) -> Value {
    with(json!({"secrets": [{"name": "PASSWORD", "valueFrom": value_from}]}))
}

#[tokio::test]
async fn an_agent_is_told_the_values_and_no_answer_has_them() {
    let secrets = json!({
        "db": {"username": "admin", "password": "hunter2"}, "token": "s3cr3t"
    });
    let mut vault = Vault::of(secrets).await;
    let members = with(json!({
        "environment": [{"name": "A", "value": "1"}],
        "secrets": [
            {"name": "PASSWORD", "valueFrom": "arn:aws:secretsmanager:us-east-1:1:secret:db-a1B2c3:password::"},
            {"name": "TOKEN", "valueFrom": "arn:aws:ssm:us-east-1:1:parameter/token"}
        ],
        "repositoryCredentials": {"credentialsParameter": "db"},
        "logConfiguration": {
            "logDriver": "json-file", "options": {"max-size": "1m"},
            "secretOptions": [{"name": "tag", "valueFrom": "token"}]
        }
    }));
    let task = vault.run(members.clone()).await;
    let told = vault.told().await.containers.remove(0);
    let environment: Vec<(&str, &str)> =
        told.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(environment, [("A", "1"), ("PASSWORD", "hunter2"), ("TOKEN", "s3cr3t")]);
    assert_eq!(
        told.docker_config.unwrap().host_config.unwrap(),
        r#"{"LogConfig":{"Config":{"max-size":"1m","tag":"s3cr3t"},"Type":"json-file"}}"#
    );
    assert_eq!(told.secret_log_options, Some(vec!["tag".to_owned()]), "nobody else is told them");
    let login = told.registry_authentication.unwrap();
    assert_eq!(login.kind.as_deref(), Some("basic"));
    let login = login.basic_auth_data.unwrap();
    assert_eq!((login.username.as_str(), login.password.0.as_str()), ("admin", "hunter2"));

    let shown = vault.world.ask(DescribeTaskDefinition, json!({"taskDefinition": "job"})).await;
    let container = &shown["taskDefinition"]["containerDefinitions"][0];
    for name in ["secrets", "repositoryCredentials", "logConfiguration", "environment"] {
        assert_eq!(container[name], members[name], "{name}");
    }
    let tasks = vault.world.ask(DescribeTasks, json!({"tasks": [task]})).await;
    let state = vault.world.state();
    let kept: Vec<String> = state
        .all_tasks()
        .map(|it| serde_json::to_string(&**it).unwrap())
        .chain([serde_json::to_string(
            &**state.definition(&state.all_tasks().next().unwrap().definition).unwrap(),
        )
        .unwrap()])
        .collect();
    for text in [shown.to_string(), tasks.to_string(), kept.join("")] {
        assert!(!text.contains("hunter2") && !text.contains("s3cr3t"), "{text}");
    }
}

#[tokio::test]
async fn the_next_task_has_what_was_rotated() {
    let mut vault = Vault::of(json!({"db": "old"})).await;
    vault.run(variable("db")).await;
    assert_eq!(vault.told().await.containers[0].environment["PASSWORD"], "old");
    write(&vault.dir, &json!({"db": "new"}));
    vault.run_again().await;
    assert_eq!(vault.told().await.containers[0].environment["PASSWORD"], "new");
}

#[tokio::test]
async fn a_task_whose_secret_is_missing_never_starts_and_says_why() {
    const BEGIN: &str = "ResourceInitializationError: unable to pull secrets or registry auth: ";
    let mut vault = Vault::of(json!({"db": "hunter2"})).await;
    let path = vault.dir.path().join("secrets.json");
    for (members, want) in [
        (variable("other"), "the secret other is not in the secrets file".to_owned()),
        (
            variable("arn:aws:secretsmanager:us-east-1:1:secret:db:key"),
            "the secret arn:aws:secretsmanager:us-east-1:1:secret:db:key has no key key".into(),
        ),
        (
            with(json!({"repositoryCredentials": {"credentialsParameter": "db"}})),
            "the secret db does not hold a username and a password".into(),
        ),
    ] {
        let task = vault.run(members).await;
        let expected = ("TaskFailedToStart".to_owned(), format!("{BEGIN}{want}"));
        assert_eq!(vault.stopped(&task).await, expected);
    }
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let task = vault.run(variable("db")).await;
    let (code, reason) = vault.stopped(&task).await;
    assert_eq!(code, "TaskFailedToStart");
    assert!(reason.ends_with(&format!("chmod 600 {}", path.display())), "{reason}");
}

#[tokio::test]
async fn a_task_that_runs_is_left_alone_when_its_secret_is_taken_away() {
    let Vault { world, mut agent, dir } = Vault::of(json!({"db": "hunter2"})).await;
    world.define("job", variable("db")).await;
    let body = json!({"taskDefinition": "job", "containerInstances": [agent.instance]});
    let started = world.ask(StartTask, body.clone()).await;
    let task = started["tasks"][0]["taskArn"].as_str().unwrap().to_owned();
    agent.task().await;
    let report = json!({
        "cluster": "default", "task": task, "status": "RUNNING",
        "containers": [{"containerName": "main", "status": "RUNNING"}]
    });
    world.ask(SubmitTaskStateChange, report).await;
    write(&dir, &json!({}));
    let instance = agent.instance.clone();
    agent.leave(&world).await;
    let mut agent = world.connect(&instance).await;
    // Of the one that runs nothing is said; the next is told to stop.
    world.ask(StartTask, body).await;
    let told = agent.task().await;
    assert_ne!(told.arn, task);
    assert_eq!(told.desired_status, "STOPPED");
    let shown = world.task(&task).await;
    assert_eq!(
        (&shown["lastStatus"], &shown["desiredStatus"]),
        (&json!("RUNNING"), &json!("RUNNING"))
    );
}

/// What a server answers to a registration of a container with these members.
async fn refusal(world: &World, operation: Operation, members: Value) -> (String, String) {
    let mut main = json!({"name": "main", "image": "busybox"});
    main.as_object_mut().unwrap().extend(with(members).as_object().unwrap().clone());
    let body = json!({"family": "f", "containerDefinitions": [main]});
    let (status, exception, message) = world.call(operation, body).await.refusal();
    assert_eq!(status, 400);
    (exception, message)
}

#[tokio::test]
async fn without_a_file_what_needs_a_secret_is_refused_by_name() {
    let world = World::start().await;
    let secret = json!([{"name": "A", "valueFrom": "db"}]);
    for (member, members) in [
        ("secrets", json!({"secrets": secret})),
        ("repositoryCredentials", json!({"repositoryCredentials": {"credentialsParameter": "db"}})),
        (
            "logConfiguration.secretOptions",
            json!({"logConfiguration": {"logDriver": "json-file", "secretOptions": secret}}),
        ),
    ] {
        let message = format!(
            "Longshore cannot honour the member 'containerDefinitions[0].{member}' without a secrets file. Start the server with --secrets-file, or leave it out."
        );
        let expected = ("ClientException".to_owned(), message);
        assert_eq!(refusal(&world, RegisterTaskDefinition, members).await, expected);
    }
    let nothing = json!({"secrets": [], "repositoryCredentials": {}});
    world.define("f", with(nothing)).await;
}

#[tokio::test]
async fn a_secret_has_a_name_of_its_own_and_a_place() {
    const SHARED: &str = "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'A'.";
    let vault = Vault::of(json!({})).await;
    let secrets = |entry: Value| json!({"secrets": [entry]});
    let from = |text: &str| secrets(json!({"name": "A", "valueFrom": text}));
    let secret = json!({"name": "A", "valueFrom": "db"});
    let invalid = |rule: &str| format!("Invalid 'secrets' setting for container 'main'. {rule}");
    for (members, message) in [
        (secrets(json!({"valueFrom": "db"})), invalid("It must be there.")),
        (secrets(json!({"name": "A"})), invalid("It must be there.")),
        (secrets(json!({"name": "A=B", "valueFrom": "db"})), invalid("'A=B' is not a name.")),
        (
            from("arn:aws:s3:::bucket"),
            invalid(
                "'arn:aws:s3:::bucket' cannot be followed: it is not the ARN of a parameter or of a secret.",
            ),
        ),
        (
            from("arn:aws:secretsmanager:us-east-1:1:secret:db::AWSPREVIOUS:"),
            invalid(
                "'arn:aws:secretsmanager:us-east-1:1:secret:db::AWSPREVIOUS:' cannot be followed: it asks for a version, and each secret here has one value only: leave version-stage and version-id empty.",
            ),
        ),
        (json!({"secrets": [secret, secret]}), SHARED.into()),
        (json!({"secrets": [secret], "environment": [{"name": "A", "value": "1"}]}), SHARED.into()),
        (
            json!({"logConfiguration": {
                "logDriver": "json-file", "options": {"A": "1"}, "secretOptions": [secret]
            }}),
            "Log driver option 'A' is set more than once.".into(),
        ),
    ] {
        let expected = ("ClientException".to_owned(), message);
        assert_eq!(refusal(&vault.world, RegisterTaskDefinition, members).await, expected);
    }
    vault.world.define("job", with(secrets(secret))).await;
    let entry = json!({"name": "main", "environment": [{"name": "A", "value": "1"}]});
    let body = json!({"taskDefinition": "job", "overrides": {"containerOverrides": [entry]}});
    let (_, exception, message) = vault.world.call(RunTask, body).await.refusal();
    assert_eq!((exception.as_str(), message.as_str()), ("InvalidParameterException", SHARED));
}

#[tokio::test]
async fn a_task_is_not_started_without_the_credentials_of_its_role() {
    let world = World::start().await;
    let machine = Machine { capabilities: &["task-iam-role"], ..Machine::default() };
    let agent = world.join(&machine).await;
    let mut vault = Vault { world, agent, dir: tempfile::tempdir().unwrap() };
    let container = json!({"name": "main", "image": "busybox", "memory": 64});
    let body =
        json!({"family": "job", "taskRoleArn": "worker", "containerDefinitions": [container]});
    vault.world.ask(RegisterTaskDefinition, body).await;
    let task = vault.run_again().await;
    let (code, reason) = vault.stopped(&task).await;
    assert_eq!(code, "TaskFailedToStart");
    assert_eq!(
        reason,
        "ECS was unable to assume the role 'arn:aws:iam::111122223333:role/worker' that was provided for this task: this server has credentials of no role; start it with --role-credentials FILE"
    );
}
